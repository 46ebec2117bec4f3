"""Two small regression models built on :class:`~reference_modules.linear.CustomLinear`."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from reference_modules.linear import CustomLinear


class CustomModel(nn.Module):
    """``Linear(5, 10)``, ReLU, ``CustomLinear(10, 3)``, ``Linear(3, 1)``.

    The layers are the submodules ``hidden``, ``custom`` and ``output``.

    Example:
        >>> CustomModel()(torch.randn(8, 5)).shape
        torch.Size([8, 1])
    """

    __verifykit__: ClassVar[dict[str, Any]] = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(5, 10)
        self.custom = CustomLinear(10, 3)
        self.output = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Predict one number per sample.

        Args:
            x: of shape ``(..., 5)``, any real numbers, in the dtype of the parameters.

        Returns:
            A tensor of shape ``(..., 1)``.

        Raises:
            RuntimeError: the last dimension of ``x`` is not 5, or its dtype is another.
        """
        prediction: Tensor = self.output(self.custom(torch.relu(self.hidden(x))))
        return prediction


class ExampleModel(nn.Module):
    """``CustomLinear(5, 3)``, ReLU, ``Linear(3, 1)``.

    The layers are the submodules ``custom`` and ``output``. :mod:`reference_modules.training` trains it.

    Example:
        >>> ExampleModel()(torch.randn(8, 5)).shape
        torch.Size([8, 1])
    """

    __verifykit__: ClassVar[dict[str, Any]] = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.custom = CustomLinear(5, 3)
        self.output = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Predict one number per sample.

        Args:
            x: of shape ``(..., 5)``, any real numbers, in the dtype of the parameters.

        Returns:
            A tensor of shape ``(..., 1)``.

        Raises:
            RuntimeError: the last dimension of ``x`` is not 5, or its dtype is another.
        """
        prediction: Tensor = self.output(torch.relu(self.custom(x)))
        return prediction
