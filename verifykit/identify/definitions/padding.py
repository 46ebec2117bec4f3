"""How far a convolution or a pooling pads, told from the sizes of its input and output, and where."""

from collections.abc import Iterator, Sequence

from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Variant


def needed(long: int, short: int, kernel: int, stride: int, dilation: int = 1) -> int:
    """The least padding, on both sides together, with which ``long`` elements give ``short``."""
    return (short - 1) * stride + dilation * (kernel - 1) + 1 - long


def paddings(long: Sequence[int], short: Sequence[int], kernel: int, stride: int, dilation: int) -> Iterator[int]:
    """Yield the paddings of each side with which all of ``long`` elements give ``short``: what torch calls padding."""
    reach = dilation * (kernel - 1) + 1
    for padding in range(dilation * kernel + 1):
        if all((a + 2 * padding - reach) // stride + 1 == b for a, b in zip(long, short, strict=True)):
            yield padding
            return


def padded(x: Tensor, widths: Sequence[int], side: str, mode: str, value: float = 0.0) -> Tensor:
    """``x`` with ``widths`` elements beside its last dimensions, as many as there are: on both sides the odd one comes
    last, as torch has it for padding='same'.
    """
    pads: list[int] = []
    for width in reversed(widths):
        left = {"left": width, "right": 0, "left extra": width - width // 2}.get(side, width // 2)
        pads += [left, width - left]
    if mode == "symmetric":
        return symmetric(x, pads)
    return F.pad(x, pads, mode, value) if mode == "constant" else F.pad(x, pads, mode)


def symmetric(x: Tensor, pads: Sequence[int]) -> Tensor:
    """``x`` mirrored at its borders, which are repeated, so that what stands there is seen twice; numpy.pad's
    "symmetric". ``pads`` are as in torch.nn.functional.pad.
    """
    for place in range(len(pads) // 2):
        dim = x.ndim - 1 - place
        left, right = pads[2 * place], pads[2 * place + 1]
        length = x.shape[dim]
        index = [-i - 1 if i < 0 else 2 * length - 1 - i if i >= length else i for i in range(-left, length + right)]
        x = x.index_select(dim, x.new_tensor(index).long())
    return x


MODES = (
    Variant("reflect", "it is padded by reflection instead of zeros", True),
    Variant("replicate", "it is padded by repetition of the edge instead of zeros", True),
    Variant("circular", "it is padded by wrapping round instead of zeros", True),
    Variant("symmetric", "it is padded by mirroring, the edge repeated, instead of zeros", True),
)
SIDES = (
    Variant("right", "all the padding is at the end, on the right, instead of both sides"),
    Variant("left", "all the padding is at the beginning, on the left, instead of both sides"),
    Variant("left extra", "the odd element of padding is on the left instead of the right"),
)
