"""Every torch function that one forward calls, with what went in and out, and from where."""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.overrides import TorchFunctionMode, resolve_name

import verifykit
from verifykit.results import Location
from verifykit.targets import display_path
from verifykit.tracing import OperatorMode, is_torchs

_OURS = str(Path(verifykit.__file__).parent)


@dataclass(frozen=True)
class Frame:
    """One level of the stack of a call: the activation itself, and where it stood at that moment."""

    frame: FrameType
    line: int
    instruction: int

    @property
    def is_users(self) -> bool:
        """Whether it is code that the user can change."""
        return not is_torchs(self.frame.f_code.co_filename)

    @property
    def location(self) -> Location:
        return Location(_shown(self.frame.f_code.co_filename, str(Path.cwd())), self.line)


@dataclass(frozen=True)
class Operator:
    """One operator that ran below a call: bytes of the tensors that went in, and shape and bytes of those that came
    out.
    """

    func: OpOverload[..., Any]
    given: tuple[int, ...]
    made: tuple[int, ...]
    shapes: tuple[torch.Size, ...]

    @property
    def name(self) -> str:
        """Without its namespace: ``clone``."""
        return str(self.func._schema.name).rpartition("::")[2]


@dataclass(frozen=True)
class Call:
    """One call: its number in forward, the tensors given, which of them are buffers of the module, their versions
    before and after, what came out with its versions, the operators that ran, the stack from the module's call inward,
    and how long it took.
    """

    number: int
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    given: tuple[Tensor, ...]
    buffers: tuple[bool, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    result: Any
    made: tuple[Tensor, ...]
    versions: tuple[int, ...]
    operators: tuple[Operator, ...]
    stack: tuple[Frame, ...]
    seconds: float
    recorded_gradients: bool

    @property
    def name(self) -> str:
        """As a user writes it: ``.clone()``, ``torch.cat``."""
        full: str = resolve_name(self.func) or getattr(self.func, "__name__", "?")
        if not full.startswith("torch.Tensor."):
            return full
        name = full.removeprefix("torch.Tensor.")
        return f".{name.removesuffix('.__get__')}" if name.endswith("__get__") else f".{name}()"

    @property
    def is_direct(self) -> bool:
        """Whether the user's own code makes this call, rather than a part of torch that it uses."""
        return bool(self.stack) and self.stack[-1].is_users

    @property
    def computing(self) -> list[Operator]:
        """The operators that are no views."""
        return [operator for operator in self.operators if not operator.func.is_view]

    @property
    def users(self) -> Frame | None:
        """The innermost level that is the user's code."""
        return next((frame for frame in reversed(self.stack) if frame.is_users), None)

    @property
    def location(self) -> Location | None:
        """The line of the user's code that led to this call."""
        return self.users.location if self.users else None

    @property
    def site(self) -> tuple[str, int, str]:
        """What is the same for the same expression in another run: file, instruction and function."""
        at = self.users
        return ("", 0, self.name) if at is None else (at.frame.f_code.co_filename, _offset(at), self.name)


class _Operators(OperatorMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Operator] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given, made = _tensors((args, kwargs)), _tensors(result)
        self.seen.append(Operator(func, _bytes(given), _bytes(made), tuple(t.shape for t in made)))
        return result


class _Recorder(TorchFunctionMode):
    def __init__(self, operators: _Operators, buffers: Iterable[Tensor]) -> None:
        super().__init__()
        self.buffers = {id(t): t for t in buffers}  # alive, so that no id stands for two
        self.calls: list[Call] = []
        self.operators = operators.seen

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        given = _tensors((args, kwargs))
        before, seen, gradients = _versions(given), len(self.operators), torch.is_grad_enabled()
        started = time.perf_counter()
        result = func(*args, **kwargs)
        seconds = time.perf_counter() - started
        made = _tensors(result)
        call = Call(
            len(self.calls),
            func,
            args,
            kwargs,
            given,
            tuple(id(t) in self.buffers for t in given),
            before,
            _versions(given),
            result,
            made,
            _versions(made),
            tuple(self.operators[seen:]),
            _stack(sys._getframe(1)),
            seconds,
            gradients,
        )
        self.calls.append(call)
        return result


def calls_of(run: Callable[[], Any], buffers: Iterable[Tensor] = ()) -> list[Call]:
    """Run ``run`` and return its calls, outermost ones only, with ``buffers`` marked where they are given. Their
    tensors live as long as they do, so that no two share an ``id``. Whatever ``run`` raises passes through.
    """
    with _Operators() as operators, _Recorder(operators, buffers) as recorder:
        run()
    calls: list[Call] = recorder.calls
    return calls


def version(tensor: Tensor) -> int:
    """Return how often ``tensor`` was changed in place, -1 where that is not counted."""
    return -1 if tensor.is_inference() else tensor._version


def _versions(tensors: Iterable[Tensor]) -> tuple[int, ...]:
    return tuple(version(t) for t in tensors)


def _bytes(tensors: Iterable[Tensor]) -> tuple[int, ...]:
    return tuple(t.numel() * t.element_size() for t in tensors)


def _tensors(value: Any) -> tuple[Tensor, ...]:
    """The tensors in what a function of torch takes or returns; pytree would take longer than most of them do."""
    if isinstance(value, Tensor):
        return (value,)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, tuple | list):
        return ()
    return tuple(tensor for part in value for tensor in _tensors(part))


@cache
def _shown(file: str, folder: str) -> str:
    return display_path(file)


def _stack(frame: FrameType | None) -> tuple[Frame, ...]:
    levels = []
    while frame is not None and not frame.f_code.co_filename.startswith(_OURS):
        levels.append(Frame(frame, frame.f_lineno, frame.f_lasti))
        frame = frame.f_back
    return tuple(reversed(levels))


def _offset(at: Frame) -> int:
    """Where the instruction stands in its file: the code's first line and the offset in it, as one number."""
    return at.frame.f_code.co_firstlineno * 1_000_000 + at.instruction
