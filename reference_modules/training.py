"""Trains :class:`ExampleModel` on random data: ``python -m reference_modules.training``."""

import torch

from reference_modules.losses import CustomLoss
from reference_modules.models import ExampleModel


def train(
    epochs: int = 50,
    *,
    samples: int = 100,
    learning_rate: float = 0.01,
    seed: int = 0,
) -> list[float]:
    """Train on standard normal inputs of shape ``(samples, 5)`` and targets of shape ``(samples, 1)``.

    Each epoch is one step of Adam over the whole batch, with ``CustomLoss``. The global generator of torch is
    seeded anew.

    Args:
        epochs: number of steps, at least 0.
        samples: size of the batch, at least 1.
        learning_rate: of Adam, at least 0.
        seed: fixes the data and the initial parameters.

    Returns:
        The loss of each epoch, computed before its step.

    Raises:
        ValueError: ``learning_rate`` is below 0.

    Example:
        >>> len(train(epochs=5))
        5
    """
    torch.manual_seed(seed)
    inputs, targets = torch.randn(samples, 5), torch.randn(samples, 1)
    model, loss_function = ExampleModel(), CustomLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses: list[float] = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = loss_function(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main() -> None:
    """Train, and print the loss every ten epochs."""
    for epoch, loss in enumerate(train(), 1):
        if epoch % 10 == 0:
            print(f"epoch {epoch:2d}  loss {loss:.4f}")


if __name__ == "__main__":
    main()
