"""FET as the peer of the table's benchmarks: what `fet-cl` makes of the same community in the same time.

FET satisfies and does not minimise, so it is asked again and again: first for any table, then with our soft rules at
rising percents, as a patient person would do, and the cheapest table that keeps our hard rules counts. Its whole hours
are laid over the bells as the export does it; bells that differ much cost it placements.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.instances import generated_community
from timetable import objective
from timetable.checker import check
from timetable.fet.exporting import export
from timetable.fet.solution import read_solution
from timetable.fet.time import SAYABLE
from timetable.model import Register, Table
from timetable.problem import Problem

NAME = "fet-cl"
LADDER: tuple[tuple[str, str, str], ...] = (
    ("95", "90", "80"),
    ("99", "95", "90"),
    ("99.9", "99", "95"),
    ("99.99", "99.9", "99"),
)
"""Percents of most rules, of the last period, of long days, from easy to hard."""
MOST_SEED = 4_294_944_442
LEAST_SECONDS = 2.0
"""With less left nothing is begun."""
QUIET = [
    f"--writetimetables{what}=false" for what in ("dayshorizontal", "daysvertical", "timehorizontal", "timevertical")
]


@dataclass
class PeerRun:
    """What FET reached. Seconds are the wall's of `fet-cl` alone, with reading and writing its files."""

    seconds_to_first: float | None = None
    seconds: float = 0.0
    first_cost: int | None = None
    cost: int | None = None
    table: Table | None = None
    runs: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    """Our hard rules that its tables broke, by the code of the finding; such tables do not count."""


def installed() -> bool:
    return shutil.which(NAME) is not None


def solve_by_fet(register: Register, community: str, seconds: float, seed: int = 1) -> PeerRun:
    """The cheapest table that FET finds within about `seconds`, under our objective."""
    problem = Problem(register, next(c for c in register.communities if c.id == community))
    found = PeerRun()
    while found.seconds + LEAST_SECONDS <= seconds:
        began = found.runs
        _run(problem, found, _percents(found), seconds - found.seconds, seed + began)
        if found.seconds_to_first is None:
            break
    return found


def _percents(found: PeerRun) -> Mapping[str, str]:
    """None in the first run; then up the ladder, staying on its last rung."""
    if found.runs == 0:
        return {}
    most, last, long = LADDER[min(found.runs, len(LADDER)) - 1]
    return {**dict.fromkeys(SAYABLE, most), objective.LAST_PERIOD: last, objective.TEACHER_LONG_DAY: long}


def _run(problem: Problem, found: PeerRun, percents: Mapping[str, str], seconds: float, seed: int) -> None:
    exported = export(problem, preferences=percents)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in.fet").write_bytes(exported.document)
        began = time.monotonic()
        _call(folder, max(1, int(seconds)), seed)
        took = time.monotonic() - began
        made = Path(folder) / "timetables/in/in_activities.xml"
        table = read_solution(problem, exported, made.read_bytes()) if made.exists() else None
    found.runs += 1
    found.seconds += took
    if table is None:
        return
    if broken := check(problem.register, table):
        found.broken.update(finding.code for finding in broken)
        return
    if found.seconds_to_first is None:
        found.seconds_to_first, found.first_cost = found.seconds, table.cost
    if found.cost is None or table.cost < found.cost:
        found.cost, found.table = table.cost, table


def _call(folder: str, seconds: int, seed: int) -> None:
    # FET takes its seed in six parts
    seeds = [
        f"--randomseeds{row}{column}={(seed * 7919 + 31 * row + column) % MOST_SEED}"
        for row in (1, 2)
        for column in (0, 1, 2)
    ]
    command = [NAME, "--inputfile=in.fet", f"--timelimitseconds={seconds}", *QUIET, *seeds]
    subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=seconds + 120)


def main(seed: int = 1, seconds: float = 60.0) -> None:
    """`python -m tests.bench.fet_peer [SEED [SECONDS]]`: what FET makes of a generated community."""
    run = solve_by_fet(generated_community(seed), "A", seconds, seed)
    first = "no table" if run.seconds_to_first is None else f"{run.seconds_to_first:.2f} s, cost {run.first_cost}"
    print(f"{NAME}, seed {seed}: first {first}; best {run.cost} after {run.seconds:.1f} s in {run.runs} runs")
    if run.table is not None:
        print(", ".join(f"{rule.rule} {rule.cost}" for rule in run.table.cost_by_rule if rule.cost))
    if run.broken:
        print("broken:", dict(run.broken))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
