"""This module owns refining a table: again and again a few lessons are taken out, the others held, and a cheaper way to
put them back is searched for. Each worker searches alone, in an excerpt of the model of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from random import Random

import numpy as np

from timetable.solving.excerpt import Excerpts
from timetable.solving.formulation import Formulation
from timetable.solving.incumbent import Incumbent
from timetable.solving.neighbourhoods import CHANCES, KINDS, Kind, Neighbourhoods
from timetable.solving.pricing import Pricing
from timetable.solving.rows import Row
from timetable.solving.search import TICK, Effort, run
from timetable.solving.stirring import NOTHING, Stirring
from timetable.solving.sums import Whole

FIRST_SIZE, LEAST_SIZE = 500.0, 300.0
"""Placements that are free at once: to begin with, and at least."""

LARGER, SMALLER = 1.03, 0.9
"""How the size changes after a search that ended, and after one that did not."""

PATIENCE, USUAL_SIZE = 0.2, 1000.0
"""Deterministic seconds of one search among so many placements; more get as much more."""

WIDER = 3
"""How many times as many placements the relaxation of a wider part chooses them from."""

RELAXING_SECONDS = 2.0
"""Far more than the relaxation of such a part takes."""

IDLE = 60
"""Searches of each worker without success in a row after which other ways make more of the time."""


class Refinement:
    """A refinement that can be taken up again: it keeps the sizes that paid."""

    def __init__(
        self,
        formulation: Formulation,
        pricing: Pricing,
        rows: Sequence[Row],
        incumbent: Incumbent,
        seed: int,
        workers: int,
    ) -> None:
        """`rows` are those of the pricing's model."""
        self._incumbent = incumbent
        self._around = Neighbourhoods(formulation, pricing)
        self._excerpts = Excerpts(rows, pricing.ranges, pricing.weights, self._around.placements)
        self._stirring = Stirring(self._around.placements, pricing.variables)
        self._randoms = [Random(seed * 1000 + number) for number in range(workers)]
        self._sizes: dict[Kind, float] = dict.fromkeys(KINDS, FIRST_SIZE)
        self._idle = 0
        self._array: tuple[int, Whole] = (-1, np.empty(0, np.int64))

    def go(self, workers: int, left: Callable[[], float], over: Callable[[], bool], beat: Callable[[], None]) -> None:
        """Refine with so many workers until nothing has come of it for a while; `beat` is called from here all the
        time."""
        self._idle = 0
        ended = threading.Event()

        def stop() -> bool:
            return ended.is_set() or over()

        def work(number: int) -> None:
            while self._idle < IDLE * workers and not stop():
                self._attempt(self._randoms[number], left, stop)

        with ThreadPoolExecutor(workers) as pool:
            try:
                works = {pool.submit(work, number) for number in range(workers)}
                going = works
                while going:
                    _, going = wait(going, TICK)
                    beat()
            finally:
                ended.set()
        for done in works:
            done.result()

    def _attempt(self, random: Random, left: Callable[[], float], stop: Callable[[], bool]) -> None:
        start, _, version = self._standing()
        [kind] = random.choices(KINDS, CHANCES)
        free = self._worth_trying(kind, start, random, left())
        ended, refined = self._search(free, start, Effort(left(), random.randrange(1 << 30), 1, "part"), stop)
        if refined is None and not ended and stop():
            return
        better = refined is not None and self._take(start, refined, version)
        self._idle = 0 if better else self._idle + 1
        if not ended:
            self._sizes[kind] = max(self._sizes[kind] * SMALLER, LEAST_SIZE)
            return
        if not better:
            self._sizes[kind] = min(self._sizes[kind] * LARGER, len(self._around) * LARGER)
        if len(free) == len(self._around):
            self._incumbent.prove(self._excerpts.cost(start if refined is None else refined))

    def _worth_trying(self, kind: Kind, start: Whole, random: Random, left: float) -> Sequence[int]:
        """The placements to free; none where the relaxation of a wider part moves no lesson of it as a whole."""
        size = round(self._sizes[kind])
        wide = self._around.pick(kind, start, WIDER * size, random)
        if len(wide) <= size:
            return wide
        excerpt = self._excerpts.cut(wide, start)
        stirred = NOTHING if excerpt.hopeless else self._stirring.of(excerpt, min(left, RELAXING_SECONDS))
        return self._around.narrowed(wide, stirred.placements, size) if stirred.wholly else []

    def _search(
        self, free: Sequence[int], start: Whole, effort: Effort, stop: Callable[[], bool]
    ) -> tuple[bool, Whole | None]:
        """Whether the search came to its end, and the table that it found to be cheaper: the cheapest, if it did."""
        excerpt = self._excerpts.cut(free, start)
        if excerpt.hopeless:
            return True, None
        patience = PATIENCE * max(1.0, len(free) / USUAL_SIZE)
        found = run(excerpt.model(), replace(effort, patience=patience), stop)
        refined = None if found.solution is None else excerpt.put_back(start, found.solution)
        return found.status in ("optimal", "infeasible"), refined

    def _take(self, start: Whole, refined: Whole, version: int) -> bool:
        """Take it unless it is dearer, or by now does not fit what others found; whether it made the table better."""
        changed = np.flatnonzero(start != refined)
        while True:
            present, cost, now = self._standing()
            merged = present.copy()
            merged[changed] = refined[changed]
            if now != version and not self._excerpts.sound(merged, changed):
                return False
            new = self._excerpts.cost(merged)
            if new > cost:
                return False
            if self._incumbent.replace(merged.tolist(), new, now):
                return new < cost

    def _standing(self) -> tuple[Whole, int, int]:
        """As the incumbent is known; nobody may write into the solution, which is that of all workers."""
        solution, cost, version = self._incumbent.known()
        kept, array = self._array
        if kept != version:
            array = np.array(solution, np.int64)
            self._array = version, array
        return array, cost, version
