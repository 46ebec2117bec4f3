"""Attention: the scaled dot product, and with projections and heads."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.identify.definitions.definition import Arguments, Definition, Variant
from verifykit.identify.definitions.found_numbers import numbers_of
from verifykit.identify.facts import Facts

SOURCE = "Vaswani et al. 2017, Attention Is All You Need, eq. 1"


def weights(
    scores: Tensor,
    *,
    scale: str,
    width: int,
    model: int,
    causal: bool,
    over: str,
    masking: str,
    mask: Tensor | None = None,
) -> Tensor:
    """softmax(scores / sqrt(d)) over the keys, later ones masked where it is causal."""
    factor: float = {
        "root": width**-0.5, "1/d": 1 / width, "none": 1.0, "model": model**-0.5, "times": width**0.5,
        "keys": scores.shape[-1] ** -0.5, "fourth root": width**-0.25,
    }.get(scale, width**-0.5)  # fmt: skip
    scores = scores * factor
    dim = {"queries": -2, "heads": 1, "batch": 0}.get(over, -1)
    hidden = torch.zeros(scores.shape[-2:], dtype=torch.bool, device=scores.device)
    if causal:
        diagonal = {"strict": 0, "leaking": 2}.get(masking, 1)
        hidden = torch.ones_like(hidden).triu(diagonal)
        if masking == "turned":
            hidden = torch.ones_like(hidden).tril(-1)
        elif masking == "corner":
            hidden = torch.ones_like(hidden).triu(1 + hidden.shape[1] - hidden.shape[0])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    if masking == "zero":
        found = scores.masked_fill(hidden, 0.0).softmax(dim)
    elif masking == "after":
        found = scores.softmax(dim).masked_fill(hidden, 0.0)
    elif masking == "mild":
        found = scores.masked_fill(hidden, -1e-9).softmax(dim)
    else:
        found = scores.masked_fill(hidden, -math.inf).softmax(dim)
    if masking == "strict":
        found = found.nan_to_num()
    if over == "sigmoid":
        return scores.masked_fill(hidden, -math.inf).sigmoid()
    if over == "none":
        return scores.masked_fill(hidden, 0.0)
    if over == "after":
        found = (scores / factor).masked_fill(hidden, -math.inf).softmax(dim) * factor
    return found


def scaled_dot_product(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *, causal: bool = False,
        returned: str = "output",
    scale: str = "root", over: str = "keys", masking: str = "minus infinity",
) -> Tensor | tuple[Tensor, Tensor]:  # fmt: skip
    """softmax(q k^T / sqrt(d)) v; Vaswani et al. 2017, eq. 1, torch.nn.functional.scaled_dot_product_attention."""
    d = query.shape[-1]
    model = d * (query.shape[1] if query.ndim == 4 else 1)
    found = weights(
        query @ key.mT, scale=scale, width=d, model=model, causal=causal, over=over, masking=masking, mask=mask
    )
    return (found @ value, found) if returned == "both" else found @ value


class MultiheadAttention(nn.MultiheadAttention):
    """Vaswani et al. 2017, section 3.2.2; torch.nn.MultiheadAttention with batch_first, its weights not returned."""

    def __init__(
        self, embed_dim: int, num_heads: int, inner: int, *, in_bias: bool = True, out_bias: bool = True,
        projection: bool = True, causal: bool = False, time_first: bool = False, scale: str = "root",
        over: str = "keys", masking: str = "minus infinity", heads: str = "runs", returned: str = "output",
    ) -> None:  # fmt: skip
        nn.Module.__init__(self)
        self.embed_dim, self.num_heads, self.inner = embed_dim, num_heads, inner
        self.options: dict[str, Any] = {"scale": scale, "over": over, "masking": masking}
        self.causal, self.time_first, self.heads, self.returned = causal, time_first, heads, returned
        self.register_parameter("in_proj_weight", nn.Parameter(torch.randn(3 * inner, embed_dim)))
        self.register_parameter("in_proj_bias", nn.Parameter(torch.randn(3 * inner)) if in_bias else None)
        self.register_module("out_proj", nn.Linear(inner, embed_dim, out_bias) if projection else None)

    def forward(  # type: ignore[override]
        self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        key = query if key is None else key
        value = key if value is None else value
        given = [t.transpose(0, 1) if self.time_first else t for t in (query, key, value)]
        blocks = self.in_proj_weight.chunk(3)
        offsets = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        q, k, v = (self._split(nn.functional.linear(t, w, b)) for t, w, b in zip(given, blocks, offsets, strict=True))
        found = weights(q @ k.mT, width=q.shape[-1], model=self.inner, causal=self.causal, **self.options)
        mixed = found @ v
        if self.heads in ("not restored", "viewed throughout"):
            joined = mixed.reshape(mixed.shape[0], mixed.shape[2], -1)
        elif self.heads == "interleaved":
            joined = mixed.permute(0, 2, 3, 1).flatten(2)
        else:
            joined = mixed.transpose(1, 2).flatten(2)
        output = joined if self.out_proj is None else self.out_proj(joined)
        output = output.transpose(0, 1) if self.time_first else output
        return (output, found.mean(1)) if self.returned == "both" else output

    def _split(self, t: Tensor) -> Tensor:
        n, length, _ = t.shape
        if self.heads in ("viewed", "viewed throughout"):
            return t.reshape(n, self.num_heads, length, -1)
        if self.heads == "interleaved":
            return t.reshape(n, length, -1, self.num_heads).permute(0, 3, 1, 2)
        return t.reshape(n, length, self.num_heads, -1).transpose(1, 2)


def _projected(facts: Facts) -> Iterable[Arguments]:
    """Sizes for which query, key, value and output projections, with biases or without, have as many numbers."""
    x, held = facts.inputs[0], sum(p.numel() for p in facts.parameters.values())
    if any(i.ndim != 3 or i.shape[-1] != x.shape[-1] or not i.is_floating_point() for i in facts.inputs) or not held:
        return
    model, named = x.shape[-1], numbers_of(facts).named
    heads = [int(named[n]) for n in ("num_heads", "n_heads", "heads", "n_head", "nhead", "h", "nheads") if n in named]
    sizes = {
        model,
        *(p.shape[0] for p in facts.parameters.values()),
        *(p.shape[0] // 3 for p in facts.parameters.values()),
    }
    for inner in sorted(sizes, key=lambda size: (size != model, size)):
        for projection, in_bias, out_bias in ((1, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (0, 1, 0), (0, 0, 0)):
            wanted = 3 * inner * model + 3 * inner * in_bias + projection * inner * model + out_bias * model
            if wanted == held:
                for count in heads[:1] or [h for h in range(1, inner + 1) if inner % h == 0][:4]:
                    if count > 0 and inner % count == 0:
                        yield {"embed_dim": model, "num_heads": count, "inner": inner, "in_bias": bool(in_bias),
                               "out_bias": bool(out_bias), "projection": bool(projection)}  # fmt: skip


def _plain(facts: Facts) -> Iterable[Arguments]:
    if not facts.parameters and all(i.ndim >= 2 for i in facts.inputs):
        yield {}


_SCALES = (
    Variant("1/d", "scores are scaled by 1/d instead of 1/√d"),
    Variant("none", "scores are not scaled by 1/√d"),
    Variant("times", "scores are multiplied by √d instead of divided"),
    Variant("model", "scores are scaled by the width of the model instead of that of a head"),
    Variant("keys", "scores are scaled by the root of the number of keys instead of the width"),
    Variant("fourth root", "scores are scaled by the fourth root of the width"),
)
_OVER = (
    Variant("queries", "softmax is taken over the queries instead of the keys"),
    Variant("heads", "softmax is taken over the heads instead of the keys"),
    Variant("batch", "softmax is taken over the batch instead of the keys"),
    Variant("none", "softmax is left out"),
    Variant("sigmoid", "each score goes through a sigmoid instead of a softmax over the keys"),
    Variant("after", "the scale is applied after softmax"),
)
_MASKING = (
    Variant("strict", "the causal mask is strict: a position does not see itself"),
    Variant("leaking", "the causal mask is off by one: a position sees the next one"),
    Variant("turned", "the causal mask is turned round: a position sees only what follows"),
    Variant("zero", "masked scores are set to zero instead of minus infinity"),
    Variant("mild", "masked scores are set to -1e-9 instead of minus infinity"),
    Variant("after", "the mask is applied after softmax, so that weights do not sum to one"),
    Variant("corner", "the causal mask is aligned with the last key", True),
)
DEFINITIONS = (
    Definition(
        "scaled dot product attention", scaled_dot_product, SOURCE,
        ("scaleddotproductattention", "scaleddotproduct", "attention", "sdpa", "dotproductattention",
            "causalattention"),
        "torch.nn.functional.scaled_dot_product_attention", (3, 4), _plain,
        conventions={"returned": ("output", "both"), "causal": (False, True)},
        deviations={"scale": _SCALES, "over": _OVER, "masking": _MASKING},
    ),
    Definition(
        "multi-head attention", MultiheadAttention, "Vaswani et al. 2017, Attention Is All You Need, section 3.2.2",
        ("multiheadattention", "multiheadselfattention", "selfattention", "attention", "mha", "mhsa",
            "causalselfattention",
         "multiheadedattention", "multiheadedselfattention", "causalattention", "maskedselfattention",
             "crossattention"),
        "torch.nn.MultiheadAttention", (1, 2, 3), _projected,
        conventions={"causal": (False, True), "time_first": (False, True), "returned": ("output", "both")},
        deviations={
            "scale": _SCALES, "over": _OVER, "masking": _MASKING,
            "heads": (
                Variant("viewed", "heads are split by a view that mixes positions"),
                Variant("viewed throughout", "heads are split and joined by a view that mixes positions"),
                Variant("not restored", "heads are joined without moving them back beside the features"),
                Variant("interleaved", "heads take every so-manieth feature instead of runs", True)),
        },
    ),
)  # fmt: skip
