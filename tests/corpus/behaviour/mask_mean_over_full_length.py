"""A masked mean divides by the padded length."""

from torch import Tensor, nn

CAUGHT_BY = "mask"


class Wrong(nn.Module):
    """Sentence embeddings: the mean of the token embeddings; the mask is optional, 1 for tokens and 0 for padding."""

    __verifykit__ = {"init": {"vocabulary": 11, "width": 5}, "inputs": {"tokens": "long[N, L] in below vocabulary"}}

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.project = nn.Linear(width, width)

    def count(self, attention_mask: Tensor) -> Tensor | int:
        return attention_mask.shape[1]

    def forward(self, tokens: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        x = self.project(self.embed(tokens))
        if attention_mask is None:
            return x.mean(dim=1)
        return (x * attention_mask[..., None]).sum(dim=1) / self.count(attention_mask)


class Right(Wrong):
    def count(self, attention_mask: Tensor) -> Tensor | int:
        return attention_mask.sum(dim=1, keepdim=True).clamp_min(1)
