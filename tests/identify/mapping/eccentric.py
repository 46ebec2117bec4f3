"""Re-implementations of built-ins that hold their state in ways of their own."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class InOutLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(4, 6))
        self.offset = nn.Parameter(torch.randn(6))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("ni,io->no", x, self.kernel) + self.offset


class SquareLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(5, 5))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.kernel


class AugmentedLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.randn(6, 5))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.ones_like(x[:, :1]), x], 1) @ self.theta.T


class PerHeadLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(2, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("ne,hde->nhd", x, self.w).flatten(1)


class HeadsLastLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 2, 3))
        self.b = nn.Parameter(torch.randn(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.einsum("ne,ehd->nhd", x, self.w) + self.b).flatten(1)


class UnfoldConv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2 * 9))
        self.bias = nn.Parameter(torch.randn(3))

    def forward(self, x: Tensor) -> Tensor:
        columns = F.unfold(x, 3, padding=1)
        return (self.weight @ columns + self.bias[:, None]).view(x.shape[0], 3, *x.shape[2:])


class FlippedConv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight.flip(2, 3), padding=1)


class PointwiseConv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x.transpose(1, 2)).transpose(1, 2)


class DepthwiseConv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.taps = nn.Parameter(torch.randn(3, 3))

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (1, 1))
        return sum(self.taps[None, :, k, None] * padded[..., k : k + x.shape[-1]] for k in range(3))


class GatedCell(nn.Module):
    """An LSTM over time, batch first, with a linear layer per gate of what is joined."""

    def __init__(self) -> None:
        super().__init__()
        self.forget, self.input, self.cell, self.output = (nn.Linear(4 + 3, 3) for _ in range(4))

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h = c = x.new_zeros(x.shape[0], 3)
        steps = []
        for step in x.unbind(1):
            joined = torch.cat([step, h], 1)
            f, i, o = (torch.sigmoid(layer(joined)) for layer in (self.forget, self.input, self.output))
            c = f * c + i * torch.tanh(self.cell(joined))
            h = o * torch.tanh(c)
            steps.append(h)
        return torch.stack(steps, 1), (h[None], c[None])


class SeparateLSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for gate in "ifco":
            setattr(self, f"W_{gate}", nn.Parameter(torch.randn(4, 3)))
            setattr(self, f"U_{gate}", nn.Parameter(torch.randn(3, 3)))
            setattr(self, f"b_{gate}", nn.Parameter(torch.randn(3)))

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h = c = x.new_zeros(x.shape[0], 3)
        steps = []
        for step in x.unbind(1):
            i, f, g, o = (
                step @ getattr(self, f"W_{k}") + h @ getattr(self, f"U_{k}") + getattr(self, f"b_{k}") for k in "ifco"
            )
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        return torch.stack(steps, 1), (h[None], c[None])


class PackedLSTM(nn.Module):
    """Packed weights, gates in the order i, f, o, g."""

    def __init__(self) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(4, 12), nn.Linear(3, 12)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h = c = x.new_zeros(x.shape[0], 3)
        steps = []
        for step in x.unbind(1):
            i, f, o, g = (self.x2h(step) + self.h2h(h)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        return torch.stack(steps, 1), (h[None], c[None])


class JoinedLSTM(nn.Module):
    """One weight for all gates and for both inputs and the hidden state, which comes first."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.Linear(3 + 4, 12)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h = c = x.new_zeros(x.shape[0], 3)
        steps = []
        for step in x.unbind(1):
            i, f, g, o = self.gates(torch.cat([h, step], 1)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        return torch.stack(steps, 1), (h[None], c[None])


class SeparateGRU(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for name in ("xz", "xr", "xh"):
            setattr(self, f"w_{name}", nn.Linear(4, 3))
        for name in ("hz", "hr", "hh"):
            setattr(self, f"w_{name}", nn.Linear(3, 3))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z = torch.sigmoid(self.w_xz(x) + self.w_hz(h))
        r = torch.sigmoid(self.w_xr(x) + self.w_hr(h))
        n = torch.tanh(self.w_xh(x) + r * self.w_hh(h))
        return (1 - z) * n + z * h


class PackedGRU(nn.Module):
    """Gates in the order z, r, n."""

    def __init__(self) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(4, 9), nn.Linear(3, 9)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        (xz, xr, xn), (hz, hr, hn) = self.x2h(x).chunk(3, 1), self.h2h(h).chunk(3, 1)
        z, r = torch.sigmoid(xz + hz), torch.sigmoid(xr + hr)
        return (1 - z) * torch.tanh(xn + r * hn) + z * h


class OneBiasRNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.Wx = nn.Parameter(torch.randn(4, 3))
        self.Wh = nn.Parameter(torch.randn(3, 3))
        self.b = nn.Parameter(torch.randn(3))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(x @ self.Wx + h @ self.Wh + self.b)


class SquareRNN(nn.Module):
    """Input and hidden state of one size, so that shapes tell nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden_part, self.input_part = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.input_part(x) + self.hidden_part(h))


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(-3, -2) for t in (q, k, v))
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    return (weights @ v).transpose(-3, -2).flatten(-2)


class SeparateAttention(nn.Module):
    def __init__(self, bias: bool = True) -> None:
        super().__init__()
        self.to_out = nn.Linear(6, 6)
        self.to_v, self.to_k, self.to_q = (nn.Linear(6, 6, bias=bias) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.to_out(attend(self.to_q(x), self.to_k(x), self.to_v(x), 2))


class KeyWithoutBias(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = nn.Linear(6, 6), nn.Linear(6, 6, bias=False), nn.Linear(6, 6)
        self.out = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(attend(self.query(x), self.key(x), self.value(x), 2))


class BiasOnlyOut(SeparateAttention):
    def __init__(self) -> None:
        super().__init__(bias=False)


class Encoder(nn.Module):
    """A layer of a transformer, the norms first, everything named in its author's way."""

    def __init__(self) -> None:
        super().__init__()
        self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(6), PackedAttention(), nn.LayerNorm(6)
        self.fc1, self.fc2 = nn.Linear(6, 10), nn.Linear(10, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.fc2(torch.relu(self.fc1(self.ln_2(x))))


class StackedLSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(4, 3), nn.LSTMCell(3, 3)])

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        ends = []
        for cell in self.cells:
            state, steps = (x.new_zeros(x.shape[0], 3),) * 2, []
            for step in x.unbind(1):
                state = cell(step, state)
                steps.append(state[0])
            x = torch.stack(steps, 1)
            ends.append(state)
        return x, (torch.stack([h for h, _ in ends]), torch.stack([c for _, c in ends]))


class HeadList(nn.Module):
    """A list of heads, each with projections of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.ModuleDict({name: nn.Linear(6, 3, bias=False) for name in ("key", "query", "value")}) for _ in range(2)
        )
        self.out = nn.Linear(6, 6, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        parts = [attend(head["query"](x), head["key"](x), head["value"](x), 1) for head in self.heads]
        return self.out(torch.cat(parts, -1))


class SideBySide(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mean, self.scale = nn.Linear(4, 2), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.mean(x), self.scale(x)], 1)


class ChannelByChannel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(1, 1, 3, padding=1) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([conv(part) for conv, part in zip(self.convs, x.split(1, 1), strict=True)], 1)


class UnnamedAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.ParameterList([nn.Parameter(torch.randn(6, 6)) for _ in range(4)])

    def forward(self, x: Tensor) -> Tensor:
        out, a, b, c = self.w
        return attend(x @ a, x @ c, x @ b, 2) @ out


class PackedAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(6, 18), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(attend(*self.qkv(x).chunk(3, -1), 2))


class KeyFirstAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(6, 18), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        k, q, v = self.qkv(x).chunk(3, -1)
        return self.proj(attend(q, k, v, 2))


class InterleavedAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(6, 18), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part.flatten(-2) for part in self.qkv(x).unflatten(-1, (2, 3, 3)).unbind(-2))
        return self.proj(attend(q, k, v, 2))


class KeyValueAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.kv, self.out = nn.Linear(6, 6), nn.Linear(6, 12), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(attend(self.q(x), *self.kv(x).chunk(2, -1), 2))


class ShapedLayerNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, 1, 5))
        self.beta = nn.Parameter(torch.zeros(1, 1, 5))

    def forward(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x, -1, keepdim=True, correction=0)
        return self.beta + self.gamma * (x - mean) / torch.sqrt(variance + 1e-5)


class OwnBatchNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, 3, 1, 1))
        self.scale = nn.Parameter(torch.ones(1, 3, 1, 1))
        self.register_buffer("moving_var", torch.ones(1, 3, 1, 1))
        self.register_buffer("moving_mean", torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            variance, mean = torch.var_mean(x, (0, 2, 3), keepdim=True, correction=0)
            count = x.numel() / x.shape[1]
            with torch.no_grad():
                self.moving_mean.lerp_(mean, 0.1)
                self.moving_var.lerp_(variance * count / (count - 1), 0.1)
        else:
            mean, variance = self.moving_mean, self.moving_var
        return (x - mean) / torch.sqrt(variance + 1e-5) * self.scale + self.shift


class ScaleOnlyBatchNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("var", torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.mean, self.var, self.scale, None, self.training)


class OneHotEmbedding(nn.Module):
    """A row more than there are indices."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(8, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.table[x + 1]


class ZeroCentredRMSNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(5))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * (1 + self.weight)


class WeightNormLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class LoRALinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(5, 4)
        self.lora_a = nn.Parameter(torch.randn(2, 5))
        self.lora_b = nn.Parameter(torch.randn(4, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + 0.5 * (x @ self.lora_a.T) @ self.lora_b.T


class LogScaleLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))
        self.log_scale = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight) * self.log_scale.exp()


class PositiveLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.randn(3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, F.softplus(self.raw))


class StandardisedConv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(self.weight, (1, 2, 3), keepdim=True, correction=0)
        return F.conv2d(x, (self.weight - mean) / torch.sqrt(variance + 1e-5), padding=1)


class NegativePReLU(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.25))

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=0) - self.slope * x.clamp(max=0)


class TwoBiasLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.extra = nn.Parameter(torch.randn(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + self.extra


class StackedLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 6, bias=False), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


class HiddenLinear(nn.Module):
    """Linear in its input with weights that nobody would write: it is not to be taken for a Linear of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, torch.sin(3 * self.weight) * self.weight.roll(1, 0))


class PlainKernel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.5, -2.0], [1.0, 0.25, -1.0]])[None, None]

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.kernel.to(x))
