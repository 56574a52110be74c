"""`tongke bench`: the measurements of tests/bench, which only a checkout has."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from server.commands.parameters import AsJson, Flag

CHECKOUT = Path(__file__).parents[2]


def bench(
    *names: str,
    as_json: AsJson = False,
    quick: Flag = False,
    full: Flag = False,
) -> int:
    """Measure against the goals and the peers, one line a figure. Exit code 1 when a goal is missed.

    Parameters
    ----------
    names
        What to measure: table, media, and the others in tests/bench.
    as_json
        One JSON object a line.
    quick
        At most three minutes for each name (the default).
    full
        All seeds, sizes and rounds.
    """
    if not (CHECKOUT / "tests/bench/runner.py").exists():
        print("tongke: the benchmarks are not part of an installation; run ./run bench in a checkout", file=sys.stderr)
        return 2
    if quick and full:
        print("tongke: choose --quick or --full, not both", file=sys.stderr)
        return 2
    sys.path.insert(0, str(CHECKOUT))
    return int(importlib.import_module("tests.bench.runner").run(names, full=full, as_json=as_json))
