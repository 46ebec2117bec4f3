"""Recurrent cells and layers, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class ElmanCell(nn.Module):
    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.wx = nn.Linear(input_size, hidden_size)
        self.wh = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.wx(x) + self.wh(h))


class PackedLSTMCell(nn.Module):
    """Gates in the order i, f, g, o in two matrices."""

    def __init__(self, input_size: int = 3, hidden_size: int = 4):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.randn(4 * hidden_size, input_size) * 0.3)
        self.weight_hh = nn.Parameter(torch.randn(4 * hidden_size, hidden_size) * 0.3)
        self.bias_ih = nn.Parameter(torch.randn(4 * hidden_size) * 0.3)
        self.bias_hh = nn.Parameter(torch.randn(4 * hidden_size) * 0.3)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        gates = x @ self.weight_ih.t() + self.bias_ih + h @ self.weight_hh.t() + self.bias_hh
        i, f, g, o = gates.chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    __verifykit__ = {"inputs": {"x": "float[N, 3]", "h": "float[N, 4]", "c": "float[N, 4]"}}


class ConcatLSTMCell(nn.Module):
    """The equations of the textbook: a layer on [x, h] for every gate, one bias each."""

    def __init__(self, n_x: int = 3, n_h: int = 4):
        super().__init__()
        self.forget = nn.Linear(n_x + n_h, n_h)
        self.input = nn.Linear(n_x + n_h, n_h)
        self.candidate = nn.Linear(n_x + n_h, n_h)
        self.output = nn.Linear(n_x + n_h, n_h)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        z = torch.cat([x, h], dim=-1)
        c = torch.sigmoid(self.forget(z)) * c + torch.sigmoid(self.input(z)) * torch.tanh(self.candidate(z))
        return torch.sigmoid(self.output(z)) * torch.tanh(c), c

    __verifykit__ = {"inputs": {"x": "float[N, 3]", "h": "float[N, 4]", "c": "float[N, 4]"}}


class SplitGRUCell(nn.Module):
    def __init__(self, input_size: int = 3, hidden_size: int = 4):
        super().__init__()
        self.W_r = nn.Linear(input_size, hidden_size)
        self.W_z = nn.Linear(input_size, hidden_size)
        self.W_n = nn.Linear(input_size, hidden_size)
        self.U_r = nn.Linear(hidden_size, hidden_size)
        self.U_z = nn.Linear(hidden_size, hidden_size)
        self.U_n = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        r = torch.sigmoid(self.W_r(x) + self.U_r(h))
        z = torch.sigmoid(self.W_z(x) + self.U_z(h))
        n = torch.tanh(self.W_n(x) + r * self.U_n(h))
        return (1 - z) * n + z * h


class LoopLSTM(nn.Module):
    """Returns all hidden states of a batch-first sequence."""

    def __init__(self, input_size: int = 3, hidden_size: int = 4):
        super().__init__()
        self.hidden_size = hidden_size
        self.W = nn.Parameter(torch.randn(input_size, 4 * hidden_size) * 0.2)
        self.U = nn.Parameter(torch.randn(hidden_size, 4 * hidden_size) * 0.2)
        self.b = nn.Parameter(torch.zeros(4 * hidden_size))

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], self.hidden_size)
        c = torch.zeros_like(h)
        states = []
        for t in range(x.shape[1]):
            i, f, g, o = (x[:, t] @ self.W + h @ self.U + self.b).chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            states.append(h)
        return torch.stack(states, dim=1)

    __verifykit__ = {"inputs": {"x": "float[N, T, 3]"}}


class GRULayer(nn.Module):
    def __init__(self, n_in: int = 3, n_hidden: int = 4):
        super().__init__()
        self.n_hidden = n_hidden
        self.cell = nn.GRUCell(n_in, n_hidden)

    def forward(self, seq: Tensor) -> tuple[Tensor, Tensor]:
        h = seq.new_zeros(seq.shape[0], self.n_hidden)
        outputs = []
        for step in seq.unbind(1):
            h = self.cell(step, h)
            outputs.append(h)
        return torch.stack(outputs, 1), h.unsqueeze(0)

    __verifykit__ = {"inputs": {"seq": "float[N, T, 3]"}}


class VanillaRNN(nn.Module):
    """Time first, as torch has it by default."""

    def __init__(self, d_in=3, d_hidden=4):
        super().__init__()
        self.i2h = nn.Linear(d_in, d_hidden)
        self.h2h = nn.Linear(d_hidden, d_hidden, bias=False)

    def forward(self, sequence):
        h = sequence.new_zeros(sequence.shape[1], self.h2h.out_features)
        out = []
        for x in sequence:
            h = torch.tanh(self.i2h(x) + self.h2h(h))
            out.append(h)
        return torch.stack(out)

    __verifykit__ = {"inputs": {"sequence": "float[T, N, 3]"}}


EXPECTED = {
    "ElmanCell": Same("RNNCell"),
    "PackedLSTMCell": Same("LSTMCell", "|initialisation"),
    "ConcatLSTMCell": Same("LSTMCell", "packed|made of|split|concat|joined|stacked|fused|bias"),
    "SplitGRUCell": Same("GRUCell", "packed|made of|split|concat|joined|stacked|separate"),
    "LoopLSTM": Same("LSTM", "transposed|bias"),
    "GRULayer": Same("GRU"),
    "VanillaRNN": Same("RNN", "bias"),
}
