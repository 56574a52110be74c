"""This module owns making a first table better for as long as there is time: which ways are tried, in which order.

It is refined part by part. Beside that, or where one worker has little time once refining comes to rest, the linear
relaxation proves a bound and says which placements no table of that cost has; often a jump among those that are
left leads straight to the optimum. After that longer and longer full searches prove that nothing better is left or find
it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from timetable.solving.formulation import Formulation
from timetable.solving.incumbent import Incumbent
from timetable.solving.pricing import Pricing
from timetable.solving.refinement import Refinement
from timetable.solving.relaxation import relax
from timetable.solving.rows import Row, rows_of
from timetable.solving.search import Effort, Run, run

SMALL = 4000
"""With fewer variables the full search finds the optimum and proves it at once."""

FULL_SECONDS, MORE_FULL_SECONDS = 6.0, 1.5
"""Seconds of the first full search between two refinements, and how much longer the next one may take."""

RELAXING_SECONDS = 20.0
"""With this much the relaxation of ten communities in one is solved."""

SECONDS_FOR_BOTH = 60.0
"""With less left, a single worker's time is better spent on the table than on what is said of it."""

STRIKE_PATIENCE = 1.5
"""Deterministic seconds in which a jump to the bound succeeds, if it does at all; mostly a small part of one does."""


TELL_SECONDS = 0.5
"""A better table is told of no sooner than this after the one before: who is told has work of it, and so have we."""


class Improvement:
    """`left` gives the seconds that are left; `on_better` is told of better tables, of the best in any case, always by
    one thread."""

    def __init__(
        self,
        formulation: Formulation,
        pricing: Pricing,
        *,
        seed: int,
        workers: int,
        left: Callable[[], float],
        should_stop: Callable[[], bool],
        on_better: Callable[[Run], None],
    ) -> None:
        self._formulation = formulation
        self._pricing = pricing
        self._seed = seed
        self._workers = workers
        self._left = left
        self._should_stop = should_stop
        self._on_better = on_better
        self._incumbent = Incumbent(pricing.complete, pricing.cost(pricing.complete))
        self._told: tuple[int, int] | None = None
        self._tell_at = left()
        """When so many seconds are left."""

    def best(self) -> Run:
        """The best table that was found in time, with the bound that was proven."""
        seconds = FULL_SECONDS
        if self._pricing.variables <= SMALL:
            self._full(seconds)
        if self._over():
            return self._incumbent.best
        rows = [*rows_of(self._pricing.cp)]
        refinement = Refinement(self._formulation, self._pricing, rows, self._incumbent, self._seed, self._workers)
        if self._workers == 1 and self._left() < SECONDS_FOR_BOTH:
            refinement.go(1, self._left, self._over, self._beat)
        if not self._over():
            with self._beside(lambda: self._lead(rows)) as leading:
                while leading() and not self._over():
                    free = max(1, self._workers - 1)
                    refinement.go(free, self._left, lambda: self._over() or not leading(), self._beat)
        while not self._over():
            refinement.go(self._workers, self._left, self._over, self._beat)
            if not self._over():
                self._full(seconds)
                seconds *= MORE_FULL_SECONDS
        self._tell()
        return self._incumbent.best

    def _over(self) -> bool:
        return self._left() <= 0 or self._should_stop() or self._incumbent.proven

    def _beat(self) -> None:
        if self._left() <= self._tell_at:
            self._tell()

    def _tell(self) -> None:
        best = self._incumbent.best
        now = (self._incumbent.cost, self._incumbent.bound)
        if now != self._told:
            self._told, self._tell_at = now, self._left() - TELL_SECONDS
            self._on_better(best)

    # The bound ------------------------------------------------------------------------------------------------------

    def _lead(self, rows: Sequence[Row]) -> None:
        """Prove a bound, then look for a table of just that cost, among the placements that such a table may have."""
        seconds = min(RELAXING_SECONDS, self._left())
        if seconds <= 0:
            return
        found = relax(rows, self._pricing.ranges, self._pricing.weights, seconds, self._over)
        if found is None:
            return
        self._incumbent.prove(found.bound)
        if self._over():
            return
        solution, _, _ = self._incumbent.known()
        cp = self._pricing.below(found.bound, solution, found.narrowed(found.bound))
        effort = Effort(self._left(), self._seed, workers=1, way="jump", patience=STRIKE_PATIENCE)
        struck = run(cp, effort, self._over)
        if struck.solution is not None:
            self._incumbent.offer(struck.solution, self._pricing.cost(struck.solution))

    @contextmanager
    def _beside(self, work: Callable[[], None]) -> Iterator[Callable[[], bool]]:
        """Do that in a thread of its own; yields whether it goes on."""
        failures: list[BaseException] = []

        def attempt() -> None:
            try:
                work()
            except BaseException as failure:
                failures.append(failure)

        thread = threading.Thread(target=attempt, name="lead", daemon=True)
        thread.start()
        yield thread.is_alive
        thread.join()
        if failures:
            raise failures[0]

    # Full searches --------------------------------------------------------------------------------------------------

    def _full(self, seconds: float) -> None:
        """A search of the whole model for something cheaper; it may prove a higher bound, or that there is nothing."""
        solution, cost, _ = self._incumbent.known()
        cp = self._pricing.minimise(cost, solution)

        def improved(found: Sequence[int], found_cost: int, bound: int) -> None:
            self._incumbent.prove(bound)
            self._incumbent.offer(found, found_cost)
            self._tell()

        effort = Effort(min(seconds, self._left()), self._seed, max(2, self._workers))
        ended = run(cp, effort, self._over, improved)
        if ended.solution is not None:
            self._incumbent.offer(ended.solution, self._pricing.cost(ended.solution))
        if ended.bound is not None:
            self._incumbent.prove(ended.bound)
        self._tell()
