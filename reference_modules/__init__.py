"""Worked examples: layers, losses and models that verifykit is shown on. Wrong twins are in ``broken``."""

from reference_modules.activation import ThresholdReLU
from reference_modules.linear import CustomLinear
from reference_modules.losses import CombinedLoss, CustomLoss
from reference_modules.models import CustomModel, ExampleModel

__all__ = ["CombinedLoss", "CustomLinear", "CustomLoss", "CustomModel", "ExampleModel", "ThresholdReLU"]
