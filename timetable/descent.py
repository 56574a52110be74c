"""This module owns coming down from a table: it asks for any table that costs at most a part of the best one.

CP-SAT's feasibility jump finds tables fast but knows no objective. With the cost as one more constraint it answers in
a fraction of a second where minimising by steps takes a minute: a community of 102 classes comes from 1,200 to below
50 in about four CPU seconds, and to what long searches end with in ten. Each attempt is short, because it either
succeeds soon or, from another seed, another attempt does.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from timetable.pricing import Pricing, Trial
from timetable.search import Effort, Run, run

FIRST_PATIENCE = 0.6
"""Deterministic seconds (about the CPU's) of one attempt to begin with."""

MORE_PATIENCE = 2.5
"""How many times longer attempts may take after a round of them has failed."""

BOLDEST, BOLD, TIMID = 0.3, 0.5, 0.985
"""The part of the best cost that is aimed at: after easy successes, at first, and when a round counts as failed."""


def bolder(share: float) -> float:
    return max(BOLDEST, share - 0.1)


def more_timid(share: float) -> float:
    return share + (1 - share) * 0.4


class Descent:
    """A descent that can be taken up again where it stopped. `best` must have a solution and a cost.

    As many attempts as there are workers run side by side, each aiming a little less low than the one before.
    """

    def __init__(self, pricing: Pricing, best: Run, seed: int, workers: int) -> None:
        self.best = best
        self._pricing = pricing
        self._seed = seed
        self._trials = [pricing.trial() for _ in range(workers)]
        self._patience = FIRST_PATIENCE
        self._attempts = 0

    def round(
        self, left: Callable[[], float], should_stop: Callable[[], bool], on_better: Callable[[Run], None]
    ) -> None:
        """Attempts until aiming at slightly less than the best fails too, or time (`left`, in seconds) is over."""
        share = BOLD
        with ThreadPoolExecutor(len(self._trials)) as pool:
            while share <= TIMID and left() > 0 and not should_stop():
                cost, bound = self.best.cost or 0, self.best.bound or 0
                if cost <= bound:
                    return
                shares = [share]
                while len(shares) < len(self._trials):
                    shares.append(more_timid(shares[-1]))
                targets = [min(cost - 1, bound + int((cost - bound) * part)) for part in shares]
                reached = self._attempt(pool, targets, left(), should_stop)
                if reached is None:
                    share = more_timid(shares[-1])
                else:
                    on_better(self.best)
                    share = bolder(shares[reached])
        self._patience *= MORE_PATIENCE

    def _attempt(
        self, pool: ThreadPoolExecutor, targets: list[int], seconds: float, should_stop: Callable[[], bool]
    ) -> int | None:
        """Try all targets at once; the first of them (the lowest) that was reached, its table being the new best."""
        assert self.best.solution is not None
        start = self.best.solution

        def aim(trial: Trial, target: int, seed: int) -> Run:
            trial.aim(target, start)
            effort = Effort(seconds, seed, workers=1, way="jump", patience=self._patience)
            return run(trial.cp, effort, should_stop)

        runs = []
        for trial, target in zip(self._trials, targets, strict=True):
            self._attempts += 1
            runs.append(pool.submit(aim, trial, target, self._seed + self._attempts))
        found: int | None = None
        for number, ended in enumerate(runs):
            solution = ended.result().solution
            cost = None if solution is None else self._pricing.cost(solution)
            if cost is not None and cost < (self.best.cost or 0):
                self.best = Run("feasible", solution, cost, self.best.bound)
                found = number if found is None else found
        return found
