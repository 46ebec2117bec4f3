"""Whole modules as people write them, and the contracts that must be learnt without a word from anybody."""

from collections.abc import Callable

import pytest

from verifykit.runner import Plan, prepare
from verifykit.spec.outputs import learn_outputs

SOURCE = """
class Patches(nn.Module):
    def __init__(self, image_size, patch_size, num_classes, dim):
        super().__init__()
        self.embed = nn.Conv2d(3, dim, patch_size, patch_size)
        self.position = nn.Parameter(torch.randn(1, (image_size // patch_size) ** 2, dim))
        self.head = nn.Linear(dim, num_classes)
    def forward(self, img):
        return self.head((self.embed(img).flatten(2).transpose(1, 2) + self.position).mean(1))

class CrossAttention(nn.Module):
    def __init__(self, query_dim, context_dim, heads=2):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(query_dim, 8), nn.Linear(context_dim, 8)
        self.value, self.out = nn.Linear(context_dim, 8), nn.Linear(8, query_dim)
    def forward(self, x, context):
        split = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(
            split(self.query(x)), split(self.key(context)), split(self.value(context))
        )
        return self.out(mixed.transpose(1, 2).flatten(2))

class GraphAttention(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
    def forward(self, h, adj):
        z = self.linear(h)
        return F.softmax((z @ z.T).masked_fill(adj <= 0, -9e15), 1) @ z

class DiceLoss(nn.Module):
    def forward(self, logits, targets):
        p, t = logits.sigmoid().flatten(1), targets.flatten(1)
        return (1 - 2 * (p * t).sum(1) / (p.sum(1) + t.sum(1))).mean()

class Focal(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.num_classes = num_classes
    def forward(self, inputs, targets):
        assert inputs.shape[1] == self.num_classes
        logp = F.log_softmax(inputs, 1).gather(1, targets[:, None])
        return (-(1 - logp.exp()) ** 2 * logp).mean()

class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return scale * x**3
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * ctx.scale * x**2, None

def power(x: Tensor, exponent: float):
    return x.abs() ** exponent
"""

CONTRACTS = {
    "Patches": "img: float[N, 3, image_size, image_size] -> float[N, num_classes]",
    "CrossAttention": "x: float[N, L, query_dim]; context: float[N, S, context_dim] -> float[N, L, query_dim]",
    "GraphAttention": "h: float[N, in_features]; adj: float[N, N] in {0, 1} -> float[N, out_features]",
    "DiceLoss": "logits: float[N, D]; targets: float[N, D] in {0, 1} -> float[]",
    "Focal": "inputs: float[N, num_classes]; targets: long[N] in below num_classes -> float[]",
    "Cube": "x: float[N, C] -> float[N, C]",
    "power": "x: float[N, D] -> float[N, D]",
}


@pytest.mark.parametrize("name", CONTRACTS)
def test_contracts(module_file: Callable[[str], str], name: str) -> None:
    subject, _ = prepare(f"{module_file(SOURCE)}:{name}", Plan([]))
    inputs = "; ".join(map(str, subject.spec.inputs))
    outputs = ", ".join(f"{o.dtype}[{', '.join(map(str, o.shape))}]" for o in learn_outputs(subject))
    assert f"{inputs} -> {outputs}" == CONTRACTS[name]
