"""Height and width change places where tokens are put back into an image."""

from torch import Tensor, nn

CAUGHT_BY = "non-square"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, H, W]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.smooth = nn.Conv2d(4, 4, 3, padding=1, groups=4)

    def image(self, tokens: Tensor, h: int, w: int) -> Tensor:
        return tokens.mT.reshape(len(tokens), 4, w, h)

    def forward(self, x: Tensor) -> Tensor:
        _, _, h, w = x.shape
        tokens = self.norm(x.flatten(2).mT)
        out: Tensor = self.smooth(self.image(tokens, h, w))
        return out.reshape(x.shape)


class Right(Wrong):
    def image(self, tokens: Tensor, h: int, w: int) -> Tensor:
        return tokens.mT.reshape(len(tokens), 4, h, w)
