"""A probe for activations is put on the layer in every call, and never taken off."""

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

CAUGHT_BY = "hooks"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(6, 8), nn.Linear(8, 2)
        self.seen: list[float] = []

    def forward(self, x: Tensor) -> Tensor:
        handle = self.hidden.register_forward_hook(self.note)
        y = self.out(torch.relu(self.hidden(x)))
        self.done(handle)
        return y

    def note(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self.seen.append(float(output.detach().abs().mean()))

    def done(self, handle: RemovableHandle) -> None:
        pass


class Right(Wrong):
    def done(self, handle: RemovableHandle) -> None:
        handle.remove()
