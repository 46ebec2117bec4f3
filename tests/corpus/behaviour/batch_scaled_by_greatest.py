"""Images are scaled by the greatest value of the whole batch."""

from torch import Tensor, nn

CAUGHT_BY = "batch-independence"


class Wrong(nn.Module):
    """Scales a batch of images to 1 and embeds them."""

    __verifykit__ = {"inputs": {"images": "float[N, 3, H, W] in (0, 255)"}}

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 5, 3, padding=1)

    def greatest(self, images: Tensor) -> Tensor:
        return images.max()

    def forward(self, images: Tensor) -> Tensor:
        return self.stem(images / self.greatest(images)).relu()


class Right(Wrong):
    def greatest(self, images: Tensor) -> Tensor:
        return images.amax(dim=(1, 2, 3), keepdim=True)
