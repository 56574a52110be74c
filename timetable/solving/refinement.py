"""This module owns refining a table: again and again a few lessons are taken out, the others held, and the cheapest way
to put them back is searched for. Each worker searches alone and what two of them found at once is put together.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from random import Random

from timetable.solving.formulation import Formulation
from timetable.solving.incumbent import Incumbent
from timetable.solving.neighbourhoods import KINDS, Kind, Neighbourhoods
from timetable.solving.pricing import Pricing
from timetable.solving.search import TICK, Effort, run
from timetable.solving.trial import Trial

FIRST_SIZE, LEAST_SIZE = 60.0, 16.0
"""Requirements that are free at once: to begin with, and at least."""

LARGER, SMALLER = 1.08, 0.92
"""How the size changes after a search that ended, and after one that did not."""

PATIENCE = 1.2
"""Deterministic seconds of one search."""

IDLE = 10
"""Searches of each worker without success in a row after which other ways make more of the time."""


class Refinement:
    """A refinement that can be taken up again: it keeps the sizes that paid."""

    def __init__(
        self, formulation: Formulation, pricing: Pricing, incumbent: Incumbent, seed: int, workers: int
    ) -> None:
        self._pricing = pricing
        self._incumbent = incumbent
        self._around = Neighbourhoods(formulation, pricing)
        self._trials = [pricing.trial(minimise=True) for _ in range(workers)]
        self._randoms = [Random(seed * 1000 + number) for number in range(workers)]
        self._sizes: dict[Kind, float] = dict.fromkeys(KINDS, FIRST_SIZE)
        self._idle = 0

    def go(
        self, workers: int, left: Callable[[], float], over: Callable[[], bool], on_better: Callable[[], None]
    ) -> None:
        """Refine with so many workers until nothing has come of it for a while; `on_better` is called from here."""
        self._idle = 0
        ended = threading.Event()

        def stop() -> bool:
            return ended.is_set() or over()

        def work(number: int) -> None:
            while self._idle < IDLE * workers and not stop():
                self._attempt(self._trials[number], self._randoms[number], left, stop)

        told = self._incumbent.version
        with ThreadPoolExecutor(workers) as pool:
            try:
                works = {pool.submit(work, number) for number in range(workers)}
                going = works
                while going:
                    _, going = wait(going, TICK)
                    if self._incumbent.version != told:
                        told = self._incumbent.version
                        on_better()
            finally:
                ended.set()
        for done in works:
            done.result()

    def _attempt(self, trial: Trial, random: Random, left: Callable[[], float], stop: Callable[[], bool]) -> None:
        start, cost, version = self._incumbent.known()
        kind = random.choice(KINDS)
        size = self._sizes[kind]
        free = self._around.pick(kind, start, round(size), random)
        trial.aim(cost - 1, start, self._held(start, free))
        effort = Effort(left(), random.randrange(1 << 30), workers=1, way="part", patience=PATIENCE)
        found = run(trial.cp, effort, stop)
        if stop() and found.solution is None:
            return
        finished = found.status in ("optimal", "infeasible")
        wanted = size * (LARGER if finished else SMALLER)
        self._sizes[kind] = min(max(wanted, LEAST_SIZE), len(self._around) * LARGER)
        if found.status == "infeasible" and len(free) == len(self._around):
            self._incumbent.prove(cost)
        better = found.solution is not None and self._take(trial, start, found.solution, version, free, left, stop)
        self._idle = 0 if better else self._idle + 1

    def _take(
        self,
        trial: Trial,
        start: Sequence[int],
        solution: Sequence[int],
        version: int,
        free: set[int],
        left: Callable[[], float],
        stop: Callable[[], bool],
    ) -> bool:
        """Offer a solution; where others were faster, put its changes into theirs and offer that."""
        merged: Sequence[int] = solution
        while True:
            present, cost, now = self._incumbent.known()
            if now == version:
                if self._incumbent.offer(merged, self._pricing.cost(merged)):
                    return True
                if self._incumbent.version == version:
                    return False
                continue
            version = now
            wanted = list(present)
            for number in free:
                for index in self._around.placements[number]:
                    if solution[index] != start[index]:
                        wanted[index] = solution[index]
            trial.aim(cost - 1, wanted, self._held(wanted, set()))
            done = run(trial.cp, Effort(left(), 1, workers=1, way="part", patience=PATIENCE), stop)
            if done.solution is None:
                return self._incumbent.offer(solution, self._pricing.cost(solution))
            merged = done.solution

    def _held(self, solution: Sequence[int], free: set[int]) -> dict[int, tuple[int, int]]:
        """The placements of all other requirements, each held to its value."""
        return {
            index: (solution[index], solution[index])
            for number, own in enumerate(self._around.placements)
            if number not in free
            for index in own
        }
