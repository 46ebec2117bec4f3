"""An encoder takes a padding mask and does not hand it on."""

from torch import Tensor, nn

CAUGHT_BY = "mask"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"width": 8}, "inputs": {"x": "float[N, L, width]"}}

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.norm = nn.LayerNorm(width)

    def attend(self, x: Tensor, padding_mask: Tensor | None) -> Tensor:
        return self.attention(x, x, x, need_weights=False)[0]

    def forward(self, x: Tensor, padding_mask: Tensor | None = None) -> Tensor:
        return self.norm(x + self.attend(x, padding_mask))


class Right(Wrong):
    def attend(self, x: Tensor, padding_mask: Tensor | None) -> Tensor:
        return self.attention(x, x, x, key_padding_mask=padding_mask, need_weights=False)[0]
