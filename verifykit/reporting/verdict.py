"""What every format says about an audit: the verdict in one sentence."""

from collections import Counter

from verifykit.results import SEVERITIES, Audit

# The one check that `verifykit profile` runs.
BUDGET_CHECK = "performance-budget"


def verdict(audit: Audit) -> str:
    """Return the outcome of an audit in one sentence, without the target's name and without a full stop."""
    if audit.error is not None:
        return "could not be audited"
    found = Counter(finding.severity or "error" for finding in audit.findings)
    counts = [_plural(found[severity], severity) for severity in SEVERITIES if found[severity]]
    rules = list(dict.fromkeys(finding.rule for finding in audit.findings if finding.severity != "note"))
    ended = Counter(outcome.status for outcome in audit.checks)
    passed = f"{_plural(ended['passed'], 'check')} passed"
    if is_profile(audit) and set(ended) <= {"skipped"}:
        return f"was profiled{': ' + _list(counts) if counts else ''}"
    if audit.status == "failed":
        return f"failed: {_list(counts)} in {_list(rules)}; {passed}"
    if audit.status == "incomplete":
        what = "nothing could be verified" if not ended["crashed"] else f"{_plural(ended['crashed'], 'check')} crashed"
        return f"is not decided: {what}; {passed}"
    undecided = f", {ended['inconclusive']} could not decide" if ended["inconclusive"] else ""
    return f"passed: {passed}{undecided}{', with ' + _list(counts) if counts else ''}"


def is_profile(audit: Audit) -> bool:
    """Whether its cost is what an audit is about: it was measured further than an audit does by the way, or no check
    was run beside ``performance-budget``.
    """
    measured = audit.measurements
    if measured.profile is None:
        return False
    return bool(measured.growth or measured.roofline) or {one.check for one in audit.checks} <= {BUDGET_CHECK}


def short_name(audit: Audit) -> str:
    """Return what the target is called in its own file: the attribute without the module."""
    return audit.target.rpartition(":")[2]


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _list(items: list[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
