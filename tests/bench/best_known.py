"""The benchmark instances of the table and the lowest cost that is known of each, with how it was found.

Costs are found by long runs and kept in `best_known.json`; the solver never reads them. They belong to the instance and
to the rules as they are: where either has changed, `stored` answers None until they are found anew.

`python -m tests.bench.best_known [--seconds S] [--seed N] [INSTANCE ...]` searches and keeps what is better.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from server.demo.county import demo_register
from tests.bench.solving import build
from tests.instances import generated_community
from timetable import objective
from timetable.model import Register

KEPT = Path(__file__).with_name("best_known.json")
COUNTY = "county"
SEEDS = (1, 2, 3, 4, 5)
ALL = (*(f"community-{seed}" for seed in SEEDS), COUNTY)


class BestKnown(Struct, frozen=True, kw_only=True):
    """`bound`: no table costs less, as far as is proven. `instance` is the fingerprint of register and rules."""

    cost: int
    bound: int
    instance: str
    found: str


def register_of(name: str) -> Register:
    return demo_register() if name == COUNTY else generated_community(int(name.removeprefix("community-")))


def fingerprint(register: Register) -> str:
    """Changes with anything that the cost of a table depends on."""
    rules = msgspec.json.encode([sorted(objective.WEIGHTS.items()), objective.LONG_DAY])
    return hashlib.sha256(msgspec.json.encode(register) + rules).hexdigest()[:16]


def stored(name: str, register: Register) -> BestKnown | None:
    """The best that is known of an instance as it is now."""
    known = _all().get(name)
    return known if known is not None and known.instance == fingerprint(register) else None


def _all() -> dict[str, BestKnown]:
    return msgspec.json.decode(KEPT.read_bytes(), type=dict[str, BestKnown]) if KEPT.exists() else {}


def search(name: str, seconds: float, seed: int) -> BestKnown:
    """Search for so long and keep what is cheaper, or proven better, than what is known."""
    register = register_of(name)
    built = build(register, seconds=seconds, seed=seed)
    if built.cost is None:
        raise SystemExit(f"{name}: no table in {seconds:g} s")
    proof = ", proven optimal" if built.status == "optimal" else ""
    how = f"{built.processor:.0f} processor seconds with seed {seed}{proof}"
    found = BestKnown(cost=built.cost, bound=built.bound or 0, instance=fingerprint(register), found=how)
    known = stored(name, register)
    if known is not None:
        cheaper = found if found.cost < known.cost else known
        found = msgspec.structs.replace(cheaper, bound=max(found.bound, known.bound))
    kept = _all() | {name: found}
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(dict(sorted(kept.items()))), indent=1) + b"\n")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Search for the best known costs of the benchmark instances.")
    parser.add_argument("instances", nargs="*", default=list(ALL))
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for name in given.instances:
        began = time.monotonic()
        best = search(name, given.seconds, given.seed)
        print(f"{name}: {best.cost}, none below {best.bound} ({time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
