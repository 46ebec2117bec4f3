"""Parallel branches in a plain list never hear of eval mode, and normalise by the batch for ever."""

from torch import Tensor, nn

CAUGHT_BY = "train-eval"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.branches = self.held([nn.Sequential(nn.Conv1d(4, 3, k, padding=k // 2), nn.Dropout(0.0)) for k in (1, 3)])

    def held(self, branches: list[nn.Sequential]) -> list[nn.Sequential] | nn.ModuleList:
        return branches

    def forward(self, x: Tensor) -> Tensor:
        return sum((branch(x.to(branch[0].weight.dtype)) for branch in self.branches), x.new_zeros(()))


class Right(Wrong):
    def held(self, branches: list[nn.Sequential]) -> list[nn.Sequential] | nn.ModuleList:
        return nn.ModuleList(branches)
