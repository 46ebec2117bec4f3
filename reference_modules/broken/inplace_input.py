"""An operation in place on something that belongs to the caller."""

from typing import Any, ClassVar

from torch import Tensor, nn


class InplaceInput(nn.Module):
    """Clamps its input in place: `purity` must fail; `gradient` fails too, as autograd refuses it on a leaf.

    Shapes: ``x`` is ``(N, features)``, the output the same.
    """

    __verifykit__: ClassVar[dict[str, Any]] = {"init": {"features": 5}, "inputs": {"x": "float[N, features]"}}

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, features)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.linear(x.clamp_(min=-1.0, max=1.0))
        return output
