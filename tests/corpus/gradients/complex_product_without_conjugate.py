"""The backward of a spectral filter multiplies by the filter where it must multiply by its conjugate."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class SpectralProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, spectrum: Tensor, response: Tensor) -> Tensor:
        ctx.save_for_backward(spectrum, response)
        return spectrum * response

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        spectrum, response = ctx.saved_tensors
        return grad_output * response, (grad_output * spectrum).sum((0, 1))


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.response = nn.Parameter(torch.randn(5, dtype=torch.complex64))

    def product(self, spectrum: Tensor) -> Tensor:
        return SpectralProduct.apply(spectrum, self.response)

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.irfft(self.product(torch.fft.rfft(x)), n=8)


class Right(Wrong):
    def product(self, spectrum: Tensor) -> Tensor:
        return spectrum * self.response
