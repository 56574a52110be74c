"""How long people wait when they drag a lesson: its slots, the repair of its drop, and why a table is impossible.

All on generated communities of 102 classes. Nothing else repairs a table of different bells, so there is no peer.
Processor seconds stand beside the wall's, which other work on the machine stretches.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from msgspec import structs

from server.collector import collect_seldom
from tests.bench.runner import Figure
from tests.bench.solving import figure
from tests.instances import generated_community
from timetable.explaining.candidate import Concession
from timetable.explaining.explain import explain
from timetable.model import Register, Slot
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.repair import CannotRepair, repair
from timetable.repairing.slots import slots
from timetable.solving.solver import solve

FIRST_TABLE_SECONDS = 10.0
SEEDS = (1, 2, 3, 4, 5)
COMPARED_SECONDS = 15.0
"""How long the whole model may look for fewer moves than a repair has found."""


def figures(full: bool) -> Iterator[Figure]:
    drags, comparisons = (40, 2) if full else (12, 1)
    collect_seldom()  # as the process does that repairs
    looked: list[float] = []
    repaired: list[float] = []
    worked: list[float] = []
    unverified = unfound = 0
    more: list[int] = []
    for seed in SEEDS:
        arrangement = standing(generated_community(seed))
        rng = random.Random(seed)
        compared = 0
        for _ in range(drags):
            lesson = rng.choice(arrangement.table.lessons)
            began = time.perf_counter()
            found = slots(arrangement, lesson.id)
            looked.append((time.perf_counter() - began) * 1000)
            legal = [slot for slot in found if slot.verdict in ("fits", "costs") or slot.lessons]
            slot = rng.choice(legal)
            target = Slot(weekday=slot.weekday, period=slot.period)
            try:
                began, work = time.perf_counter(), time.process_time()
                done = repair(arrangement, lesson.id, target)
            except CannotRepair:
                continue
            repaired.append(time.perf_counter() - began)
            worked.append(time.process_time() - work)
            unverified += not done.verified
            if slot.lessons and compared < comparisons:
                compared += 1
                try:
                    best = repair(
                        arrangement,
                        lesson.id,
                        target,
                        ladder=("all",),
                        seconds=COMPARED_SECONDS,
                        patience=COMPARED_SECONDS,
                    )
                except CannotRepair:
                    unfound += 1
                else:
                    more.append(len(done.moves) - len(best.moves))
    yield figure("valid slots of a lesson, 102 classes, p95", percentile(looked, 95), "ms", 100)
    yield figure("repair of a dropped lesson, 102 classes, median", percentile(repaired, 50), "s", None)
    yield figure("repair of a dropped lesson, 102 classes, p95", percentile(repaired, 95), "s", 1)
    yield figure("the same, processor", percentile(worked, 95), "s", None)
    yield figure("repairs that the checker refuses", unverified, "repairs", 0)
    yield figure("drops that the whole model looked for fewer moves for", len(more) + unfound, "drops", None)
    yield figure("of these, none found by the whole model in time", unfound, "drops", None)
    if more:
        yield figure("moves above the fewest of the whole model, most", max(more), "moves", 1)
    firsts, sweeps = zip(*(sweep(case) for case in impossible(full)), strict=True)
    yield figure("first verified concession, most of the cases", max(firsts), "s", 10)
    yield figure("the full sweep of concessions, most of the cases", max(sweeps), "s", 60)


def standing(register: Register) -> Arrangement:
    outcome = solve(register, "A", seconds=FIRST_TABLE_SECONDS, workers=2)
    assert outcome.table is not None
    return Arrangement(Problem(register, register.communities[0]), outcome.table)


def impossible(full: bool) -> Iterator[Register]:
    """Registers with one mistake each: two locks in one place; a line that carries too little."""
    register = generated_community(1)
    sync = next(r for r in register.requirements if r.kind == "sync")
    local = next(
        r for r in register.requirements if r.kind == "local" and r.parties[0].classes == sync.parties[0].classes
    )
    lock = (Slot(weekday=1, period=2),)
    yield structs.replace(
        register,
        requirements=tuple(
            structs.replace(r, locked=lock) if r.id in (sync.id, local.id) else r for r in register.requirements
        ),
    )
    if full:
        narrow = tuple(structs.replace(u, link_capacity=3) if u.id == "A0" else u for u in register.units)
        yield structs.replace(register, units=narrow)


def sweep(register: Register) -> tuple[float, float]:
    """Seconds to the first verified concession, and to the end."""
    told: list[tuple[float, Concession]] = []
    began = time.perf_counter()
    explain(register, "A", on_found=lambda concession: told.append((time.perf_counter() - began, concession)))
    ended = time.perf_counter() - began
    return (told[0][0] if told else ended, ended)


def percentile(values: list[Any], part: int) -> float:
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, len(ordered) * part // 100)])
