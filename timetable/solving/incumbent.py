"""This module owns the best solution known while several searches run side by side, and the bound that they proved."""

import threading
from collections.abc import Sequence

from timetable.solving.search import Run


class Incumbent:
    """Written by several threads. `version` counts the solutions that were taken."""

    def __init__(self, solution: Sequence[int], cost: int, bound: int = 0) -> None:
        self._lock = threading.Lock()
        self._best = Run("feasible", solution, cost, bound)
        self._cost = cost
        self._bound = bound
        self.version = 0

    @property
    def best(self) -> Run:
        with self._lock:
            return self._best

    @property
    def cost(self) -> int:
        return self._cost

    @property
    def bound(self) -> int:
        return self._bound

    @property
    def proven(self) -> bool:
        """Whether nothing can be cheaper."""
        return self._cost <= self._bound

    def known(self) -> tuple[Sequence[int], int, int]:
        """The solution, its cost and its version, of one moment."""
        with self._lock:
            assert self._best.solution is not None
            return self._best.solution, self._cost, self.version

    def offer(self, solution: Sequence[int], cost: int) -> bool:
        """Take a solution if it is cheaper; whether it was."""
        with self._lock:
            if cost >= self._cost:
                return False
            self._cost = cost
            self.version += 1
            self._best = Run("feasible", solution, cost, self._bound)
            return True

    def replace(self, solution: Sequence[int], cost: int, version: int) -> bool:
        """Take a solution that costs no more than the one of that version, if none came since; whether it was taken."""
        with self._lock:
            if version != self.version or cost > self._cost:
                return False
            self._cost = cost
            self.version += 1
            self._best = Run("feasible", solution, cost, self._bound)
            return True

    def prove(self, bound: int) -> None:
        """No solution costs less than that."""
        with self._lock:
            self._bound = max(self._bound, bound)
            self._best = Run("feasible", self._best.solution, self._cost, self._bound)
