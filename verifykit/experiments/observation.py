"""What several checks ask of a subject: its outputs, which dimension is the batch, whether it is a loss."""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.spec.dims import Dim
from verifykit.spec.domain import Below
from verifykit.spec.inference.names import claim_of, role_of
from verifykit.spec.model import InputSpec
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

# What people call the size of a batch.
_BATCH_NAMES = r"N|B|bs|bsz|n|b|.*batch.*|n_?samples?|num_samples"

# Those that can only mean a batch.
SURELY_BATCH = r"B|bs|bsz|.*batch.*"

# What people call sizes that count no samples, where they stand first.
_OTHER_NAMES = r"L|T|S|H|W|E|V|seq.*|time.*|.*len(gth)?|height|width|.*(nodes|edges|points|channels|features|heads)"

# How a docstring says that time comes before the batch: (seq_len, batch, features).
_SEQUENCE_FIRST = r"[\[(]\s*(seq\w*|src_len|tgt_len|time\w*|length|len|L|T|S)\s*,\s*(N|B|bs|bsz|batch\w*)\s*[,)\]]"

# What people call what a prediction should come to, beside targets and labels; what neither is predicted nor aimed at;
# and what is the better the higher it is.
_AIMS = r"pos|positives?|teacher.*|.*_true|true_.*|.*_gt|gt_.*|target_.*|soft_labels?|.*labels?|ground.*|returns?"
_AUXILIARY = r".*weights?|log_?(var|std|sigma|scale)|var(iance)?|std|sigma|margins?|temperature|tau"
_METRIC = r"metric|accuracy|score|similarity|ssim$|psnr|f1|recall|precision|iou$|corr"


@dataclass(frozen=True)
class Batch:
    """The free symbol that counts samples, and at which axis it stands in each input (in the order of the spec) and in
    each output (in the order of ``named_tensors``); ``None`` where it does not stand alone in any dimension.
    """

    symbol: str
    inputs: tuple[int | None, ...]
    outputs: tuple[int | None, ...]


@dataclass(frozen=True)
class Loss:
    """A loss: the input that is predicted, the one that it is held against, and whether its output is one number.

    ``named`` says that its name, its base class, its docstring or a ``reduction`` argument calls it a loss; ``aimed``
    that the name or the dtype of the target says that it is what the prediction should come to.
    """

    prediction: str
    target: str
    reduced: bool
    named: bool = False
    aimed: bool = False


def outputs_of(subject: Subject, module: nn.Module, inputs: Sequence[Tensor], *, seed: int = 0) -> dict[str, Tensor]:
    """Return copies of what ``module`` gives for copies of ``inputs``, by place in the output, without gradients and
    with random draws fixed by ``seed``. What it raises passes through.
    """
    with torch.no_grad(), seeded(seed):
        result = subject.call(module, [tensor.clone() for tensor in inputs])
        return {name: tensor.detach().clone() for name, tensor in named_tensors(result).items()}


def plain_outputs(subject: Subject, dtype: torch.dtype = torch.float64, *, training: bool = False) -> dict[str, Tensor]:
    """Return the outputs of a fresh module for ``subject.draw(dtype=dtype)``; computed once for a subject."""

    def compute() -> dict[str, Tensor]:
        module = subject.build(dtype, training=training)
        return outputs_of(subject, module, subject.draw(dtype=dtype))

    return subject.once(f"plain outputs {dtype} {training}", compute)


def batch_of(subject: Subject) -> Batch | None:
    """Return which free symbol counts samples; ``None`` where no input has one, or the output's laws are not known.

    It is the one that is called so, else the first dimension of the first input, unless that is called otherwise. A
    module that says by an attribute ``batch_first = False``, or in a docstring, that samples lie along the second of
    three dimensions is believed.
    """
    return subject.once("batch", lambda: _batch(subject))


def loss_of(subject: Subject) -> Loss | None:
    """Return how ``subject`` is a loss, ``None`` where it is none: one real output (or one number first among several),
    and a second input beside the prediction. What only gives one number, and nothing calls a loss, is one if it has an
    input named as a target, or no parameters.
    """
    return subject.once("loss", lambda: _loss(subject))


def is_called_loss(subject: Subject) -> bool:
    """Whether the name, a base class, the docstring's first line or a ``reduction`` argument says that it is a loss."""
    made, names = _made(subject)
    if any(claim_of(name).is_loss for name in names):
        return True
    if is_called_metric(subject):
        return False
    summary = (inspect.getdoc(made) or "").partition("\n")[0]
    if re.search(r"\b(loss|criterion|divergence|cross.entropy)\b", summary, re.IGNORECASE):
        return True
    try:
        reduction = inspect.signature(made).parameters.get("reduction")
    except (TypeError, ValueError):
        return False
    return reduction is not None and isinstance(reduction.default, str)


def is_called_metric(subject: Subject) -> bool:
    """Whether its name says that it is a score, the higher the better, and not that it is a loss."""
    _, names = _made(subject)
    is_loss = any(claim_of(name).is_loss for name in names)
    return not is_loss and any(re.search(_METRIC, name, re.IGNORECASE) for name in names)


def _made(subject: Subject) -> tuple[Any, list[str]]:
    """The class or function behind the target, and what it and its bases are called."""
    obj = subject.target.obj
    made = obj if isinstance(obj, type) or inspect.isroutine(obj) else type(obj)
    bases = [base.__name__ for base in getattr(made, "__mro__", ()) if base not in (nn.Module, object)]
    return made, [subject.target.label, getattr(made, "__name__", ""), *bases]


def _batch(subject: Subject) -> Batch | None:
    shapes = [entry.shape for entry in subject.spec.inputs]
    free = subject.spec.free
    alone = [dim for shape in shapes for dim in shape if dim in free]
    if not alone:
        return None
    named = [dim for dim in alone if re.fullmatch(_BATCH_NAMES, str(dim))]
    if not named and (shapes[0][:1] != (alone[0],) or re.fullmatch(_OTHER_NAMES, str(alone[0]), re.IGNORECASE)):
        return None
    # N may count nodes or points as well, where another dimension is called the batch.
    symbol = str(([dim for dim in named if re.fullmatch(SURELY_BATCH, str(dim))] or named or alone)[0])
    unsure = len(shapes[0]) > 1 and shapes[0][0] == symbol and not re.fullmatch(SURELY_BATCH, symbol)
    if unsure and shapes[0][1] in free and _is_sequence_first(subject):
        symbol = str(shapes[0][1])
    outputs = learn_outputs(subject)
    if not outputs:
        return None
    return Batch(
        symbol, tuple(_axis(shape, symbol) for shape in shapes), tuple(_axis(o.shape, symbol) for o in outputs)
    )


def _is_sequence_first(subject: Subject) -> bool:
    """Whether the module says so by ``batch_first = False``, an attribute or constructor argument, and samples are in
    fact independent along the second dimension of the first input, and not along its first; or a docstring says so.
    """
    module = subject.build()
    # What only a part says may be an oversight: the module's own words count.
    arguments = inspect.signature(subject.target.obj).parameters if subject.target.kind == "class" else {}
    default = arguments["batch_first"].default if "batch_first" in arguments else None
    said = getattr(module, "batch_first", subject.spec.init.get("batch_first", default))
    if said is not False:
        texts = [vars(type(module)).get("__doc__"), getattr(vars(type(module)).get("forward"), "__doc__", None)]
        told = "\n".join(text for text in texts if text)
        return said is None and re.search(_SEQUENCE_FIRST, told, re.IGNORECASE) is not None
    inputs = subject.draw()
    before = outputs_of(subject, module, inputs)

    def independent(axis: int) -> bool:
        changed = inputs[0].clone()
        changed.select(axis, 0).copy_(subject.draw(seed=1)[0].select(axis, 0))
        after = outputs_of(subject, module, [changed, *inputs[1:]])
        pairs = [(before[name], after[name]) for name in before if before[name].ndim > axis]
        count = changed.shape[axis]
        return all(
            torch.allclose(one.narrow(axis, 1, count - 1), other.narrow(axis, 1, count - 1))
            for one, other in pairs
            if one.shape[axis] == count
        )

    return independent(1) and not independent(0)


def _axis(shape: Sequence[Dim], symbol: str) -> int | None:
    return list(shape).index(symbol) if symbol in shape else None


def _loss(subject: Subject) -> Loss | None:
    outputs = learn_outputs(subject)
    entries = subject.spec.inputs
    reals = [entry.name for entry in entries if entry.dtype == "float"]
    if not outputs or outputs[0].dtype != "float" or len(entries) < 2 or not reals:
        return None
    reduced, named = outputs[0].shape == [], is_called_loss(subject)
    if (len(outputs) > 1 and not (reduced and named)) or not (reduced or named):
        return None
    aims = [entry.name for entry in entries if _is_aim(entry)]
    if not aims and len(entries) == 2:  # a mask beside nothing but the prediction is what a segmentation should be
        aims = [entry.name for entry in entries if role_of(entry.name) == "mask" and len(reals) <= 2]
    if not named and not aims and any(True for _ in subject.build().parameters()):
        return None  # a score of two inputs
    plain = [name for name in reals if name not in aims and not is_auxiliary(name)]
    prediction = (plain or [name for name in reals if name not in aims] or reals)[0]
    others = [entry.name for entry in entries if entry.name != prediction]
    known = [name for name in others if name in aims]
    target = (known or [name for name in others if not is_auxiliary(name)] or others)[0]
    return Loss(prediction, target, reduced, named, target in aims)


def _is_aim(entry: InputSpec) -> bool:
    by_name = role_of(entry.name) in ("target", "labels") or re.fullmatch(_AIMS, entry.name, re.IGNORECASE) is not None
    integers = entry.dtype == "long" and isinstance(entry.domain, Below)
    return (by_name or integers) and not is_auxiliary(entry.name)


def is_auxiliary(name: str) -> bool:
    """Whether an input of this name goes with prediction and target: a mask, a weight, a deviation."""
    by_role = role_of(name) in ("mask", "weight", "lengths", "edges")
    return by_role or re.fullmatch(_AUXILIARY, name, re.IGNORECASE) is not None
