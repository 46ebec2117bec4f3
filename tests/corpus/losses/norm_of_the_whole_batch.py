"""A perceptual loss takes one norm over the features of all images."""

from torch import Tensor, nn

CAUGHT_BY = "loss-batch-scale"


class Wrong(nn.Module):
    """Perceptual loss on the features of a fixed network."""

    __verifykit__ = {"inputs": {"image": "float[N, 3, 8, 8]", "target": "float[N, 3, 8, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, stride=2))
        self.requires_grad_(False)

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        return (self.features(image) - self.features(target)).norm()


class Right(Wrong):
    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        return (self.features(image) - self.features(target)).flatten(1).norm(dim=1).mean()
