"""Losses are told what they are made of, and nothing is claimed that is not so."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.composites import Composite, composites, subject_of
from tests.torch_modules import KNOWN, Known
from verifykit.config import TargetConfig
from verifykit.identify.losses import decompose
from verifykit.results.identity import Decomposition
from verifykit.runner import Plan, prepare

PAIR = {"predictions": "float[N, D]", "targets": "float[N, D]"}
COMPOSITES = composites()

# A model of its own, and one whose inputs are drawn where it is flat or of another kind.
OTHERS = {"AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss", "HingeEmbeddingLoss", "NLLLoss2d"}
LOSSES = [known for known in KNOWN if known.name.endswith("Loss") and known.name not in OTHERS]


def made_of(target: object, inputs: dict[str, str] | None = None) -> Decomposition:
    found = decompose(subject_of(target, inputs or PAIR))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CustomLoss", "1·MSELoss(p, t) + 0.1·mean(p²)"),
        ("CombinedLoss", "1·L1Loss(p, t) + 1·mean(1 \N{MINUS SIGN} cosine_similarity(p, t, dim=0))"),
    ],
)
def test_the_reference_losses(name: str, text: str) -> None:
    subject, _ = prepare(f"reference_modules:{name}", Plan([]))
    found = decompose(subject)
    assert found is not None
    assert (found.text, found.unexplained) == (text, 0)
    assert found.worst < 1e-12
    assert found.examples > 10


@pytest.mark.parametrize("known", LOSSES, ids=lambda known: known.name)
@pytest.mark.filterwarnings("ignore")
def test_the_losses_of_torch_are_themselves(known: Known) -> None:
    subject, _ = prepare(known.target, Plan([], given=TargetConfig(init=known.init, inputs=known.inputs)))
    found = decompose(subject)
    assert found is not None
    assert found.unexplained == 0
    assert found.text.startswith(f"1·{known.name}(")
    assert len(found.terms) == 1


@pytest.mark.parametrize("composite", [c for c in COMPOSITES if not c.outside], ids=lambda c: c.name)
def test_sums_of_known_terms_are_taken_apart(composite: Composite) -> None:
    found = decompose(composite.subject)
    assert found is not None
    assert composite.is_whole(found), found.text


@pytest.mark.parametrize("composite", [c for c in COMPOSITES if c.outside], ids=lambda c: c.name)
def test_what_is_not_known_is_admitted(composite: Composite) -> None:
    found = decompose(composite.subject)
    assert found is not None
    assert 0 < found.unexplained <= 1
    assert "something else" in found.text


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda p, t: ((p - t) ** 2).sum(), "1·MSELoss(p, t, reduction='sum')"),
        (lambda p, t: ((p - t) ** 2).sum(1).mean(), "1·MSELoss(p, t, reduction='sum') / N"),
        (lambda p, t: ((p - t) ** 2).mean(1).sum(), "1·MSELoss(p, t, reduction='sum') / D"),
        (lambda p, t: ((p - t) ** 2).mean(), "1·MSELoss(p, t)"),
    ],
)
def test_reductions_are_told_apart(function: object, text: str) -> None:
    function.__name__ = "loss"
    assert made_of(function, {"p": "float[N, D]", "t": "float[N, D]"}).text == text


def test_a_function_of_a_sum() -> None:
    def root_loss(predictions: Tensor, targets: Tensor) -> Tensor:
        return torch.sqrt(0.5 * F.mse_loss(predictions, targets) + 0.25 * predictions.square().mean())

    assert made_of(root_loss).text == "1·sqrt(0.5·MSELoss(p, t) + 0.25·mean(p²))"


def test_a_target_without_gradient_is_said_to_have_none() -> None:
    def teacher_loss(predictions: Tensor, targets: Tensor) -> Tensor:
        return F.mse_loss(predictions, targets.detach())

    found = made_of(teacher_loss)
    assert found.text == "1·MSELoss(p, t)"
    assert "no gradient passes through targets" in found.domain


def test_a_penalty_of_one_input() -> None:
    def penalty(weights: Tensor) -> Tensor:
        return 0.3 * weights.abs().sum() + 0.2 * weights.square().sum()

    assert made_of(penalty, {"weights": "float[K]"}).text == "0.3·sum(|w|) + 0.2·sum(w²)"


def test_a_penalty_of_the_parameters() -> None:
    class WeightedLoss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(4))

        def forward(self, predictions: Tensor, targets: Tensor) -> Tensor:
            return F.l1_loss(predictions, targets) + 0.5 * (self.scale**2).sum()

    found = made_of(WeightedLoss)
    assert found.text == "1·L1Loss(p, t) + 0.5·sum(self.scale²)"


def test_a_coefficient_that_is_learnt_is_no_coefficient() -> None:
    class UncertainLoss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.log_scale = nn.Parameter(torch.zeros(()))

        def forward(self, predictions: Tensor, targets: Tensor) -> Tensor:
            return F.mse_loss(predictions, targets) * torch.exp(-self.log_scale) + self.log_scale

    assert made_of(UncertainLoss).unexplained > 0


@pytest.mark.parametrize(
    "function",
    [
        lambda p, t: -(t * torch.log(p + 1e-7) + (1 - t) * torch.log(1 - p + 1e-7)).mean() * (1 + 1e-9 * p.mean()),
        lambda p, t: ((p - t) ** 2 + 1e-8 * torch.sin(p * t)).mean(),
        lambda p, t: ((p - t) ** 2).mean() * p.abs().mean(),
        lambda p, t: ((p - t) ** 2).mean() + torch.rand(()) * p.mean(),
    ],
    ids=["eps and a drift", "nearly a square", "a product", "random"],
)
def test_what_is_merely_near_is_not_claimed(function: object) -> None:
    function.__name__ = "loss"
    assert made_of(function, {"p": "float[N, D] in (0, 1)", "t": "float[N, D] in (0, 1)"}).unexplained > 0


@pytest.mark.parametrize("name", ["torch.nn:Linear", "torch.nn:ReLU", "reference_modules:CustomModel"])
def test_what_is_no_loss_is_left_alone(name: str) -> None:
    subject, _ = prepare(name, Plan([]))
    assert decompose(subject) is None


def test_a_loss_that_nothing_can_be_learnt_from_is_admitted() -> None:
    def error_rate_loss(logits: Tensor, labels: Tensor) -> Tensor:
        return (logits.argmax(1) != labels).double().mean()

    found = made_of(error_rate_loss, {"logits": "float[N, C]", "labels": "long[N] in below C"})
    assert (found.terms, found.unexplained) == ([], 1.0)
