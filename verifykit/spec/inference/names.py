"""What the field's usual argument names mean: sizes for constructors, roles for forward arguments.

Sizes keep roles apart: pairwise different where the code allows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal[
    "real", "query", "target", "labels", "tokens", "edges", "edge_values", "adjacency", "mask", "lengths",
    "probability", "weight", "positive",
]  # fmt: skip

# First match wins; the values are tried in order.
_SIZES: list[tuple[str, Sequence[Any]]] = [
    (r"spatial_?(n?dims?|dimensions?)|n_?dims?|ndim", (2, 1, 3)),
    (r"num_?embeddings|vocab(_?size)?|n_?(vocab|tokens?)|num_?tokens", (11,)),
    (r"n_?classes|num_?class(es)?|classes|num_?labels|n_?labels|class_?num|nb_?classes", (5,)),
    (r".*(kernel|filter|window)_?(size|len|length|width)?|k_?size|kernel", (3, (3, 3), 4, 2)),
    (r"(num_?|n_?)?(kv_?|attention_?|attn_?|q_?|query_?)?heads?|nheads?|n_?head|nhead", (2, 1, 4)),
    (r"head_?(dim|size|features)|dim_?(per_?)?head|d_(head|k|v|q)", (4,)),
    (r"in1_.*", (6,)),
    (r"in2_.*", (5,)),
    (r"out_?(features|channels?|dims?|planes?|size|ch|chans?)|output_?(dims?|features|channels)|n_?out(puts?)?"
     r"|dim_?out|d_?out|num_?outputs?|out_?c|cout|c_?out|planes|fan_?out|c2", (4, 6, 8)),
    (r"in_?(features|channels?|dims?|planes?|size|ch|chans?|nc)|input_?(dims?|features|channels?|size|nc)|n_?in"
     r"(puts?)?|dim_?in|d_?in|num_?(inputs?|input_?channels)|in_?c|cin|c_?in|fan_?in|c1", (6, 8, 3)),
    (r"(num_?|n_?)(groups?)|groups?", (2, 1)),
    (r"hidden.*|.*hidden(_?(dims?|size|features|channels|units))?|dim_?feedforward|d_?ff|ffn?_?dim|mlp_?dim"
     r"|intermediate_?(size|dim)|inner_?dim|mid.*|d_inner", (10, 8)),
    (r".*(rate|prob|dropout|drop|p)$|p|drop.*|keep_?prob", (0.1,)),
    (r"eps(ilon)?|tol(erance)?|delta_?min", (1e-5,)),
    (r"(num_?|n_?)(layers?|blocks?|stages?|repeats?)|depth|layers|repeats?", (2, 1, [1, 1, 1, 1])),
    (r"(max_?)?(seq_?|sequence_?)?(len(gth)?)|max_?positions?|context_?(length|size)|block_?size|n_?ctx|n_?positions"
     r"|max_?seq_?len(gth)?|seq_?len(gth)?", (16,)),
    (r"(img|image|input|spatial)_?(size|res(olution)?|shape)|resolution", (8, 16, 32, (8, 8), 64, 224)),
    (r"patch_?size|patch", (2, 4, 16)),
    (r"(down|up)?_?scale(_?factor)?|factor|stride|strides?|downsample|upsample|expansion.*|expand.*|mult.*"
     r"|(up|down)scale_?factor|.*ratio|reduction.*|squeeze.*|radix|r|rank|lora_?r", (2, 1, 4)),
    (r"output_?size|size|shape|output_?shape|target_?size", (3, (3, 3), (4, 4), [2, 3])),
    (r"padd?(ing)?", (1, (1, 1), (1, 1, 1, 1))),
    (r"dilation|order|power|degree|num_?directions", (1, 2, 3)),
    (r"normali[sz]ed_?shape", (6,)),
    (r"channels?|(num_?|n_?)(channels?|features?|feat|filters?|ch|dims?)|nf|nc|ch|c|planes|width|features|dims?|d"
     r"|(d_?)?model(_?dims?)?|.*embed(ding)?s?(_?(dims?|size))?|emb(ed)?_?(dims?|size)|n_?embd?|e|.*_?(dim|channels)s?"
     r"|units|size|.*features|dimension|num_?hiddens?|d_\w+", (8, 6, 4, 16, 1, 32, 64)),
    (r"temperature|temp|tau|t|sigma|std|scale|margin|gamma|beta|alpha|lambda_?|lam|weight|smoothing|label_?smoothing|"
     r"momentum|slope|negative_?slope|init_?values?|init", (0.5, 1.0, 2.0)),
    (r"(lower|low|min(_?val(ue)?)?|a)", (-0.5, 0.0)),
    (r"(upper|high|max(_?val(ue)?)?|b)", (1.5, 2.0)),
    (r"threshold|value|cutoff|bound", (0.3, 1.0)),
    (r"dim|axis|dims|axes", (-1, 1)),
    (r"reduction|reduce", ("mean", "sum")),
    (r"mode|type|kind|method|.*_(type|mode)", ("mean", "sum", "max", "bilinear", "nearest", "constant")),
    (r"(use_|with_|is_|has_)?bias|(use|with|is|has)_\w+|causal|affine|learnable|inplace|training", (True, False)),
]  # fmt: skip

_ROLES: list[tuple[str, Role]] = [
    (r".*mask.*|.*_mask|valid", "mask"),
    (r".*edge_?ind(ex|ices)|edges", "edges"),
    (r"adj(acency)?(_?(mat(rix)?|t))?|.*_adj", "adjacency"),
    (r"edge_?\w+|pseudo", "edge_values"),
    (r"(x_?)?len(gth)?s?|.*_?lengths|seq_?lens?", "lengths"),
    (r"input_?ids|token_?ids|.*tokens?(_ids)?|idx|index|indices|ids|timesteps?|positions?|position_ids|steps?|t|codes"
     r"|batch", "tokens"),
    (r"labels?|class(es)?|.*_?labels?|gt_?labels?", "labels"),
    (r"targets?|y|y_?true|gt|ground_?truth|truth|true|reference|ref|expected|.*_?targets?|y_gt|trues?|actual",
     "target"),
    (r"keys?|values?|k|v|memory|context|kv|encoder_\w+|cross", "query"),
    (r"weights?|scale|alpha|beta", "weight"),
    (r"probs?|probabilit.*|.*_?probs?", "probability"),
    (r"var(iance)?|std|sigma|.*variance|scale", "positive"),
]  # fmt: skip

# How people write of labels that are -1 or 1.
SIGNS = r"(?<![\d.])\+?1`* ?(?:or|and|/|,) ?`*-1(?!\.?\d)|(?<!\d)-1`* ?(?:or|and|/|,) ?`*\+?1(?!\.?\d)|±1"


def sizes_for(name: str) -> Sequence[Any]:
    """Return values that a constructor argument of this name usually takes, the usual first; none for others."""
    return next((values for pattern, values in _SIZES if re.fullmatch(pattern, name, re.IGNORECASE)), ())


def role_of(name: str) -> Role:
    """Return the role that a forward argument of this name usually plays."""
    return next((role for pattern, role in _ROLES if re.fullmatch(pattern, name, re.IGNORECASE)), "real")


@dataclass(frozen=True)
class Claim:
    """What a class says about itself: whether it is a loss, whether its labels are integers, are 0 and 1, or -1 and 1,
    and how many dimensions it takes.
    """

    is_loss: bool
    wants_labels: bool
    wants_masks: bool
    wants_signs: bool
    rank: int | None


def claim_of(class_name: str, docstring: str = "") -> Claim:
    """Read ``Loss`` or ``Criterion``, a number of spatial dimensions such as ``2d``, and ``Cell``, which takes one step
    of a sequence, from a class name; labels of 1 or -1 from the docstring of a loss.
    """
    spatial = re.search(r"([123])[dD](?![a-z])", class_name)
    rank = int(spatial[1]) + 2 if spatial else 2 if re.search(r"[a-zMUN]Cell(?![a-z])", class_name) else None
    is_loss = re.search(r"loss|criterion|divergence|entropy|error$", class_name, re.IGNORECASE) is not None
    wants_labels = re.search(
        r"cross_?entropy|nll|ctc|focal|multi_?margin|(?<![a-z])ce_?loss|arc_?face|softmax", class_name, re.IGNORECASE
    )
    real_targets = re.search(r"binary|bce|gaussian|poisson|soft_?target|sigmoid|logits", class_name, re.IGNORECASE)
    masks = re.search(r"dice|jaccard|tversky|(?<![a-z])iou|lovasz", class_name, re.IGNORECASE)
    return Claim(
        is_loss,
        bool(wants_labels and not real_targets and not masks),
        masks is not None,
        is_loss and re.search(SIGNS, docstring) is not None,
        rank,
    )
