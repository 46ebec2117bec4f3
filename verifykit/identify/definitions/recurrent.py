"""Recurrent cells and layers: LSTM, GRU and the simple one, with torch's names for their state."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from verifykit.identify.definitions.definition import Arguments, Definition, Variant
from verifykit.identify.facts import Facts

Pair = tuple[Tensor, Tensor]


def lstm_step(x: Tensor, state: Pair, w: Tensor, u: Tensor, b: Tensor, c: Tensor, form: str) -> Pair:
    """i, f, g, o = gates; c' = f c + i g; h' = o tanh(c'); Hochreiter and Schmidhuber 1997, torch.nn.LSTMCell."""
    h, cell = state
    i, f, g, o = (F.linear(x, w, b) + F.linear(h, u, c)).chunk(4, -1)
    forget, write, value = (f + 1 if form == "forget bias" else f).sigmoid(), i.sigmoid(), g.tanh()
    if form == "coupled":
        write = 1 - forget
    elif form == "candidate sigmoid":
        value = g.sigmoid()
    elif form == "candidate relu":
        value = g.relu()
    new = forget * cell + write * value
    if form == "no input gate":
        new = forget * cell + value
    shown = cell if form == "old cell" else new
    shown = shown if form == "no tanh" else shown.sigmoid() if form == "output sigmoid" else shown.tanh()
    return (o.tanh() if form == "output gate tanh" else o.sigmoid()) * shown, new


def gru_step(x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor, c: Tensor, form: str) -> Tensor:
    """r, z = gates; n = tanh(W x + b + r (U h + c)); h' = (1 - z) n + z h; Cho et al. 2014, as torch.nn.GRUCell."""
    size = h.shape[-1]
    xr, xz, xn = F.linear(x, w, b).chunk(3, -1)
    hr, hz, hn = F.linear(h, u, c).chunk(3, -1)
    r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
    if form == "reset before":
        inner = xn + F.linear(r * h, u[2 * size :], c[2 * size :])
    elif form == "no reset":
        inner = xn + hn
    elif form == "reset of input":
        inner = r * xn + hn
    elif form == "bias outside":
        inner = xn + r * F.linear(h, u[2 * size :]) + c[2 * size :]
    else:
        inner = xn + r * hn
    n = inner.sigmoid() if form == "candidate sigmoid" else inner.relu() if form == "candidate relu" else inner.tanh()
    if form == "exchanged":
        return z * n + (1 - z) * h
    return (1 - z) * n + (z if form != "no update" else 1) * h


def rnn_step(x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor, c: Tensor, form: str) -> Tensor:
    """h' = tanh(W x + b + U h + c); Elman 1990, torch.nn.RNNCell."""
    z = F.linear(x, w, b) + F.linear(h, u, c)
    return {"tanh": z.tanh(), "relu": z.relu(), "sigmoid": z.sigmoid(), "linear": z}[form]


def _cell(base: type[Any], step: Callable[..., Any], plain: str) -> type[nn.Module]:
    class Cell(base):  # type: ignore[misc]
        def __init__(self, input_size: int, hidden_size: int, *, form: str = plain) -> None:
            super().__init__(input_size, hidden_size)
            self.form = form

        def forward(self, input: Tensor, hx: Any = None, cx: Tensor | None = None) -> Any:
            zero = input.new_zeros(*input.shape[:-1], self.hidden_size)
            hx = zero if hx is None else hx
            state = (hx, zero if cx is None else cx) if step is lstm_step else hx
            return step(input, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, self.form)

    Cell.__name__ = Cell.__qualname__ = base.__name__
    return Cell


def _layer(base: type[Any], step: Callable[..., Any], plain: str) -> type[nn.Module]:
    class Layer(base):  # type: ignore[misc]
        def __init__(
            self, input_size: int, hidden_size: int, *, batch_first: bool = True, form: str = plain,
                direction: str = "forward",
            returned: str = "all",
        ) -> None:  # fmt: skip
            super().__init__(input_size, hidden_size, batch_first=batch_first)
            self.form, self.direction, self.returned = form, direction, returned

        def forward(self, input: Tensor) -> Any:
            steps = (input.transpose(0, 1) if self.batch_first else input).unbind(0)
            zero = input.new_zeros(steps[0].shape[0], self.hidden_size)
            state: Any = (zero, zero) if step is lstm_step else zero
            held = (self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0)
            shown = []
            for x in reversed(steps) if self.direction in ("backward", "reversed") else steps:
                if self.direction == "late":
                    shown.append(state[0] if step is lstm_step else state)
                state = step(x, state, *held, self.form)
                if self.direction != "late":
                    shown.append(state[0] if step is lstm_step else state)
            outputs = torch.stack(shown[::-1] if self.direction == "reversed" else shown, int(self.batch_first))
            last = (state[0][None], state[1][None]) if step is lstm_step else state[None]
            if self.returned == "last":
                return shown[-1]
            return (outputs, last) if self.returned == "both" else outputs

    Layer.__name__ = Layer.__qualname__ = base.__name__
    return Layer


def _gated(gates: int, dims: int) -> Callable[[Facts], Iterable[Arguments]]:
    def sizes(facts: Facts) -> Iterable[Arguments]:
        x, held = facts.inputs[0], sum(p.numel() for p in facts.parameters.values())
        if x.ndim != dims or not x.is_floating_point() or not held:
            return
        hidden = next((o.shape[-1] for o in facts.outputs.values() if o.ndim), 0)
        if any(held == gates * hidden * (x.shape[-1] + hidden + biases) for biases in (0, 1, 2)):
            yield {"input_size": x.shape[-1], "hidden_size": hidden}

    return sizes


_CANDIDATE = (
    Variant("candidate sigmoid", "the candidate is a sigmoid instead of tanh"),
    Variant("candidate relu", "the candidate is a ReLU instead of tanh"),
)
_LSTM = (
    Variant("no tanh", "tanh of the cell is left out: h = o·c"), *_CANDIDATE,
    Variant("coupled", "the input gate is one minus the forget gate"),
    Variant("forget bias", "one is added to the forget gate before its sigmoid", True),
    Variant("old cell", "the output shows the cell of the step before"),
    Variant("no input gate", "the input gate is left out"),
    Variant("output sigmoid", "the cell is shown through a sigmoid instead of tanh"),
    Variant("output gate tanh", "the output gate is tanh instead of a sigmoid"),
)  # fmt: skip
_GRU = (
    Variant("exchanged", "z and 1 - z are exchanged", True),
    Variant("reset before", "the reset gate is applied before the recurrent product", True), *_CANDIDATE,
    Variant("no reset", "the reset gate is left out"),
    Variant("reset of input", "the reset gate is applied to the input instead of the state"),
    Variant("bias outside", "the recurrent bias is added outside the reset gate", True),
    Variant("no update", "the old state is added whole instead of weighted by z"),
)  # fmt: skip
_RNN = (Variant("sigmoid", "it is a sigmoid instead of tanh"), Variant("linear", "tanh is left out"))
_DIRECTION = (
    Variant("reversed", "time runs in reverse: the sequence is read from its end"),
    Variant("backward", "time runs in reverse: the sequence is read from its end, and states come in that order"),
    Variant("late", "states are shown one step late"),
)
_ORDER = {"batch_first": (True, False), "returned": ("both", "all", "last")}


def _both(
    kind: str, source: str, step: Any, gates: int, plain: str, forms: tuple[Variant, ...], more: dict[str, Any]
) -> tuple[Definition, ...]:
    layer, cell = getattr(nn, kind), getattr(nn, f"{kind}Cell")
    name = kind.lower()
    return (
        Definition(f"{kind} cell", _cell(cell, step, plain), source, (f"{name}cell", name), f"torch.nn.{kind}Cell", (1,
            2, 3),
                   _gated(gates, 2), conventions=more, deviations={"form": forms}),
        Definition(kind, _layer(layer, step, plain), source, (name,), f"torch.nn.{kind}", (1,), _gated(gates, 3),
                   conventions={**more, **_ORDER}, deviations={"form": forms, "direction": _DIRECTION}),
    )  # fmt: skip


DEFINITIONS = (
    *_both("LSTM", "Hochreiter and Schmidhuber 1997; torch.nn.LSTM", lstm_step, 4, "lstm", _LSTM, {}),
    *_both("GRU", "Cho et al. 2014, eq. 5-8; torch.nn.GRU", gru_step, 3, "gru", _GRU, {}),
    *_both(
        "RNN",
        "Elman 1990, Finding Structure in Time; torch.nn.RNN",
        rnn_step,
        1,
        "tanh",
        _RNN,
        {"form": ("tanh", "relu")},
    ),
)
