"""opcheck: custom operators keep what they declare to PyTorch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from verifykit.checks.registry import Skip, check
from verifykit.errors import one_line
from verifykit.experiments.passes import run_pass
from verifykit.results import Finding, Location, Severity, Verified
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject
from verifykit.tracing import OperatorMode, user_line

# The namespaces that torch itself registers operators in.
TORCHS = frozenset(
    {
        "_c10d_functional",
        "_c10d_functional_autograd",
        "_dtensor",
        "_inductor_test",
        "_native",
        "_quantized",
        "_test",
        "aten",
        "c10d",
        "c10d_functional",
        "debug_mode_ops",
        "debugprims",
        "export",
        "flex_lib",
        "fsdp",
        "higher_order",
        "inductor",
        "inductor_prims",
        "mkl",
        "mkldnn",
        "mkldnn_prepacked",
        "onednn",
        "onnx",
        "onnx_symbolic",
        "prim",
        "prims",
        "profiler",
        "quantization",
        "quantized",
        "quantized_decomposed",
        "rngprims",
        "sparse",
        "static_runtime",
        "streams",
        "symm_mem",
        "torch_attn",
    }
)
# Calls of one operator that are examined: the first of each pattern of shapes.
CALLS = 2


@dataclass(frozen=True)
class OperatorCall:
    """One call of a custom operator, its arguments copied as they were before it."""

    operator: Any
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    location: Location | None


class _Watch(OperatorMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[tuple[Any, ...], OperatorCall] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if getattr(func, "namespace", "prim") not in TORCHS:
            seen = sum(call.operator is func for call in self.calls.values())
            key = (func, str(tree_map(_kind, (args, named))))
            if key not in self.calls and seen < CALLS:
                copies = tree_map(_copied, (args, named))
                self.calls[key] = OperatorCall(func, copies[0], copies[1], user_line())
        return func(*args, **named)


@check("opcheck", family="tooling")
def opcheck(subject: Subject) -> Iterator[Finding | Verified]:
    """Custom operators do what their schema, fake kernel and autograd registration say.

    What:
        Watches one pass forward and backward for operators that are not torch's own, and runs torch.library.opcheck on
        each with the arguments that it got: does it write only to what its schema says, return no alias, predict its
        output's shape, strides and dtype by its fake kernel, and give under AOT autograd what it gives in eager mode.

    Why it matters:
        The compiler believes what an operator declares. One that writes to an argument in secret, or whose fake kernel
        predicts another shape, gives wrong numbers or crashes once compiled, and works in eager mode.

    Wrong:
        @torch.library.custom_op("mine::scale", mutates_args=())
        def scale(x: Tensor) -> Tensor:
            return x.mul_(2).clone()  # writes to x all the same

    Right:
        @torch.library.custom_op("mine::scale", mutates_args=())
        def scale(x: Tensor) -> Tensor:
            return x * 2

    When to ignore:
        When the module will be neither compiled nor exported, an operator without a fake kernel does no harm.
    """
    calls = _custom_calls(subject)
    if not calls:
        raise Skip("it uses no custom operator")
    for operator in dict.fromkeys(call.operator for call in calls):
        own = [call for call in calls if call.operator is operator]
        found = next((finding for call in own if (finding := _finding(call, subject.seed))), None)
        if found is not None:
            yield found
        else:
            yield Verified(f"schema, fake kernel and autograd registration of {_name(operator)}", len(own))


def _custom_calls(subject: Subject) -> list[OperatorCall]:
    registered = {name.partition("::")[0] for name in torch._C._dispatch_get_all_op_names()}
    if registered <= TORCHS:  # said without watching, which imports the compiler: seconds
        return []
    watch = _Watch()
    try:
        with watch:
            run_pass(subject, subject.build(), subject.draw())
    except Exception as error:
        if not watch.calls:
            raise Skip(f"it cannot be run forward and backward: {one_line(error)}") from None
    return list(watch.calls.values())


def _finding(call: OperatorCall, seed: int) -> Finding | None:
    """Return the first thing that is wrong: what comes after it follows from it, more often than not."""
    with seeded(seed):
        results = torch.library.opcheck(call.operator, call.arguments, call.named, raise_exception=False)
    for test, result in results.items():
        if isinstance(result, BaseException):
            severity, message = _JUDGES[test](result)
            if test == "test_aot_dispatch_dynamic" and severity is None:
                continue
            evidence = {"operator": str(call.operator), "test": test, "torch says": one_line(result)[:300]}
            evidence["arguments"] = str(tree_map(_kind, (call.arguments, call.named)))
            return Finding(f"the operator {_name(call.operator)} {message}", severity, evidence, call.location)
    return None


def _schema(error: BaseException) -> tuple[Severity, str]:
    told = str(error)
    if "mutable" in told or "mutat" in told:
        return "error", "writes to an argument that its schema calls read-only: mutates_args leaves it out"
    if "alias" in told:
        return "error", "returns an argument, or a view of one, where its schema promises a new tensor"
    return "error", f"does not do what its schema says: {one_line(error)[:200]}"


def _autograd(error: BaseException) -> tuple[Severity, str]:
    return "warning", (
        "gets tensors that require a gradient and has its autograd in the wrong place, or none: register it with "
        "torch.library.register_autograd"
    )


def _fake(error: BaseException) -> tuple[Severity, str]:
    told = str(error)
    if "fake impl" in told and "no" in told.lower() and "regist" in told:
        return "warning", "has no fake kernel, without which it can be neither compiled nor exported: register_fake"
    if isinstance(error, AssertionError) or "mismatch" in told.lower():
        return "error", f"has a fake kernel that predicts another output than comes: {_cause(error)}"
    return "warning", f"cannot be run on fake tensors: {one_line(error)[:200]}"


def _aot(error: BaseException) -> tuple[Severity | None, str]:
    told = str(error)
    if "no autograd formula" in told:
        return "warning", "gets tensors that require a gradient and has no formula for it: backward will raise"
    if isinstance(error, AssertionError):
        return "error", f"gives something else under AOT autograd than in eager mode: {one_line(error)[:200]}"
    return "warning", f"cannot be traced by AOT autograd: {one_line(error)[:200]}"


_JUDGES: dict[str, Callable[[BaseException], tuple[Severity | None, str]]] = {
    "test_schema": _schema,
    "test_autograd_registration": _autograd,
    "test_faketensor": _fake,
    "test_aot_dispatch_dynamic": _aot,
}


def _cause(error: BaseException) -> str:
    """What comes after the introduction that torch gives: ``Shapes ... are not equal``."""
    return one_line(error).rpartition("metadata: ")[2][:200]


def _name(operator: Any) -> str:
    return str(operator._schema.name)


def _kind(value: Any) -> Any:
    return (str(value.dtype), tuple(value.shape), value.requires_grad) if isinstance(value, Tensor) else value


def _copied(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    return value.detach().clone().requires_grad_(value.requires_grad)
