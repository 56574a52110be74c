"""This module owns coming down from a table by local search, in short attempts of two kinds.

A jump asks for any table that costs at most a part of the best one. CP-SAT's feasibility jump knows no objective, but
with the cost as one more constraint it often answers in a fraction of a second: a community of 102 classes comes from
1,200 to below 50 in about four CPU seconds. Where jumps fail, steps make progress: local search with the objective,
which improves little by little but nearly always. Each attempt begins at the best table so far.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from timetable.pricing import Pricing, Trial
from timetable.search import Effort, Run, run

FIRST_PATIENCE = 0.4
"""Deterministic seconds (about the CPU's) of one jump to begin with."""

MORE_PATIENCE = 2.0
"""How many times longer jumps may take after a round of them has changed nothing."""

STEPS = 5.0
"""How many times longer than a jump the steps after a ladder of jumps go on."""

BOLDEST, BOLD, TIMID = 0.3, 0.5, 0.985
"""The part of the best cost that a jump aims at: after easy successes, at first, and where aiming higher is idle."""


def bolder(share: float) -> float:
    return max(BOLDEST, share - 0.1)


def more_timid(share: float) -> float:
    return share + (1 - share) * 0.4


class Descent:
    """A descent that can be taken up again where it stopped. `best` must have a solution and a cost.

    Several workers jump side by side, each aiming a little less low than the one before.
    """

    def __init__(self, pricing: Pricing, best: Run, seed: int, workers: int) -> None:
        self.best = best
        self._pricing = pricing
        self._seed = seed
        self._workers = workers
        self._steps = pricing.trial(minimise=True)
        self._jumps = [pricing.trial() for _ in range(workers)]
        self._patience = FIRST_PATIENCE
        self._attempts = 0

    def round(
        self, left: Callable[[], float], should_stop: Callable[[], bool], on_better: Callable[[Run], None]
    ) -> None:
        """Ladders of jumps with steps between them, until neither improves the best or time (`left`) is over."""

        def over() -> bool:
            return left() <= 0 or should_stop() or self._cost() <= self._bound()

        while not over():
            before = self._cost()
            share = BOLD
            while share <= TIMID and not over():
                shares = [share]
                while len(shares) < self._workers:
                    shares.append(more_timid(shares[-1]))
                reached = self._jump(shares, left(), should_stop)
                if reached is None:
                    share = more_timid(shares[-1])
                else:
                    on_better(self.best)
                    share = bolder(reached)
            if self._step(left(), should_stop):
                on_better(self.best)
            if self._cost() == before:
                self._patience *= MORE_PATIENCE
                return

    def _cost(self) -> int:
        assert self.best.cost is not None
        return self.best.cost

    def _bound(self) -> int:
        return self.best.bound or 0

    def _take(self, found: Run) -> bool:
        """Keep a run's solution when it is cheaper."""
        if found.solution is None:
            return False
        cost = self._pricing.cost(found.solution)
        if cost >= self._cost():
            return False
        self.best = Run("feasible", found.solution, cost, self.best.bound)
        return True

    def _jump(self, shares: list[float], seconds: float, should_stop: Callable[[], bool]) -> float | None:
        """Aim at all shares at once, until one is reached; the lowest that was."""
        assert self.best.solution is not None
        cost, bound, start = self._cost(), self._bound(), self.best.solution
        reached = threading.Event()

        def aim(trial: Trial, share: float, seed: int) -> Run:
            trial.aim(min(cost - 1, bound + int((cost - bound) * share)), start)
            effort = Effort(seconds, seed, workers=1, way="jump", patience=self._patience)
            found = run(trial.cp, effort, lambda: should_stop() or reached.is_set())
            if found.solution is not None:
                reached.set()
            return found

        with ThreadPoolExecutor(self._workers) as pool:
            runs = []
            for trial, share in zip(self._jumps, shares, strict=True):
                self._attempts += 1
                runs.append(pool.submit(aim, trial, share, self._seed + self._attempts))
        lowest: float | None = None
        for share, ended in zip(shares, runs, strict=True):
            if self._take(ended.result()) and lowest is None:
                lowest = share
        return lowest

    def _step(self, seconds: float, should_stop: Callable[[], bool]) -> bool:
        """Improve little by little for a while; whether that helped."""
        assert self.best.solution is not None
        self._attempts += 1
        self._steps.aim(self._cost(), self.best.solution)
        seed, patience = self._seed + self._attempts, self._patience * STEPS
        effort = Effort(seconds, seed, self._workers, way="jump", patience=patience)
        return self._take(run(self._steps.cp, effort, should_stop))
