import torch
from torch import Tensor

from verifykit.tracing import custom_functions, trace, where_gradient_stops


class Passes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> Tensor:  # type: ignore[override]
        return grad


def test_steps_in_order_with_copies_of_their_outputs() -> None:
    x = torch.ones(3)

    def call() -> Tensor:
        y = torch.exp(x)
        y.mul_(2)
        return torch.relu(y)

    steps = trace(call, keep_values=True)
    assert [step.name.rpartition(".")[2] for step in steps] == ["exp", "mul_", "relu"]
    assert torch.equal(steps[0].values[0], torch.exp(x))  # not as the next step left it
    assert all(step.location is not None and step.location.file.endswith("test_tracing.py") for step in steps)


def test_an_exception_ends_the_trace_and_is_not_passed_on() -> None:
    steps = trace(lambda: torch.ones(2).matmul(torch.exp(torch.ones(3))))
    assert [step.name.rpartition(".")[2] for step in steps][-1] == "exp"


def test_where_the_gradient_stops() -> None:
    weight = torch.ones(3, requires_grad=True)
    x = torch.ones(3)
    ways = [
        lambda: x * (weight * 2).detach(),
        lambda: x * (weight * 2).data,
        lambda: x * (weight.sum() * 2).item(),
        lambda: x * torch.tensor((weight * 2).tolist()),
        lambda: torch.zeros_like(weight) + (x * weight).detach(),
    ]
    for way in ways:
        step = where_gradient_stops(way, weight)
        location = step and step.location
        assert location is not None
        assert location.line == way.__code__.co_firstlineno
    assert where_gradient_stops(lambda: x * weight, weight) is None
    detached = where_gradient_stops(lambda: torch.zeros_like(weight) + weight.new_ones(3) + weight.detach(), weight)
    assert detached is not None
    assert detached.name.endswith("detach")


def test_custom_functions_on_the_path_to_a_leaf() -> None:
    x, weight = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    output = Passes.apply(x) * weight
    assert list(custom_functions([output], x)) == [Passes]
    assert list(custom_functions([output], weight)) == []
