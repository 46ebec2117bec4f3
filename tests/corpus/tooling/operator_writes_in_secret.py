"""A custom operator clips its argument in place, while its schema says that it changes nothing."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "opcheck"


@torch.library.custom_op("planted::clip_norm", mutates_args=())
def clip_norm(x: Tensor, limit: float) -> Tensor:
    norms = x.norm(dim=-1, keepdim=True).clamp(min=limit)
    return x.div_(norms).clone()


@clip_norm.register_fake
def _(x: Tensor, limit: float) -> Tensor:
    return torch.empty_like(x)


@torch.library.custom_op("planted::clip_norm_pure", mutates_args=())
def clip_norm_pure(x: Tensor, limit: float) -> Tensor:
    return x / x.norm(dim=-1, keepdim=True).clamp(min=limit)


@clip_norm_pure.register_fake
def _(x: Tensor, limit: float) -> Tensor:
    return torch.empty_like(x)


class Wrong(nn.Module):
    """A frozen feature extractor."""

    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 4)

    def clip(self, x: Tensor) -> Tensor:
        return clip_norm(x, 1.0)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.clip(self.linear(x))


class Right(Wrong):
    def clip(self, x: Tensor) -> Tensor:
        return clip_norm_pure(x, 1.0)
