"""Trains :class:`ExampleModel` on random data: ``python -m reference_modules.training``."""

from collections.abc import Iterator

import torch

from reference_modules.losses import CustomLoss
from reference_modules.models import ExampleModel


def train(epochs: int = 50, *, samples: int = 100, learning_rate: float = 0.01, seed: int = 0) -> Iterator[float]:
    """Train on ``samples`` standard normal inputs of 5 features with as many standard normal targets, by Adam over the
    whole batch; yield the loss of each epoch before its step.

    Args:
        epochs: number of steps, at least 0.
        samples: size of the batch, at least 1.
        learning_rate: of Adam, above 0.
        seed: fixes the data and the initial parameters.
    """
    torch.manual_seed(seed)
    inputs, targets = torch.randn(samples, 5), torch.randn(samples, 1)
    model, loss_function = ExampleModel(), CustomLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = loss_function(model(inputs), targets)
        loss.backward()
        optimizer.step()
        yield loss.item()


def main() -> None:
    """Train, and print the loss every ten epochs."""
    for epoch, loss in enumerate(train(), 1):
        if epoch % 10 == 0:
            print(f"epoch {epoch:2d}  loss {loss:.4f}")


if __name__ == "__main__":
    main()
