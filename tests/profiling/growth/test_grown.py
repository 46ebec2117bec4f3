import time
from pathlib import Path
from typing import Any

import pytest
import torch

from verifykit.profiling.growth import grown
from verifykit.results.growth import Growth
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.randomness import seeded
from verifykit.spec.reference import resolve_reference
from verifykit.spec.subject import Subject
from verifykit.targets import resolve

PLANTED = Path(__file__).parent / "planted.py"


def growth_of(
    target: str,
    init: dict[str, Any] | None = None,
    reference: str | None = None,
    sizes: dict[str, int] | None = None,
    seconds: float = 1.0,
    **inputs: str,
) -> list[Growth]:
    spec = Spec(init or {}, tuple(parse_input(name, text) for name, text in inputs.items()))
    other = resolve_reference(reference, spec.init) if reference else None
    name = target if ":" in target else f"{PLANTED}:{target}"
    with seeded(0):
        return grown(
            Subject(resolve(name), spec), other, {**dict.fromkeys(spec.free, 32), **(sizes or {})}, seconds=seconds
        )


def exponent(growth: Growth, quantity: Any) -> float:
    law = growth.law(quantity)
    assert law is not None, quantity
    return law.exponent


@pytest.mark.parametrize(
    ("target", "shape", "peak", "saved"),
    [
        ("Linear", "float[N]", 1, 1),
        ("Sorted", "float[N]", 1, 1),
        ("Pairs", "float[N]", 2, 2),
        ("Product", "float[N, N]", 2, 0),
        ("Cubes", "float[N]", 3, 2),
    ],
)
def test_the_memory_of_planted_modules_is_exact(target: str, shape: str, peak: int, saved: int) -> None:
    (growth,) = growth_of(target, x=shape)
    for quantity, expected in (("peak memory", peak), ("saved bytes", saved), ("operators", 0)):
        law = growth.law(quantity)  # type: ignore[arg-type]
        assert law is not None
        assert law.exponent == pytest.approx(expected, abs=0.02)
        assert law.error < 0.02
    assert growth.lines == []


def test_the_coefficients_of_memory_are_bytes_per_unit() -> None:
    (growth,) = growth_of("Linear", x="float[N]")
    law = growth.law("peak memory")
    assert law is not None
    # The output, which tanh saves for its backward, and the gradient of the input: four bytes each.
    assert (law.coefficient, law.constant) == pytest.approx((8, 0), abs=1e-6)
    assert [point.saved for point in growth.points] == [4 * point.size for point in growth.points]


def test_a_loop_is_a_slope_at_its_line() -> None:
    growth, _ = growth_of("Loop", x="float[N, L, 3]", seconds=2)
    assert exponent(growth, "operators") == 1
    (line,) = growth.lines
    assert line.location is not None
    text = PLANTED.read_text().splitlines()[line.location.line - 1]
    assert "the loop's own line" in text
    assert line.per_unit == 2


def test_a_layer_that_loops_inside_torch_is_no_line_of_the_user() -> None:
    for growth in growth_of("Wrapped", x="float[L, N, 4]"):
        assert growth.lines == []


def test_the_reference_is_measured_at_the_same_sizes() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (growth,) = growth_of(
            "reference_modules:CustomLinear", {"input_dim": 8, "output_dim": 4}, "torch.nn:Linear", x="float[N, 8]"
        )
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert growth.reference is not None
    assert [point.size for point in growth.points] == [point.size for point in growth.reference_points]
    assert growth.law("peak memory", reference=True) is not None
    assert growth.points == sorted(growth.points, key=lambda point: point.size)


def test_sizes_that_the_module_refuses_are_walked_over_and_end_the_series() -> None:
    (growth,) = growth_of("Limited", x="float[N]")
    sizes = [point.size for point in growth.points]
    assert min(sizes) >= 9
    assert max(sizes) <= 100
    assert growth.stopped.startswith("the module refuses N = 128: ")
    (growth,) = growth_of("Sevens", sizes={"N": 14}, x="float[N]")
    assert all(point.size % 7 == 0 for point in growth.points)
    assert len(growth.points) > 6
    assert growth_of("Never", x="float[N]") == []


def test_what_has_no_free_symbol_or_no_gradient() -> None:
    assert growth_of("Linear", x="float[3]") == []
    (growth,) = growth_of("torch:bincount", input="long[N] in below 5")
    assert {point.saved for point in growth.points} == {0}


def test_little_time_is_kept_to() -> None:
    started = time.process_time()
    growth_of("Product", x="float[N, N]", seconds=0.5)
    assert time.process_time() - started < 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "shape", "expected", "more"),
    [
        ("Linear", "float[N]", 1, 0.0),
        ("Sorted", "float[N]", 1, 0.15),  # 1 + 1 / ln n
        ("Pairs", "float[N]", 2, 0.0),
        ("Product", "float[N, N]", 3, 0.0),
    ],
)
def test_the_time_of_planted_modules(target: str, shape: str, expected: float, more: float) -> None:
    (growth,) = growth_of(target, seconds=4, x=shape)
    law = growth.law("time")
    assert law is not None
    assert expected - 0.1 <= law.exponent <= expected + more + 0.1
