import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace

from tests.torch_modules import KNOWN, Known
from verifykit.config import TargetConfig
from verifykit.profiling.advice import advise
from verifykit.profiling.advice.builtin import faster_reference
from verifykit.profiling.advice.compiled import faster_compiled
from verifykit.profiling.advice.words import figure, size
from verifykit.profiling.memory import measure_memory
from verifykit.profiling.sizes import profiling_sizes
from verifykit.profiling.where import where_of
from verifykit.profiling.workload import workload
from verifykit.results.cost import Profile, Ratio, Timing, Work
from verifykit.results.performance import Advice, Compiled, Measurements
from verifykit.spec.declared import declared_spec
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject
from verifykit.targets import resolve

SMELLS = Path(__file__).parent / "smells"
KINDS = [path.stem for path in sorted(SMELLS.glob("*.py")) if path.stem not in ("__init__", "clean")]
NAMES = {kind.replace("_", " ") for kind in KINDS}
MEMORY = ("saved for backward", "quadratic memory", "quadratic attention memory")
TRIED = """
ReLU GELU SiLU Softmax LogSoftmax Softplus GLU Threshold Dropout Linear Bilinear Embedding EmbeddingBag Conv1d Conv2d
ConvTranspose2d MaxPool2d AvgPool1d BatchNorm1d LayerNorm GroupNorm RNN LSTM GRU MultiheadAttention
TransformerEncoderLayer MSELoss CrossEntropyLoss KLDivLoss CosineSimilarity PixelShuffle Upsample
"""
BUILT_INS = [known for known in KNOWN if known.name in TRIED.split()]


@dataclass(frozen=True)
class Planted:
    """A class of the corpus, and the lines that are marked."""

    kind: str
    file: Path
    name: str
    lines: frozenset[int]


def planted(stem: str) -> Iterator[Planted]:
    path = SMELLS / f"{stem}.py"
    source = path.read_text().splitlines()
    kind = stem.replace("_", " ")
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and "__verifykit__" in ast.unparse(node):
            own = range(node.lineno, (node.end_lineno or 0) + 1)
            marked = frozenset(line for line in own if f"# smell: {kind}" in source[line - 1])
            yield Planted(kind, path, node.name, marked)


def subject_of(name: str) -> Subject:
    target = resolve(name)
    return Subject(target, declared_spec(target, TargetConfig(), TargetConfig()))


def advice_on(subject: Subject) -> list[Advice]:
    """Advice with all of the evidence that it can have."""
    sizes = {name: 32 if place else 16 for place, name in enumerate(subject.spec.free)}
    with seeded(0):
        load = workload(subject, profiling_sizes(subject, sizes))
        once = Timing(1e-3, 0.0, 1)
        profile = Profile(load.name, load.sizes, "float32", 1, 0, 0, once, once, once, Work(0, 0, 0), [], [])
        profile = replace(profile, memory=measure_memory(load), where=where_of(load))
        return advise(subject, [load], Measurements(profile))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("one", [p for kind in KINDS for p in planted(kind)], ids=lambda p: f"{p.kind}-{p.name}")
def test_each_planted_smell_is_named_with_its_line(one: Planted) -> None:
    found = advice_on(subject_of(f"{one.file}:{one.name}"))
    of_this_kind = [advice for advice in found if advice.kind == one.kind]
    assert of_this_kind, [advice.message for advice in found]
    for advice in of_this_kind:
        assert advice.location is not None
        assert advice.location.line in one.lines, advice.message
        assert 0 <= advice.gain <= 1
    timed = [advice.gain for advice in found if advice.kind not in MEMORY]
    assert timed == sorted(timed, reverse=True)


@pytest.mark.parametrize("one", list(planted("clean")), ids=lambda p: p.name)
def test_clean_modules_get_no_such_advice(one: Planted) -> None:
    found = advice_on(subject_of(f"{one.file}:{one.name}"))
    assert [advice.message for advice in found if advice.kind in NAMES] == []


@pytest.mark.parametrize("known", BUILT_INS, ids=lambda known: known.name)
def test_built_ins_get_no_such_advice(known: Known) -> None:
    spec = Spec(known.init, tuple(parse_input(name, text) for name, text in known.inputs.items()))
    found = advice_on(Subject(resolve(known.target), spec))
    assert [advice.message for advice in found if advice.kind in NAMES] == []


def test_there_are_twenty_built_ins_and_ten_clean_modules() -> None:
    assert len(BUILT_INS) >= 20
    assert len(list(planted("clean"))) >= 10
    assert all(len(list(planted(kind))) >= 4 for kind in KINDS)


def kinds_of(module_file: Callable[[str], str], body: str, text: str = "float[N, 6]", before: str = "") -> list[str]:
    """Kinds of advice on a module whose forward has ``body``, and whose constructor has ``before``."""
    source = f"""
class Layer(nn.Module):
    __verifykit__ = {{"inputs": {{"x": "{text}"}}}}
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6)
        {before}
    def forward(self, x):
        {body}
"""
    return [advice.kind for advice in advice_on(subject_of(f"{module_file(source)}:Layer"))]


@pytest.mark.parametrize(
    "body",
    [
        "return x.clone()",  # else it would be the caller's own
        "y = self.linear(x); return y, y.clone()",  # else one would be the other
        "y = self.linear(x); z = y.clone(); z.mul_(2); return y * z",
        "return self.linear(x).t().contiguous()",  # the layout of a result is part of it
        "return x * 2, self.linear.weight.clone()",
        "return self.linear(x.t().contiguous().view(-1, 6))",
        "self.kept = x.detach().clone(); return x * 2",
        "y = x.clone(); y[0] = 1; return y * 2",
    ],
)
def test_a_copy_that_makes_any_difference_is_needed(module_file: Callable[[str], str], body: str) -> None:
    assert "needless copy" not in kinds_of(module_file, body)


@pytest.mark.parametrize(
    ("body", "before"),
    [
        ("a = self.linear(x); x = x + 1; return a * self.linear(x)", ""),
        ("y = x * 1; a = y.exp(); y.add_(1); return a * y.exp()", ""),  # changed in place in between
        ("return torch.rand_like(x) * torch.rand_like(x) * x", ""),
        ("return self.norm(self.linear(x)) * self.norm(x)", "self.norm = nn.LayerNorm(6)"),
        ("return self.drop(x).exp().sin() * self.drop(x).exp().sin()", "self.drop = nn.Dropout(0.5)"),
        ("return self.norm(x) * self.norm(x)", "self.norm = nn.BatchNorm1d(6)"),  # it counts its calls
        ("t = torch.full((6,), float(x.detach().sum())).exp().sin().cos(); return x * t", ""),  # of the values
    ],
)
def test_what_only_looks_like_work_done_twice(module_file: Callable[[str], str], body: str, before: str) -> None:
    assert "recomputation" not in kinds_of(module_file, body, before=before)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("x.add_(1); return x * 2", "float[N, 6]"),
        ("return x.argmax(-1)", "float[N, 6]"),
        ("return {'a': (x.abs(), x.clone() * 2)}", "complex[N, 6]"),
        ("return F.dropout(x, 0.5)", "float[4, 6]"),
        ("return x.to_sparse().to_dense() * 2", "float[N, 6]"),
        ("assert x.shape[0] < 40; return self.linear(x)", "float[N, 6]"),
        ("return torch.stack([row.sum() for row in x]) if len(x) > 3 else x[:, 0]", "long[N, 6] in below 5"),
    ],
)
def test_odd_modules_are_looked_at_all_the_same(module_file: Callable[[str], str], body: str, text: str) -> None:
    kinds = kinds_of(module_file, body, text)
    assert ("loop over batch" in kinds) == ("row" in body)


def test_a_recurrence_is_told_from_steps_that_need_not_wait() -> None:
    words = {}
    for name in ("Smoothing", "PositionWise"):
        found = advice_on(subject_of(f"{SMELLS / 'loop_over_length.py'}:{name}"))
        words[name] = next(a.evidence["recurrence"] for a in found if a.kind == "loop over length")
    assert words == {"Smoothing": True, "PositionWise": False}


def test_a_reference_is_called_faster_beyond_doubt_only() -> None:
    once = Timing(1e-3, 0.0, 1)
    other = Profile("torch.nn.Linear", {}, "float32", 1, 0, 0, once, once, once, Work(0, 0, 0), [], [])

    def told(low: float, high: float) -> list[Any]:
        ratio = Ratio((low + high) / 2, low, high)
        return list(faster_reference(Measurements(reference=other, forward_ratio=ratio), None))

    assert told(1.15, 1.5) == []
    (advice,) = told(3.0, 3.2)
    assert advice.message == "torch.nn.Linear is 3.1 times faster (3.0 to 3.2) in forward"


def test_the_compiler_is_advised_where_it_gains_beyond_doubt_only() -> None:
    def told(low: float, high: float) -> list[Any]:
        return list(faster_compiled(Compiled(12.0, None, Ratio(0.5, low, high)), None))

    assert told(0.4, 0.85) == []
    (advice,) = told(0.4, 0.6)
    assert advice.message == "torch.compile gives 2.0x (1.7 to 2.5) in a step, for 12 s of compiling"


@pytest.mark.parametrize(
    ("value", "words"), [(0.12345, "0.123"), (250.0, "250"), (7781.9, "7,780"), (0.0, "0"), (99.96, "100")]
)
def test_figures_have_three_digits_and_no_exponent(value: float, words: str) -> None:
    assert figure(value) == words
    assert (size(1536), size(4 * 2**20)) == ("1.5 KiB", "4 MiB")


ADDITIVE = """
class Layer(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}
    def __init__(self):
        super().__init__()
        self.query, self.key, self.score = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 1)
    def forward(self, x):
        pairs = torch.tanh(self.query(x).unsqueeze(1) + self.key(x).unsqueeze(2))
        return self.score(pairs).squeeze(-1).softmax(-1) @ x
"""


def test_only_products_of_queries_and_keys_are_attention_weights(module_file: Callable[[str], str]) -> None:
    found = advice_on(subject_of(f"{module_file(ADDITIVE)}:Layer"))
    advice = next(advice for advice in found if advice.kind.startswith("quadratic"))
    assert advice.kind == "quadratic memory"
    assert "scaled_dot_product_attention" not in advice.message
    assert "tanh" in advice.message


def test_a_table_of_buffers_is_computed_once_unless_forward_changes_them(module_file: Callable[[str], str]) -> None:
    before = 'self.register_buffer("a", torch.eye(6) * 2 + 0.1)'
    body = "return x @ torch.linalg.inv(self.a)"
    assert "recomputation" in kinds_of(module_file, body, before=before)
    assert "recomputation" not in kinds_of(module_file, f"self.a.mul_(1.01); {body}", before=before)
    assert "recomputation" not in kinds_of(module_file, f"self.a = self.a * 1.01; {body}", before=before)


def test_two_copies_on_a_line_are_told_once(module_file: Callable[[str], str]) -> None:
    body = "return x.clone().sin() * x.clone().cos()"
    assert kinds_of(module_file, body, "float[N, 512]").count("needless copy") == 1


def test_a_kept_loss_is_said_to_keep_its_graph() -> None:
    found = advice_on(subject_of(f"{SMELLS / 'growing_state.py'}:LossCurve"))
    assert ["grad_fn" in advice.message for advice in found if advice.kind == "growing state"] == [True]
    found = advice_on(subject_of(f"{SMELLS / 'growing_state.py'}:SeenIds"))
    assert ["grad_fn" in advice.message for advice in found if advice.kind == "growing state"] == [False]


def test_nothing_measured_leaves_what_experiments_tell() -> None:
    subject = subject_of(f"{SMELLS / 'needless_copy.py'}:RepeatedScale")
    with seeded(0):
        found = advise(subject, [workload(subject, {"N": 32, "L": 64})], Measurements())
    assert [advice.kind for advice in found] == ["needless copy"]
