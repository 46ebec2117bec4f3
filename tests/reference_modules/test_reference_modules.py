"""The six reference modules and the training example, against hand-computed values."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from reference_modules import (
    CombinedLoss,
    CustomLinear,
    CustomLoss,
    CustomModel,
    ExampleModel,
    ThresholdReLU,
)
from reference_modules.training import train

ROOT = Path(__file__).parent.parent.parent
Sizes = tuple[int, int]


def test_custom_linear() -> None:
    torch.manual_seed(0)
    layer = CustomLinear(5, 3)
    x = torch.randn(10, 5)
    assert layer(x).shape == (10, 3)
    assert torch.allclose(layer(x), nn.functional.linear(x, layer.weight, layer.bias))
    assert (layer.weight.shape, layer.bias.shape) == ((3, 5), (3,))


def test_custom_linear_by_hand() -> None:
    layer = CustomLinear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, -3.0]]))
        layer.bias.fill_(0.5)
    assert layer(torch.tensor([[1.0, 2.0], [4.0, 0.0]])).tolist() == [[-3.5], [8.5]]


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_custom_linear_is_drawn_from_a_standard_normal(name: str) -> None:
    torch.manual_seed(0)
    # 30,000 draws each: the mean's standard error is 0.006, that of the standard deviation 0.004.
    drawn = getattr(CustomLinear(300, 100) if name == "weight" else CustomLinear(1, 30_000), name)
    assert abs(drawn.mean()) < 0.03
    assert abs(drawn.std() - 1) < 0.02
    assert abs((drawn.abs() < 1).double().mean() - 0.6827) < 0.015


@pytest.mark.parametrize("sizes", [(0, 3), (5, 0), (-1, 3)])
def test_custom_linear_refuses_sizes_below_one(sizes: Sizes) -> None:
    with pytest.raises(ValueError, match=r"^input_dim and output_dim must be at least 1, not .*$"):
        CustomLinear(*sizes)


def test_threshold_relu() -> None:
    x = torch.tensor([[-1.0, 0.3], [0.6, 1.2]])
    assert torch.equal(ThresholdReLU(0.5)(x), torch.tensor([[0.0, 0.0], [0.6, 1.2]]))
    assert torch.equal(ThresholdReLU(0.5)(torch.tensor(0.5)), torch.tensor(0.0))
    assert torch.equal(ThresholdReLU()(x), x.clamp(min=0))
    assert ThresholdReLU()(torch.tensor(float("nan"))) == 0


def test_the_gradient_of_threshold_relu_is_zero_up_to_the_threshold() -> None:
    x = torch.tensor([-1.0, 0.5, 0.6, 1.2], requires_grad=True)
    ThresholdReLU(0.5)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        (CustomModel(), [(nn.Linear, (10, 5)), (CustomLinear, (3, 10)), (nn.Linear, (1, 3))]),
        (ExampleModel(), [(CustomLinear, (3, 5)), (nn.Linear, (1, 3))]),
    ],
    ids=["CustomModel", "ExampleModel"],
)
def test_models_are_made_of_what_they_say(model: nn.Module, layers: list[tuple[type, Sizes]]) -> None:
    assert [(type(layer), tuple(layer.weight.shape)) for layer in model.children()] == layers
    assert model(torch.zeros(2, 5)).shape == (2, 1)


def test_custom_model_is_its_layers_in_order_with_one_relu() -> None:
    torch.manual_seed(0)
    model = CustomModel()
    x = torch.randn(7, 5)
    hidden = model.hidden(x).clamp(min=0)
    assert torch.equal(model(x), model.output(model.custom(hidden)))


def test_example_model_is_its_layers_in_order_with_one_relu() -> None:
    torch.manual_seed(0)
    model = ExampleModel()
    x = torch.randn(7, 5)
    assert torch.equal(model(x), model.output(model.custom(x).clamp(min=0)))


def test_losses_by_hand() -> None:
    predictions, targets = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [2.0]])
    assert CustomLoss()(predictions, targets).item() == pytest.approx(2.0 + 0.1 * 2.5)
    cosine = (3 + 4) / (5**0.5 * 13**0.5)
    assert CombinedLoss()(predictions, targets).item() == pytest.approx(1.0 + 1 - cosine)


def test_the_cosine_of_combined_loss_is_taken_over_the_samples() -> None:
    predictions = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    targets = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    # The columns' cosines are 1 and 0; the rows' would be 1 / sqrt(2) and, for the row of zeros, 0.
    absolute_error = 0.5
    assert CombinedLoss()(predictions, targets).item() == pytest.approx(absolute_error + 1 - 0.5)


@pytest.mark.parametrize("loss", [CustomLoss(), CombinedLoss()], ids=["CustomLoss", "CombinedLoss"])
def test_losses_broadcast_silently_as_their_docstrings_say(loss: nn.Module) -> None:
    torch.manual_seed(0)
    predictions, targets = torch.randn(4, 1), torch.randn(4)
    assert "Known defect" in (type(loss).__doc__ or "")
    paired: Tensor = loss(predictions, targets[:, None])
    crossed: Tensor = loss(predictions, targets)
    assert not torch.isclose(crossed, paired)
    assert torch.isclose(crossed, loss(predictions.expand(4, 4), targets.expand(4, 4)))


def test_training_reduces_the_loss() -> None:
    losses = train()
    assert len(losses) == 50
    assert losses[-1] < losses[0] / 2


def test_training_is_fixed_by_its_seed() -> None:
    assert train(epochs=3) == train(epochs=3)
    assert train(epochs=3) != train(epochs=3, seed=1)


def test_the_training_example_prints_every_ten_epochs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reference_modules.training"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    losses = train()
    expected = [f"epoch {epoch}  loss {losses[epoch - 1]:.4f}" for epoch in (10, 20, 30, 40, 50)]
    assert done.stdout.splitlines() == expected
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["activation", "linear", "losses", "models", "training"])
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    module = __import__(f"reference_modules.{name}", fromlist=[name])
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0
