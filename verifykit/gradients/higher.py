"""The backward as a function of its own, so that it can be verified like any other: double backward."""

from typing import Any

import torch

from verifykit.gradients.function import Function, Tensors


def backward_of(function: Function, outputs: int) -> Function:
    """Return ``(point, cotangents) -> gradients`` of ``function``, whose outputs number ``outputs``.

    Its leaves are those of ``function``, then one cotangent per output. Gradients that autograd does not know are left
    out.
    """
    leaves_of = len(function.names)

    def call(leaves: Tensors) -> Any:
        twice = any(leaf.requires_grad for leaf in leaves)
        with torch.enable_grad():
            point = [leaf if leaf.requires_grad else leaf.detach().requires_grad_() for leaf in leaves[:leaves_of]]
            pairs = zip(function.outputs(point), leaves[leaves_of:], strict=True)
            used = [(output, cotangent) for output, cotangent in pairs if output.requires_grad]
            if not used:
                return []
            roots, cotangents = zip(*used, strict=True)
            gradients = torch.autograd.grad(roots, point, cotangents, create_graph=twice, allow_unused=True)
        return [gradient for gradient in gradients if gradient is not None]

    names = [*function.names, *(f"cotangent {index}" for index in range(outputs))]
    return Function(call, names, function.seed)
