"""Python loops over the samples of a batch."""

# ruff: noqa: RUF012  # __verifykit__ is written as users write it

import torch
from torch import Tensor, nn


class PerSampleNorm(nn.Module):
    """A list comprehension over the batch."""

    __verifykit__ = {"inputs": {"x": "float[N, 12]"}}

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(12))

    def forward(self, x: Tensor) -> Tensor:
        rows = [(row - row.mean()) / (row.std() + 1e-5) * self.scale for row in x]  # smell: loop over batch
        return torch.stack(rows)


class BilinearScores(nn.Module):
    """Indexes by number and writes each result to its place."""

    __verifykit__ = {"inputs": {"left": "float[B, 6]", "right": "float[B, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, 6))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        scores = torch.empty(left.size(0), dtype=left.dtype, device=left.device)
        for i in range(left.size(0)):  # smell: loop over batch
            projected = self.weight @ right[i]
            scores[i] = left[i] @ projected
        return scores


class SampleWiseMatching(nn.Module):
    """Calls a helper for each sample, in which there is a loop of its own over a few heads."""

    __verifykit__ = {"inputs": {"x": "float[N, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(8, 4) for _ in range(2))

    def one(self, sample: Tensor) -> Tensor:
        parts = []
        for head in self.heads:
            parts.append(torch.tanh(head(sample)))
        return torch.cat(parts)

    def forward(self, x: Tensor) -> Tensor:
        outputs = []
        for sample in x.unbind(0):  # smell: loop over batch
            outputs.append(self.one(sample))
        return torch.stack(outputs, dim=0)


class LoopedContrast(nn.Module):
    """A loss that adds up its terms, sample by sample."""

    __verifykit__ = {"inputs": {"a": "float[N, 5]", "b": "float[N, 5]"}}

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        total = a.new_zeros(())
        index = 0
        while index < len(a):  # smell: loop over batch
            gap = (a[index] - b[index]).pow(2).sum()
            total = total + torch.log1p(gap)
            index += 1
        return total / len(a)


class EdgesOneByOne(nn.Module):
    """A graph layer that visits its edges."""

    __verifykit__ = {"inputs": {"nodes": "float[V, 5]", "source": "long[E] in below V", "goal": "long[E] in below V"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 5)

    def forward(self, nodes: Tensor, source: Tensor, goal: Tensor) -> Tensor:
        messages = torch.relu(self.linear(nodes))
        total = torch.zeros_like(nodes)
        for s, g in zip(source, goal, strict=True):  # smell: loop over batch
            total = total.index_add(0, g[None], messages[s[None]])
        return nodes + total


class InBlocks(nn.Module):
    """Blocks of four samples."""

    __verifykit__ = {"inputs": {"x": "float[N, 8]"}}

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([block.softmax(-1) for block in x.split(4)])  # smell: loop over batch
