"""What the check ``identity`` says of many targets, two at a time, and how long that takes."""

import math
import time
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from tests.identify.naming import exists
from verifykit.checks.registry import load_checks
from verifykit.config import TargetConfig
from verifykit.errors import UserError
from verifykit.experiments.behaviour.globals import put_back
from verifykit.results.identity import Identity, Likeness
from verifykit.runner import Plan, prepare, run_check
from verifykit.spec.subject import Subject


@dataclass(frozen=True)
class Question:
    """A target, and what is given where inference is not to choose."""

    target: str
    init: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What was found out; ``seconds`` are those that the processor spent on the check, as many as it takes on a machine
    that does nothing else. ``trouble`` says why there is no answer.
    """

    question: Question
    identity: Identity
    seconds: float
    trouble: str = ""

    @property
    def likeness(self) -> Likeness | None:
        """The operation it is or comes near to."""
        return self.identity.likeness

    @property
    def is_named(self) -> bool:
        """Whether the name is one that can be called so."""
        return self.likeness is None or exists(self.likeness.name)

    @property
    def text(self) -> str:
        """The likeness in one line."""
        if self.trouble or self.likeness is None:
            return self.trouble or "nothing"
        differs = "; ".join([*self.likeness.up_to, *self.likeness.deviations])
        return f"{self.likeness.relation}: {self.likeness.name}" + (f" [{differs}]" if differs else "")


def answer(question: Question) -> Answer:
    """Return what is said of one target."""
    with _quiet():
        try:
            with put_back():
                subject, _ = prepare(question.target, Plan([], TargetConfig(question.init, question.inputs)))
        except UserError as error:  # one that cannot be built is counted, and must not end the others
            return Answer(question, Identity(), math.nan, f"{type(error).__name__}: {str(error)[:200]}")
    return answer_of(subject, question)


def answers(questions: Iterable[Question]) -> list[Answer]:
    """Return what is said of each, in two processes of one thread each."""
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(answer, questions))


def answer_of(subject: Subject, question: Question | None = None) -> Answer:
    """Return what is said of a subject."""
    with _quiet():
        before = time.process_time()
        outcome = run_check(load_checks()["identity"], subject)
        seconds = time.process_time() - before
    trouble = (outcome.reason or "") if outcome.status in ("crashed", "inconclusive") else ""
    return Answer(question or Question(subject.target.name), outcome.identity or Identity(), seconds, trouble)


@contextmanager
def _quiet() -> Iterator[None]:
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
