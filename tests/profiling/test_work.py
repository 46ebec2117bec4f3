"""FLOPs against closed forms that are written out here, and the bytes that must move."""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from verifykit.profiling.work import count_forward, count_work
from verifykit.profiling.workload import Workload
from verifykit.results.cost import Work
from verifykit.spec.threads import threads_for


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads_for(0):
        yield


class Function(nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)


def prepared(module: nn.Module | Callable[..., Any], *inputs: Tensor) -> Workload:
    module = module if isinstance(module, nn.Module) else Function(module)
    return Workload("it", module.eval(), lambda given: (given, {}), inputs, sizes={}, seed=0).prepare()


def work(module: nn.Module | Callable[..., Any], *inputs: Tensor) -> Work:
    return count_work(prepared(module, *inputs))


def flops(module: nn.Module | Callable[..., Any], *inputs: Tensor) -> tuple[int, int | None]:
    found = work(module, *inputs)
    return found.forward_flops, found.backward_flops


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(7,), (3, 7), (2, 3, 7)], ids=str)
def test_linear(shape: tuple[int, ...]) -> None:
    forward = 2 * prod(shape[:-1]) * 7 * 4
    for bias in (True, False):
        assert flops(nn.Linear(7, 4, bias=bias), draw(*shape)) == (forward, 2 * forward)


def test_of_a_linear_layer_without_gradients_of_its_input_half_of_backward_is_left() -> None:
    def two_layers(*sizes: int) -> nn.Module:
        return nn.Sequential(nn.Embedding(9, sizes[0]), nn.Linear(sizes[0], sizes[1]))

    frozen = two_layers(7, 4)
    frozen[0].weight.requires_grad_(False)  # type: ignore[index,union-attr]
    indices = torch.tensor([1, 2, 3])
    assert flops(two_layers(7, 4), indices) == (2 * 3 * 7 * 4, 4 * 3 * 7 * 4)
    assert flops(frozen, indices) == (2 * 3 * 7 * 4, 2 * 3 * 7 * 4)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"dilation": 2}, {"padding": 1, "stride": 3}], ids=str)
@pytest.mark.parametrize("transposed", [False, True])
def test_convolution(groups: int, options: dict[str, int], transposed: bool) -> None:
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    layer = kind(4, 8, (3, 2), groups=groups, **options)  # type: ignore[arg-type]
    x = draw(5, 4, 11, 9)
    # Each number of one kernel meets each position of the output, or scatters each position of the input.
    positions = prod(x.shape[2:]) if transposed else prod(layer(x).shape[2:])
    forward = 2 * 5 * positions * (4 // groups) * 8 * 3 * 2
    assert flops(layer, x) == (forward, 2 * forward)


def test_convolution_of_other_dimensions_and_depthwise() -> None:
    assert flops(nn.Conv1d(4, 6, 3), draw(2, 4, 10))[0] == 2 * 2 * 8 * 4 * 6 * 3
    assert flops(nn.Conv3d(2, 3, 2), draw(2, 2, 5, 5, 5))[0] == 2 * 2 * 4**3 * 2 * 3 * 2**3
    forward = 2 * 2 * 8 * 8 * 6 * 9
    assert flops(nn.Conv2d(6, 6, 3, groups=6), draw(2, 6, 10, 10)) == (forward, 2 * forward)
    assert flops(lambda x, w, b: torch.conv_tbc(x, w, b), draw(9, 2, 4), draw(3, 4, 5), draw(5))[0] == 2 * 7 * 2 * 60


def by_hand(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v


def test_attention_of_given_queries() -> None:
    # Scores and the weighted sum, each a product over batch, heads, queries and keys.
    q, k, v = draw(2, 4, 8, 16), draw(2, 4, 12, 16), draw(2, 4, 12, 16)
    forward = 2 * (2 * 2 * 4 * 8 * 12 * 16)
    assert flops(by_hand, q, k, v) == (forward, 2 * forward)
    # The fused kernel keeps no scores: its backward computes them once more, five products for two.
    assert flops(F.scaled_dot_product_attention, q, k, v) == (forward, forward // 2 * 5)
    assert flops(F.scaled_dot_product_attention, q[0], k[0], v[0])[0] == forward // 2


def multi_head(batch: int, length: int, width: int) -> int:
    projections = 4 * 2 * batch * length * width * width
    return projections + 2 * 2 * batch * length * length * width


def test_multi_head_attention_and_its_fast_path() -> None:
    attention = nn.MultiheadAttention(16, 4, batch_first=True)
    x = draw(2, 8, 16)
    expected = multi_head(2, 8, 16)
    assert flops(lambda x: attention(x, x, x)[0], x)[0] == expected
    attention.eval()

    def without_gradients(x: Tensor) -> Tensor:
        with torch.no_grad():
            return attention(x, x, x)[0]  # type: ignore[no-any-return]

    before = torch.backends.mha.get_fastpath_enabled()
    assert flops(without_gradients, x) == (expected, None)
    assert torch.backends.mha.get_fastpath_enabled() == before
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True).eval()
    fed_forward = 2 * 2 * 2 * 8 * 16 * 32
    assert flops(layer, x)[0] == expected + fed_forward


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrent(kind: Any, gates: int, layers: int, directions: int) -> None:
    width, hidden, steps, batch = 5, 6, 7, 3
    module = kind(width, hidden, num_layers=layers, bidirectional=directions == 2)
    inputs = [width] + [hidden * directions] * (layers - 1)
    forward = sum(2 * steps * batch * gates * hidden * (n + hidden) * directions for n in inputs)
    # Nobody asks for the gradient by the first state of each layer and direction, which is zeros; the fused kernel
    # computes it all the same.
    spared = 0 if kind is nn.LSTM else layers * directions * 2 * batch * gates * hidden * hidden
    assert flops(lambda x: module(x)[0], draw(steps, batch, width))[0] == forward
    assert flops(module, draw(steps, batch, width)) == (forward, 2 * forward - spared)


def test_an_lstm_step_by_step_costs_what_the_fused_one_does() -> None:
    module, x = nn.LSTM(5, 6), draw(7, 3, 5)
    assert flops(module, x)[0] == flops(module.double(), x.double())[0] == 2 * 7 * 3 * 4 * 6 * (5 + 6)


PRODUCTS: dict[str, tuple[Callable[..., Tensor], list[tuple[int, ...]], int, int]] = {
    "bmm": (torch.bmm, [(2, 3, 4), (2, 4, 5)], 240, 480),
    "matmul with a broadcast batch": (torch.matmul, [(2, 3, 4), (4, 5)], 240, 480),
    "addmm": (torch.addmm, [(3, 5), (3, 4), (4, 5)], 120, 240),
    "baddbmm": (torch.baddbmm, [(2, 3, 5), (2, 3, 4), (2, 4, 5)], 240, 480),
    "addbmm": (torch.addbmm, [(3, 5), (2, 3, 4), (2, 4, 5)], 240, 480),
    "addmm in place": (lambda a, b, c: a.clone().addmm_(b, c), [(3, 5), (3, 4), (4, 5)], 120, 240),
    "einsum": (lambda a, b: torch.einsum("bij,bkj->bik", a, b), [(2, 3, 4), (2, 5, 4)], 240, 480),
    "tensordot": (lambda a, b: torch.tensordot(a, b, 2), [(3, 2, 2), (2, 2, 5)], 120, 240),
    # Forward is counted; of backward the product for the vector, that for the matrix being element by element.
    "matrix and vector": (torch.mv, [(3, 4), (4,)], 24, 24),
    "two vectors": (torch.dot, [(7,), (7,)], 14, 0),
}


@pytest.mark.parametrize(("function", "shapes", "forward", "backward"), PRODUCTS.values(), ids=PRODUCTS.keys())
def test_products(function: Callable[..., Tensor], shapes: list[tuple[int, ...]], forward: int, backward: int) -> None:
    assert flops(function, *(draw(*shape) for shape in shapes)) == (forward, backward)


def test_bilinear() -> None:
    # Each output contracts its matrix with the first input, and that with the second.
    assert flops(nn.Bilinear(3, 4, 5), draw(2, 3), draw(2, 4))[0] == 2 * 5 * (2 * 3 * 4 + 2 * 4)


def test_a_complex_product_is_four_real_ones() -> None:
    assert flops(torch.mm, draw(3, 4).to(torch.complex64), draw(4, 5).to(torch.complex64)) == (480, 960)


def test_inference_mode_hides_nothing() -> None:
    def infer(x: Tensor, w: Tensor) -> Tensor:
        with torch.inference_mode():
            return F.linear(x, w)

    assert flops(infer, draw(3, 7), draw(4, 7)) == (2 * 3 * 7 * 4, None)


def test_distances_by_a_product() -> None:
    # [-2x, |x|^2, 1] times [y, 1, |y|^2], which torch takes for more than 25 points.
    assert flops(torch.cdist, draw(30, 4), draw(40, 4))[0] == 2 * 30 * 40 * (4 + 2)


def test_bytes_of_a_layer_are_inputs_outputs_and_parameters_once() -> None:
    assert work(nn.Linear(7, 4), draw(3, 7)).least_bytes == 4 * (3 * 7 + 3 * 4 + 7 * 4 + 4)
    tied = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    tied[2].weight = tied[0].weight
    assert work(tied, draw(3, 4)).least_bytes == 4 * (12 + 12 + 16 + 4 + 4)
    assert work(nn.BatchNorm1d(5), draw(3, 5)).least_bytes == 4 * (15 + 15 + 4 * 5)  # with its running statistics


def test_of_tables_the_rows_that_are_looked_at() -> None:
    indices = torch.tensor([1, 1, 2, 99])
    table = draw(100, 8)
    expected = 4 * 8 + 4 * 3 * 8 + 4 * 4 * 8  # indices, three rows, four rows out
    assert work(nn.Embedding(100, 8), indices).least_bytes == expected
    assert work(lambda i, t: t[i], indices, table).least_bytes == expected
    assert work(lambda i, t: t[i], indices - 100, table).least_bytes == expected
    assert work(lambda i, t: t.index_select(0, i), indices, table).least_bytes == expected
    assert work(lambda i, t: t.T[:, i], indices, table.T.contiguous().T).least_bytes == expected
    assert work(nn.EmbeddingBag(100, 8), indices[None]).least_bytes == pytest.approx(4 * 8 + 4 * 3 * 8 + 4 * 8)
    # A table that is multiplied with as well is read whole.
    assert work(lambda i, t: t[i] @ t.T, indices, table).least_bytes == 4 * 8 + 4 * 800 + 4 * 4 * 100


def test_what_is_shared_moves_once_and_what_nobody_reads_not_at_all() -> None:
    x = draw(10, 6)
    assert work(nn.Identity(), x).least_bytes == 240
    assert work(lambda x: x.T, x).least_bytes == 240
    assert work(lambda x: x.relu().chunk(2), x).least_bytes == 480
    assert work(lambda x, unused: x * 2, x, draw(50)).least_bytes == 480
    assert work(lambda x: x[:, -1] * 2, x).least_bytes == 80
    assert work(lambda x: (x * 2)[:1].expand(10, 6), x).least_bytes == 240 + 24
    assert work(lambda x: (x.to_sparse(), x * 2)[1], x).least_bytes == 480


def test_forward_alone_counts_the_same() -> None:
    load = prepared(nn.LSTM(5, 6), draw(7, 3, 5))
    assert count_forward(load) == (count_work(load).forward_flops, count_work(load).least_bytes)


def test_what_has_no_formula_is_listed_with_its_share() -> None:
    # `mean` leaves the work to `sum`, and `fft` to operators of other names: both get the time of what they call.
    def heavy(x: Tensor) -> Tensor:
        return x.T.mean(0) + torch.fft.fft(x).abs().mean() + torch.cumsum(x, 0).mean()

    found = work(heavy, draw(400, 400))
    shares = {one.name: one.share for one in found.uncounted}
    assert {"aten::mean", "aten::_fft_r2c", "aten::cumsum", "aten::abs"} <= shares.keys()
    assert not {"aten::clone", "aten::t", "aten::mm", "aten::detach"} & shares.keys()
    assert 0.5 < sum(shares.values()) <= 1
    assert all(share >= 0 for share in shares.values())
    assert [one.share for one in found.uncounted] == sorted(shares.values(), reverse=True)


def test_operators_of_backward_have_their_share() -> None:
    class Slow(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            for _ in range(40):
                grad = torch.erfinv(grad.clamp(-0.5, 0.5))
            return grad

    shares = {one.name: one.share for one in work(Slow.apply, draw(200, 200)).uncounted}
    assert shares["aten::erfinv"] > 5 * shares["aten::mul"] > 0


def test_nothing_to_count() -> None:
    found = work(lambda x: x.argmax(-1), draw(3, 4))
    assert (found.forward_flops, found.backward_flops) == (0, None)
    assert found.intensity == 0
    assert work(lambda x: x.unsqueeze(0) if x.requires_grad else x, draw(3)).least_bytes == 12


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_formula_that_fails_makes_its_operator_uncounted() -> None:
    def jagged(x: Tensor) -> Tensor:
        nested = torch.nested.nested_tensor([x, x[:1]])
        return torch.nested.to_padded_tensor(torch.bmm(nested, nested.transpose(1, 2)), 0.0)

    assert "aten::bmm" in {one.name for one in work(jagged, draw(3, 4)).uncounted}
