"""Contrastive losses over a batch, and encodings of positions."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Definition, Number, Variant
from verifykit.identify.definitions.reducing import reduced


def info_nce(
    query: Tensor, key: Tensor, *, temperature: float = 0.1, normalised: bool = True, both: bool = False,
    reduction: str = "mean", form: str = "entropy",
) -> Tensor:  # fmt: skip
    """-log(exp(q_i k_i / t) / sum_j exp(q_i k_j / t)); van den Oord, Li and Vinyals 2018, eq. 4."""
    q, k = (F.normalize(query, dim=-1), F.normalize(key, dim=-1)) if normalised else (query, key)
    scores = q @ k.mT * temperature if form == "multiplied" else q @ k.mT / temperature
    own = torch.arange(len(scores), device=scores.device)
    if form == "other axis":
        scores = scores.mT
    if form == "distance":
        scores = -torch.cdist(q, k) / temperature
    diagonal = torch.eye(len(scores), dtype=torch.bool, device=scores.device)

    def one(s: Tensor) -> Tensor:
        if form == "no positive":
            return reduced(s.masked_fill(diagonal, -math.inf).logsumexp(-1) - s.diagonal(), reduction)
        if form == "mean":
            return reduced(s.logsumexp(-1) - math.log(len(s)) - s.diagonal(), reduction)
        found = F.cross_entropy(s, own, reduction=reduction)
        return found / math.log(2) if form == "base 2" else found

    found = (one(scores) + one(scores.mT)) / 2 if both or form == "summed" else one(scores)
    return 2 * found if form == "summed" else found


def nt_xent(
    z_i: Tensor,
    z_j: Tensor,
    *,
    temperature: float = 0.5,
    normalised: bool = True,
    reduction: str = "mean",
    form: str = "entropy",
) -> Tensor:
    """The loss of SimCLR over both views of a batch; Chen et al. 2020, eq. 1."""
    z = torch.cat([z_i, z_j])
    z = F.normalize(z, dim=-1) if normalised else z
    scores = z @ z.mT * temperature if form == "multiplied" else z @ z.mT / temperature
    n = len(z_i)
    partner = torch.arange(2 * n, device=z.device).roll(n)
    itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
    positive = scores.gather(1, partner[:, None])[:, 0]
    if form == "self":
        below = scores
    elif form == "no positive":
        below = scores.masked_fill(itself | itself[partner], -math.inf)
    elif form == "zero":
        below = scores.masked_fill(itself, 0.0)
    else:
        below = scores.masked_fill(itself, -math.inf)
    loss = below.logsumexp(1) - positive
    if form == "half":
        loss = loss[:n]
    return reduced(loss / math.log(2) if form == "base 2" else loss, reduction)


def positional_encoding(
    x: Tensor, *, base: float = 10000.0, batch_first: bool = True, layout: str = "interleaved", form: str = "added",
    exponent: str = "2i/d", scaled: bool = False, start: int = 0, order: str = "sine first",
) -> Tensor:  # fmt: skip
    """x + PE, PE(pos, 2i) = sin(pos / base^(2i/d)), PE(pos, 2i + 1) = cos of it; Vaswani et al. 2017, section 3.5."""
    length, width = x.shape[1 if batch_first else 0], x.shape[-1]
    i = torch.arange((width + 1) // 2, dtype=x.dtype, device=x.device)
    power = {"2i/d": 2 * i / width, "i/d": i / width, "4i/d": 4 * i / width, "i/(d/2 - 1)": i / max(width // 2 - 1, 1),
             "2i/(d - 2)": 2 * i / max(width - 2, 1)}[exponent]  # fmt: skip
    position = torch.arange(start, length + start, dtype=x.dtype, device=x.device)
    angle = position[:, None] * base**-power
    pair = (angle.sin(), angle.cos()) if order == "sine first" else (angle.cos(), angle.sin())
    if order == "sines":
        pair = (angle.sin(), angle.sin())
    table = torch.stack(pair, -1).flatten(1) if layout == "interleaved" else torch.cat(pair, -1)
    table = table[:, :width] if batch_first else table[:, None, :width]
    if form == "alone":
        return table.expand_as(x)
    return (x * math.sqrt(width) if scaled else x) + table


_T = ("tau", "temp", "t")
_BASE2 = Variant("base 2", "the logarithm is to base 2")
_MULTIPLIED = Variant("multiplied", "similarities are multiplied by the temperature instead of divided")
_NO_POSITIVE = Variant("no positive", "the positive pair is left out of the denominator", True)
DEFINITIONS = (
    Definition(
        "InfoNCE", info_nce, "van den Oord, Li and Vinyals 2018, Contrastive Predictive Coding, eq. 4",
        ("infonce", "clip", "contrastive"), "", (2,), numbers={"temperature": Number((0.1, 0.07, 0.5, 1.0), 0.0, 100.0,
            _T)},
        conventions={"normalised": (True, False), "both": (False, True), "reduction": ("mean", "sum", "none")},
        deviations={"form": (
            _MULTIPLIED, _NO_POSITIVE, _BASE2, Variant("other axis",
                "softmax is taken over the queries instead of the keys", True),
            Variant("mean", "the denominator is the mean of the exponentials instead of their sum"),
            Variant("summed", "both directions are added instead of averaged", True))},
    ),
    Definition(
        "NT-Xent", nt_xent, "Chen et al. 2020, A Simple Framework for Contrastive Learning, eq. 1",
        ("ntxent", "simclr", "normalizedtemperaturecrossentropy"), "", (2,),
        numbers={"temperature": Number((0.5, 0.1, 0.07, 1.0), 0.0, 100.0, _T)},
        conventions={"normalised": (True, False), "reduction": ("mean", "sum", "none")}, deviations={"form": (
            _MULTIPLIED, _NO_POSITIVE, _BASE2, Variant("self", "each sample is compared with itself as well"),
            Variant("zero", "the similarity of each sample with itself is set to zero instead of being left out"),
            Variant("half", "only one of the two views is taken for the query", True))},
    ),
    Definition(
        "sinusoidal positional encoding", positional_encoding,
            "Vaswani et al. 2017, Attention Is All You Need, section 3.5",
        ("positionalencoding", "sinusoidalpositionalencoding", "sinusoidalpositionalembedding", "sinusoidalencoding"),
        numbers={"base": Number((10000.0,), 1.0, 1e9, ("theta", "max_period"))},
        conventions={"batch_first": (True, False), "layout": ("interleaved", "halves"), "scaled": (False, True)},
        deviations={
            "exponent": (
                Variant("i/d", "the exponent is i/d instead of 2i/d"), Variant("4i/d",
                    "the exponent is 4i/d instead of 2i/d"),
                Variant("i/(d/2 - 1)", "the exponent is i/(d/2 - 1), as in tensor2tensor", True)),
            "order": (Variant("cosine first", "sine and cosine are exchanged"), Variant("sines", "both are sines")),
            "start": (Variant(1, "positions are counted from one"),),
            "form": (Variant("alone", "the encoding is returned alone, not added", True),),
        },
    ),
)  # fmt: skip
