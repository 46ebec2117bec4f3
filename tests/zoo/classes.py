"""Infers a spec for every public class of a module, a line of JSON each: ``python -m tests.zoo.classes MODULE``."""

import json
import logging
import sys
import time
import warnings

from verifykit.errors import UserError
from verifykit.packages import expanded
from verifykit.runner import Plan, prepare


def main(where: str) -> None:
    """Print, for each class, what came of it, as soon as it is known."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    names, _ = expanded(where)
    for name in names:
        print(json.dumps({"name": name}), flush=True)  # noqa: T201
        print(json.dumps({"name": name, **_outcome(name)}), flush=True)  # noqa: T201


def _outcome(name: str) -> dict[str, object]:
    started = time.monotonic()
    try:
        spec = prepare(name, Plan([]))[0].spec
    except UserError as error:
        return {"seconds": time.monotonic() - started, "error": str(error)}
    return {
        "seconds": time.monotonic() - started,
        "sources": sorted({source.partition(",")[0] for source in spec.sources.values()}),
        "inputs": "; ".join(map(str, spec.inputs)),
    }


if __name__ == "__main__":
    main(sys.argv[1])
