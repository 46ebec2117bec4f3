"""Losses made of random terms with random coefficients, written out in plain torch without a look at the dictionary.

``composites()`` gives twenty that a decomposition should find whole, and ten with a term that no dictionary has.
"""

import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from verifykit.results.identity import Decomposition
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.subject import Subject
from verifykit.targets import Kind, Target


@dataclass(frozen=True)
class Family:
    """Inputs, terms by what a decomposition should call them, with their source, and terms outside any dictionary."""

    inputs: dict[str, str]
    terms: dict[str, str]
    outside: list[str]


REGRESSION = Family(
    {"predictions": "float[N, D]", "targets": "float[N, D]"},
    {
        "MSELoss(p, t)": "torch.mean((predictions - targets) * (predictions - targets))",
        "L1Loss(p, t)": "torch.mean(torch.sqrt((predictions - targets) ** 2))",
        "MSELoss(p, t, reduction='sum') / N": "((targets - predictions) ** 2).sum(dim=1).mean()",
        "HuberLoss(p, t, delta=0.7)": "torch.where((predictions - targets).abs() < 0.7, "
        "(predictions - targets) ** 2 / 2, 0.7 * ((predictions - targets).abs() - 0.35)).mean()",
        "mean(p²)": "(predictions**2).mean()",
        "mean(|p|)": "predictions.abs().mean()",
        "sum(|p|)": "predictions.abs().sum()",
        "mean(p·t)": "(predictions * targets).mean()",
        "mean(1 - cosine_similarity(p, t, dim=0))": "1 - ((predictions * targets).sum(0) / "
        "(predictions.square().sum(0).sqrt() * targets.square().sum(0).sqrt())).mean()",
        "mean(1 - cosine_similarity(p, t, dim=1))": "(1 - (F.normalize(predictions, dim=1) * "
        "F.normalize(targets, dim=1)).sum(1)).mean()",
        "mean(log(cosh(p - t)))": "torch.log(torch.cosh(predictions - targets)).mean()",
        "sqrt(mean((p - t)²))": "(predictions - targets).pow(2).mean().sqrt()",
        "mean(|diff(p, dim=1)|)": "(predictions[:, 1:] - predictions[:, :-1]).abs().mean()",
        "mean(diff(p, dim=0)²)": "((predictions[1:] - predictions[:-1]) ** 2).mean()",
        "mean(std(p, dim=0))": "((predictions - predictions.mean(0)).square().sum(0) / "
        "(len(predictions) - 1)).sqrt().mean()",
        "mean(var(p, dim=1, unbiased=False))": "((predictions - predictions.mean(1, keepdim=True)) ** 2).mean()",
        "mean(norm(p, dim=1))": "predictions.pow(2).sum(1).sqrt().mean()",
        "max(|p - t|)": "(predictions - targets).abs().max()",
        "mean(pinball(p - t, 0.1))": "torch.maximum(0.9 * (targets - predictions), "
        "-0.1 * (targets - predictions)).mean()",
        "mean(entropy(softmax(p, dim=1)))": "-(predictions.softmax(1) * predictions.softmax(1).log()).sum(1).mean()",
        "mean(KL(softmax(t / 3, dim=1) ‖ softmax(p / 3, dim=1)))": "((targets / 3).softmax(1) * "
        "((targets / 3).log_softmax(1) - (predictions / 3).log_softmax(1))).sum(1).mean()",
        "mean(log(1 + exp(-p)))": "torch.log(1 + torch.exp(-predictions)).mean()",
        "mean(relu(1 - p·t))": "(1 - predictions * targets).clamp(min=0).mean()",
    },
    [
        "torch.sin(3 * predictions).mean()",
        "(predictions * predictions.roll(1, 1)).mean()",
        "torch.atan(predictions * targets).mean()",
        "((predictions - targets).abs() ** 1.37 * torch.sigmoid(targets)).mean()",
        "torch.cdist(predictions, targets).mean()",
        "torch.logdet(torch.eye(len(predictions)).to(predictions) + predictions @ predictions.T)",
    ],
)

CLASSES = Family(
    {"logits": "float[N, C]", "labels": "long[N] in below C"},
    {
        "CrossEntropyLoss(logits, labels)": "(logits.logsumexp(1) - logits[range(len(labels)), labels]).mean()",
        "CrossEntropyLoss(logits, labels, label_smoothing=0.2)": "-((0.2 / logits.shape[1] "
        "+ (1 - 0.2) * F.one_hot(labels, logits.shape[1]).to(logits)) * logits.log_softmax(1)).sum(1).mean()",
        "mean(entropy(softmax(logits, dim=1)))": "-(logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()",
        "mean(logsumexp(logits, dim=1)²)": "torch.log(logits.exp().sum(1)).square().mean()",
        "mean(logits²)": "logits.square().mean()",
        "mean(1 - softmax(logits)[labels])": "1 - logits.softmax(1).gather(1, labels[:, None]).mean()",
        "mean(-(1 - softmax(logits)[labels])^2·log_softmax(logits)[labels])": "-((1 - logits.softmax(1).gather(1, "
        "labels[:, None])) ** 2 * logits.log_softmax(1).gather(1, labels[:, None])).mean()",
        "MultiMarginLoss(logits, labels)": "((1 - logits.gather(1, labels[:, None]) + logits).clamp(min=0).sum(1) "
        "- 1).div(logits.shape[1]).mean()",
    },
    ["(logits.softmax(1).mean(0) ** 2).sum()", "torch.sin(logits).prod(1).mean()"],
)

LATENT = Family(
    {"mu": "float[N, D]", "logvar": "float[N, D]"},
    {
        "sum(0.5·(mu² + exp(logvar) - logvar - 1)) / N": "-0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()",
        "mean(mu²)": "(mu**2).mean()",
        "mean(|logvar|)": "logvar.abs().mean()",
        "mean(norm(mu, dim=1))": "mu.norm(dim=1).mean()",
        "mean(var(mu, dim=0))": "mu.var(0).mean()",
    },
    ["(mu * torch.tanh(logvar)).mean()", "torch.sin(mu * 2).mean()"],
)

# Terms of which one and other common ones together are a third: a sum with two of them has another reading as short.
RIVALS = ({"L1Loss(p, t)", "mean(pinball(p - t, 0.1))"}, {"mean(mu²)", "sum(0.5·(mu² + exp(logvar) - logvar - 1)) / N"})

FAMILIES = {"regression": REGRESSION, "classes": CLASSES, "latent": LATENT}


@dataclass(frozen=True)
class Composite:
    """A loss with what it is made of: ``expected`` coefficients by term, and a term ``outside`` in source, if any."""

    name: str
    source: str
    inputs: dict[str, str]
    expected: dict[str, float]
    outside: str = ""

    def found(self, decomposition: Decomposition) -> int:
        """How many of the expected terms are in ``decomposition``, with their coefficients to a thousandth."""
        got = {term.text.replace("\N{MINUS SIGN}", "-"): term.coefficient for term in decomposition.terms}
        return sum(abs(got.get(text, 0.0) - value) <= 1e-3 * abs(value) for text, value in self.expected.items())

    def is_whole(self, decomposition: Decomposition) -> bool:
        """Whether ``decomposition`` is what the loss is made of, and nothing else."""
        same = decomposition.unexplained == 0 and len(decomposition.terms) == len(self.expected)
        return same and not self.outside and self.found(decomposition) == len(self.expected)

    @cached_property
    def subject(self) -> Subject:
        """The loss, ready to be decomposed."""
        space: dict[str, Any] = {"torch": torch, "F": F, "nn": nn, "__name__": __name__}
        exec(self.source, space)
        return subject_of(space["Composite"], self.inputs)


def subject_of(made: Any, inputs: dict[str, str]) -> Subject:
    """Return the class or function ``made`` as it is fed with ``inputs``."""
    spec = Spec({}, tuple(parse_input(name, text) for name, text in inputs.items()))
    kind: Kind = "class" if isinstance(made, type) else "function"
    return Subject(Target(f"{__name__}:{made.__name__}", made, kind, None), spec)


def composites(seed: int = 0, inside: int = 20, outside: int = 10) -> list[Composite]:
    """Return so many composites without, then with a term outside every dictionary; all random choices by ``seed``."""
    chance = random.Random(seed)
    return [_composite(chance, at, at >= inside) for at in range(inside + outside)]


def _composite(chance: random.Random, at: int, strange: bool) -> Composite:
    kind = chance.choices(list(FAMILIES), [6, 2, 2])[0]
    family = FAMILIES[kind]
    sampled = chance.sample(list(family.terms), chance.randint(1 if strange else 2, 3 if strange else 4))
    chosen = [t for at, t in enumerate(sampled) if not any({t, other} in RIVALS for other in sampled[:at])]
    usual = [0.01, 0.1, 0.25, 0.5, 1.0, 2.0, 0.0]
    expected = {text: chance.choice(usual) or round(chance.uniform(0.05, 3), 2) for text in chosen}
    parts = [f"{coefficient} * ({family.terms[text]})" for text, coefficient in expected.items()]
    other = chance.choice(family.outside) if strange else ""
    if other:
        parts.append(f"{chance.choice([0.3, 0.7, 1.5])} * ({other})")
    arguments = ", ".join(family.inputs)
    body = "\n".join(f"        total = total + {part}" for part in parts)
    source = f"class Composite(nn.Module):\n    def forward(self, {arguments}):\n        total = 0.0\n{body}\n"
    source += "        return total\n"
    return Composite(f"{kind} {at}", source, family.inputs, expected, other)
