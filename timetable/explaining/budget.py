"""This module owns what an explanation may take: its seconds, its workers, and the wish to stop."""

from collections.abc import Callable

from ortools.sat.python import cp_model

from timetable.solving.search import Effort, Run, run


class Budget:
    """So many `seconds` from now on; `clock` gives seconds."""

    def __init__(
        self, seconds: float, seed: int, workers: int, should_stop: Callable[[], bool], clock: Callable[[], float]
    ) -> None:
        self._seconds = seconds
        self._seed = seed
        self._workers = workers
        self._should_stop = should_stop
        self._clock = clock
        self._began = clock()

    def elapsed(self) -> float:
        return round(self._clock() - self._began, 3)

    def left(self) -> float:
        return self._seconds - self.elapsed()

    def over(self) -> bool:
        return self.left() <= 0 or self._should_stop()

    def run(self, cp: cp_model.CpModel, most: float) -> Run:
        """Search the model for `most` seconds, where so many are left."""
        effort = Effort(seconds=min(most, self.left()), seed=self._seed, workers=self._workers)
        return run(cp, effort, self._should_stop)
