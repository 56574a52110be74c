"""This module owns coming down from a first table by jumps: any table that costs at most a part of the best one.

CP-SAT's feasibility jump knows no objective, but with the cost as one more constraint it often answers in a fraction of
a second: a community of 102 classes comes from 1,200 to below 100 in a few CPU seconds. Once the linear relaxation is
known, jumps leave out the placements that it finds dear; a table without them is found several times as fast. Where
jumps fail, other ways make more of the time.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from timetable.solving.incumbent import Incumbent
from timetable.solving.pricing import Pricing
from timetable.solving.relaxation import Relaxation
from timetable.solving.search import Effort, Run, run
from timetable.solving.trial import Trial

PATIENCE = 0.4
"""Deterministic seconds (about the CPU's) of one jump."""

BOLDEST, BOLD, TIMID = 0.3, 0.5, 0.985
"""The part of the best cost that a jump aims at: after easy successes, at first, and where aiming higher is idle."""

DEAR: tuple[int | None, ...] = (1, 3, None)
"""Points above the bound from which on a placement is left out of a jump by the relaxation; None leaves out nothing.
The next one is tried after a failure, and beside another."""


def bolder(share: float) -> float:
    return max(BOLDEST, share - 0.1)


def more_timid(share: float) -> float:
    return share + (1 - share) * 0.4


class Descent:
    """Several workers jump side by side, each aiming a little less low than the one before. `relaxation` may be set at
    any time."""

    def __init__(self, pricing: Pricing, incumbent: Incumbent, seed: int, workers: int) -> None:
        self.relaxation: Relaxation | None = None
        self._pricing = pricing
        self._incumbent = incumbent
        self._seed = seed
        self._jumps = [pricing.trial() for _ in range(workers)]
        self._attempts = 0
        self._failures = 0

    def ladder(
        self,
        free: Callable[[], int],
        left: Callable[[], float],
        over: Callable[[], bool],
        on_better: Callable[[], None],
    ) -> None:
        """Jumps, bold ones first and after each success, until not even timid ones reach anything; `free` says how many
        workers may jump."""
        share = BOLD
        while share <= TIMID and not over():
            shares = [share]
            while len(shares) < free():
                shares.append(more_timid(shares[-1]))
            reached = self._jump(shares, left(), over)
            if reached is None:
                self._failures += 1
                share = more_timid(shares[-1])
            else:
                on_better()
                share = bolder(reached)

    def _jump(self, shares: list[float], seconds: float, over: Callable[[], bool]) -> float | None:
        """Aim at all shares at once, until one is reached; the lowest that was."""
        start, cost, _ = self._incumbent.known()
        bound = self._incumbent.bound
        relaxation = self.relaxation
        reached = threading.Event()

        def aim(trial: Trial, share: float, seed: int, dear: int | None) -> Run:
            ranges = {} if relaxation is None or dear is None else relaxation.narrowed(relaxation.bound + dear)
            trial.aim(min(cost - 1, bound + int((cost - bound) * share)), start, ranges)
            effort = Effort(seconds, seed, workers=1, way="jump", patience=PATIENCE)
            found = run(trial.cp, effort, lambda: over() or reached.is_set())
            if found.solution is not None:
                reached.set()
            return found

        with ThreadPoolExecutor(len(shares)) as pool:
            runs = []
            for number, (trial, share) in enumerate(zip(self._jumps, shares, strict=False)):
                self._attempts += 1
                dear = DEAR[(self._failures + number) % len(DEAR)]
                runs.append(pool.submit(aim, trial, share, self._seed + self._attempts, dear))
        lowest: float | None = None
        for share, ended in zip(shares, runs, strict=True):
            solution = ended.result().solution
            if solution is not None and self._incumbent.offer(solution, self._pricing.cost(solution)):
                lowest = share if lowest is None else lowest
        return lowest
