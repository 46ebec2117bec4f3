"""A solver layer asks for double precision by changing the default dtype of the process."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "global-state"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"a": "float[N, 4, 4]", "b": "float[N, 4]"}}

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        torch.set_default_dtype(torch.float64)
        ridge = torch.eye(4)
        system = a.double() @ a.double().mT + ridge
        return torch.linalg.solve(system, b.double()).to(b.dtype)


class Right(Wrong):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        ridge = torch.eye(4, dtype=torch.float64)
        system = a.double() @ a.double().mT + ridge
        return torch.linalg.solve(system, b.double()).to(b.dtype)
