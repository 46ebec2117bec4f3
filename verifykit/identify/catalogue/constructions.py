"""With which arguments something may be made so that it has the state, the inputs and the outputs of a module."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from verifykit.identify.catalogue.factory import Factory
from verifykit.identify.catalogue.fitting import KINDS, RANDOM, SHAPES, Fitting, quietly
from verifykit.identify.catalogue.pools import pool
from verifykit.identify.catalogue.values import values_of
from verifykit.identify.facts import Facts

Arguments = dict[str, Any]

# How much is tried for one factory: modules and parameters made to find required arguments, such arguments, calls, and
# constructions returned.
_BUILT, _HELD, _TRIALS, _MOST = 700, 24, 360, 120

# Of two real numbers that are changed together, how many values are tried each.
_PAIRED = 4

# Constructions that real numbers are tried with which the module does not mention.
_LIKELY = 6

# So many constructions are asked which options change the state: each option may need others to be allowed.
_LOOKED = 12

# As many numbers take as long to make as one parameter.
_NUMBERS = 3000

# Calls without any answer after which it is taken to want other inputs.
_REFUSED = 150

# Up to this many combinations of options all are tried, beyond it those with few changes.
_ALL = 48


def constructions(factory: Factory, facts: Facts) -> Iterator[Arguments]:
    """Yield keyword arguments with which what ``factory`` makes may be the module of ``facts``: it holds as many
    numbers, takes the inputs and returns tensors of the shapes of the outputs.

    Required arguments come from what the module mentions and from its sizes; then options are changed, the fewest
    first. Arguments at their defaults are left out.
    """
    if not takes(factory, facts):
        return
    search = _Search(factory, facts)
    with quietly():
        suited = search.suited()
    yield from itertools.islice(search.with_numbers(suited), _MOST)


def takes(factory: Factory, facts: Facts) -> bool:
    """Whether ``factory`` may take the inputs, by their number and dimensions."""
    if not factory.fewest <= len(facts.inputs) <= factory.most:
        return False
    if not factory.is_class and not fitting_of(facts).scalars:
        return False  # a function has no place for the state
    return factory.spatial is None or facts.inputs[0].ndim in (factory.spatial + 1, factory.spatial + 2)


def fitting_of(facts: Facts) -> Fitting:
    """Return what candidates for ``facts`` have to fit; worked out once."""
    return facts.subject.once("fitting of candidates", lambda: Fitting(facts))


class _Search:
    def __init__(self, factory: Factory, facts: Facts) -> None:
        self.factory, self.fitting = factory, fitting_of(facts)
        self.own = set(values_of(facts).numbers)
        self.pools = {a.name: pool(a, facts) for a in factory.arguments}
        # A rate of dropout has to be given just where its default draws and the module does not.
        given = {
            a.name for a in factory.arguments if a.required or a.is_size or (a.is_rate and self.pools[a.name] == [0.0])
        }
        options = [a for a in factory.arguments if a.name not in given and self.pools[a.name]]
        self.required = [a.name for a in factory.arguments if a.name in given]
        self.tensors = {a.name for a in options if a.kind == "tensor"}
        self.numbers = [a.name for a in options if a.kind == "float" and a.default is not None]
        self.options = [a.name for a in options if a.name not in self.numbers]

    def suited(self) -> list[Arguments]:
        """Arguments, those of real numbers aside, with which it answers."""
        held = self._holding()
        shaping = [name for name in self.options if name not in self._state_options]
        found = self._answering(held, shaping)
        if not found and RANDOM in self._refusals:  # a rate of dropout decides
            found = self._answering(held, [*self.numbers, *shaping])
        return sorted(found, key=self._distance)

    def _distance(self, arguments: Arguments) -> int:
        """How far ``arguments`` are from the likeliest: options changed, and places in the pools of the required."""
        places = (i for name in self.required for i, value in enumerate(self.pools[name]) if value is arguments[name])
        return len(arguments) + sum(places)

    def _answering(self, held: Sequence[Arguments], options: Sequence[str]) -> list[Arguments]:
        found: list[Arguments] = []
        self._refusals = set[str]()
        self._trials = 0
        for count, start in enumerate(held):
            found += self._changed(start, options)
            refused = not found and not self._refusals & {SHAPES, RANDOM}
            if (refused and (count >= _HELD // 2 or self._trials > _REFUSED)) or self._trials > _TRIALS:
                break
        return found

    def with_numbers(self, suited: Sequence[Arguments]) -> Iterator[Arguments]:
        """Yield ``suited``, then the same with one of the options that are real numbers changed: to numbers that the
        module mentions, then, of the likeliest, to others; then with two changed to numbers that it mentions.
        """
        own = {n: [v for v in self.pools[n] if v in self.own] for n in self.numbers}
        others = {n: [v for v in self.pools[n] if v not in self.own] for n in self.numbers}
        mentioned = {name: values[:_PAIRED] for name, values in own.items()}
        yield from suited
        for values, likely in ((own, suited), (others, suited[:_LIKELY])):
            for arguments, name in itertools.product(likely, self.numbers):
                for value in values[name]:
                    if name not in arguments:
                        yield {**arguments, name: value}
        for arguments, (one, other) in itertools.product(suited, itertools.combinations(self.numbers, 2)):
            for pair in itertools.product(mentioned[one], mentioned[other]):
                if one not in arguments and other not in arguments:
                    yield {**arguments, one: pair[0], other: pair[1]}

    def _bases(self) -> Iterator[list[Arguments]]:
        """Required arguments, the likeliest first: those that are further and further from the first of each pool."""
        pools = [self.pools[name] for name in self.required]
        for far in range(1 + sum(max(len(values) - 1, 0) for values in pools)):
            yield [
                {name: values[at] for name, values, at in zip(self.required, pools, place, strict=True)}
                for place in _places(pools, far)
            ]

    def _holding(self) -> list[Arguments]:
        """Arguments with which it has the state of the audited module; learns which options change its state."""
        self._state_options: dict[str, int] = {}
        if not self.factory.is_class:
            return list(itertools.islice(itertools.chain.from_iterable(self._bases()), _HELD))
        exact: list[Arguments] = []
        near: list[Arguments] = []
        spent = looked = 0
        unknown = {name for name in self.options if name not in self.tensors}  # a tensor stays what it is given
        grown: list[Arguments] = []
        for further in itertools.chain(self._bases(), [[], [], []]):
            level, grown = [*grown, *further], []
            for arguments in level:
                if spent > _BUILT or len(exact) >= _HELD:
                    return [*exact, *near][:_HELD]
                module = self.fitting.build(self.factory, arguments)
                spent += 1
                if module is None:
                    continue
                amount = self.fitting.amount_of(module)
                spent += sum(1 for _ in module.parameters()) + amount // _NUMBERS
                if looked < _LOOKED and unknown:
                    looked += 1
                    unknown -= self._learn(arguments, amount, unknown)
                    if self.fitting.stateless and amount > -sum(min(e, 0) for e in self._state_options.values()):
                        return []
                surplus = self.fitting.surplus(module)
                if surplus == 0:
                    exact.append(arguments)
                    continue
                if self.fitting.holds(module):
                    near.append(arguments)
                grown += self._towards(arguments, surplus)
        return [*exact, *near][:_HELD]

    def _towards(self, arguments: Arguments, surplus: int) -> list[Arguments]:
        """``arguments`` with one more option changed that brings the state nearer to that of the audited module."""
        names = [name for name, effect in self._state_options.items() if effect * surplus < 0 or effect == 0]
        last = max((names.index(name) for name in arguments if name in names), default=-1)
        return [
            {**arguments, name: value}
            for name in names[last + 1 :]
            if name not in self.required
            for value in self.pools[name][:4]
        ]

    def _learn(self, arguments: Arguments, amount: int, options: set[str]) -> set[str]:
        """Find which of ``options`` change how many numbers it holds, ``amount`` where it is made with ``arguments``,
        and whether to more or to fewer; return those that it takes beside these arguments.
        """
        known = set()
        for name in sorted(options):
            for value in self.pools[name][:4]:
                other = self.fitting.build(self.factory, {**arguments, name: value})
                if other is None:
                    continue
                known.add(name)
                if change := self.fitting.amount_of(other) - amount:
                    self._state_options[name] = change
                    break
        return known

    def _changed(self, start: Arguments, options: Sequence[str]) -> Iterator[Arguments]:
        """``start`` with ``options`` changed where it answers: few changes, more only where few do not do."""
        total = 1
        for name in options:
            total *= 1 + len(self.pools[name])
        hopeless = {KINDS} if self.factory.is_class else {KINDS, RANDOM}
        level: list[Arguments] = [start]
        reasons: set[str] = set()
        first: int | None = None
        trials = 0
        for depth in range(len(options) + 1):
            refusals = [self._refusal(arguments) for arguments in level]
            passed = [arguments for arguments, refusal in zip(level, refusals, strict=True) if not refusal]
            trials += len(level)
            self._trials += len(level)
            reasons |= {refusal for refusal in refusals if refusal}
            self._refusals |= reasons
            yield from passed
            first = depth if passed and first is None else first
            if first is None and (reasons <= hopeless or (depth and not reasons & {SHAPES, RANDOM})):
                return  # other numbers, or other inputs, whatever the options
            if total > _ALL and (trials > _TRIALS // 3 or depth >= (3 if first is None else first + 2)):
                return
            level = self._grown(passed if first is not None and total > _ALL else level, options)[: _TRIALS // 3]
            if not level:
                return

    def _refusal(self, arguments: Arguments) -> str:
        call = self.fitting.call(self.factory, arguments)
        return "refused" if call is None else self.fitting.refusal(call)

    def _grown(self, found: Sequence[Arguments], options: Sequence[str]) -> list[Arguments]:
        grown: list[Arguments] = []
        keys: set[tuple[tuple[str, int], ...]] = set()
        for arguments, name in itertools.product(found, options):
            if name in arguments:
                continue
            for value in self.pools[name]:
                more = {**arguments, name: value}
                key = tuple(sorted((n, id(v)) for n, v in more.items() if n in options))
                if key not in keys:
                    keys.add(key)
                    grown.append(more)
        return grown


def _places(pools: Sequence[Sequence[Any]], far: int) -> Iterator[tuple[int, ...]]:
    """Positions in ``pools``, one in each, that are ``far`` from the first ones altogether."""
    if not pools:
        if far == 0:
            yield ()
        return
    for at in range(min(len(pools[0]), far + 1)):
        for rest in _places(pools[1:], far - at):
            yield (at, *rest)
