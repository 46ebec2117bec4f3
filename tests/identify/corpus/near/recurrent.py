"""Recurrent cells and layers, and what is random, with gates, states or scales amiss."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
from torch import Tensor, nn

from tests.identify.corpus.entries import Near, Same

LSTM_INPUTS = {"inputs": {"x": "float[N, 3]", "h": "float[N, 4]", "c": "float[N, 4]"}}


class LSTMCell(nn.Module):
    """The gates of the packed matrices come as i, f, o, g."""

    def __init__(self, input_size: int = 3, hidden_size: int = 4):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.randn(4 * hidden_size, input_size) * 0.3)
        self.weight_hh = nn.Parameter(torch.randn(4 * hidden_size, hidden_size) * 0.3)
        self.bias_ih = nn.Parameter(torch.zeros(4 * hidden_size))
        self.bias_hh = nn.Parameter(torch.zeros(4 * hidden_size))

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        gates = x @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh
        i, f, o, g = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    __verifykit__ = LSTM_INPUTS


class Gated(nn.Module):
    """An LSTM cell whose output is o * c, without the tanh."""

    def __init__(self, n_in: int = 3, n_hidden: int = 4):
        super().__init__()
        self.x2g = nn.Linear(n_in, 4 * n_hidden)
        self.h2g = nn.Linear(n_hidden, 4 * n_hidden)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = (self.x2g(x) + self.h2g(h)).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c, c

    __verifykit__ = LSTM_INPUTS


class CandidateBySigmoid(nn.Module):
    """An LSTM cell whose candidate goes through a sigmoid, like the gates."""

    def __init__(self, n_in: int = 3, n_hidden: int = 4):
        super().__init__()
        self.x2g = nn.Linear(n_in, 4 * n_hidden)
        self.h2g = nn.Linear(n_hidden, 4 * n_hidden)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = torch.sigmoid(self.x2g(x) + self.h2g(h)).chunk(4, -1)
        c = f * c + i * g
        return o * torch.tanh(c), c

    __verifykit__ = LSTM_INPUTS


class GRUCell(nn.Module):
    """h' = z n + (1 - z) h, as in the first version of the paper."""

    def __init__(self, input_size: int = 3, hidden_size: int = 4):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.randn(3 * hidden_size, input_size) * 0.3)
        self.weight_hh = nn.Parameter(torch.randn(3 * hidden_size, hidden_size) * 0.3)
        self.bias_ih = nn.Parameter(torch.zeros(3 * hidden_size))
        self.bias_hh = nn.Parameter(torch.zeros(3 * hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        xr, xz, xn = (x @ self.weight_ih.T + self.bias_ih).chunk(3, 1)
        hr, hz, hn = (h @ self.weight_hh.T + self.bias_hh).chunk(3, 1)
        z = torch.sigmoid(xz + hz)
        n = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
        return z * n + (1 - z) * h

    __verifykit__ = {"inputs": {"x": "float[N, 3]", "h": "float[N, 4]"}}


class ResetBefore(nn.Module):
    """The reset gate acts on the state before the matrix."""

    def __init__(self, input_size: int = 3, hidden_size: int = 4):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.randn(3 * hidden_size, input_size) * 0.3)
        self.weight_hh = nn.Parameter(torch.randn(3 * hidden_size, hidden_size) * 0.3)
        self.bias_ih = nn.Parameter(torch.randn(3 * hidden_size))
        self.bias_hh = nn.Parameter(torch.randn(3 * hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        wr, wz, wn = self.weight_hh.chunk(3)
        br, bz, bn = self.bias_hh.chunk(3)
        xr, xz, xn = (x @ self.weight_ih.T + self.bias_ih).chunk(3, 1)
        r = torch.sigmoid(xr + h @ wr.T + br)
        z = torch.sigmoid(xz + h @ wz.T + bz)
        n = torch.tanh(xn + (r * h) @ wn.T + bn)
        return (1 - z) * n + z * h

    __verifykit__ = {"inputs": {"x": "float[N, 3]", "h": "float[N, 4]"}}


class RNNCell(nn.Module):
    def __init__(self, input_size=3, hidden_size=4):
        super().__init__()
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)

    def forward(self, x, h):
        return torch.sigmoid(self.i2h(x) + self.h2h(h))

    __verifykit__ = {"inputs": {"x": "float[N, 3]", "h": "float[N, 4]"}}


class Backwards(nn.Module):
    """A recurrent layer that reads the sequence from its end."""

    def __init__(self, d: int = 3, hidden: int = 4):
        super().__init__()
        self.cell = nn.RNNCell(d, hidden)
        self.hidden = hidden

    def forward(self, seq: Tensor) -> Tensor:
        h = seq.new_zeros(seq.shape[1], self.hidden)
        out = []
        for x in seq.flip(0):
            h = self.cell(x, h)
            out.append(h)
        return torch.stack(out[::-1])

    __verifykit__ = {"inputs": {"seq": "float[T, N, 3]"}}


class Dropout(nn.Module):
    """Sets elements to zero with probability p in training."""

    def __init__(self, p: float = 0.3):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) > self.p) if self.training else x


class KeepSome(nn.Module):
    """Inverted dropout, told the probability to keep."""

    def __init__(self, p: float = 0.3):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.bernoulli(torch.full_like(x, self.p)) / self.p if self.training else x


class ClassicDropout(nn.Module):
    """Dropout as first published, which rescales in evaluation: 1 - p times the inverted one, in training as well."""

    def __init__(self, p: float = 0.3):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) >= self.p) if self.training else (1 - self.p) * x


LSTM = ("LSTMCell", "lstm_cell")
GRU = ("GRUCell", "gru_cell")
DROPOUT = ("Dropout", "dropout")

EXPECTED = {
    "LSTMCell": Near(LSTM, r"gate|order"),
    "Gated": Near(LSTM, r"tanh"),
    "CandidateBySigmoid": Near(LSTM, r"sigmoid|tanh|candidate|gate"),
    "GRUCell": Near(GRU, r"1 ?[^a-z] ?z|\bz\b|update|gate|swap|exchang"),
    "ResetBefore": Near(GRU, r"reset"),
    "RNNCell": Near(("RNNCell",), r"sigmoid|nonlinear|tanh"),
    "Backwards": Near(("RNN",), r"revers|backward|time|direction|end", r"bidirectional"),
    "Dropout": Near(DROPOUT, r"scal|1 ?[^a-z] ?p|factor"),
    "KeepSome": Near(DROPOUT, r"keep|probab|1 ?[^a-z] ?p", r"p=0\.7"),
    "ClassicDropout": Same(DROPOUT, r"factor|0\.7"),
}
