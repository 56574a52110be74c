"""This module owns one run of CP-SAT: it can be stopped at once and keeps the best solution it has seen.

The search runs in a thread of its own while the calling thread waits in Python, so that signals are still answered.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ortools.sat.python import cp_model

from timetable.solving.progress import Status

Way = Literal["full", "jump", "part", "complete"]
"""`full` proves things; `jump` only finds a solution, fast; `part` is for excerpts; `complete` only
completes the hinted values."""

TICK = 0.1
"""Seconds between two looks at whether to stop."""

_STATUS: dict[object, Status] = {
    cp_model.OPTIMAL: "optimal",
    cp_model.FEASIBLE: "feasible",
    cp_model.INFEASIBLE: "infeasible",
    cp_model.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended. `solution` is the value of every variable; `bound` proves that no cost is below it."""

    status: Status
    solution: Sequence[int] | None
    cost: int | None
    bound: int | None


@dataclass(frozen=True, slots=True)
class Effort:
    """How a run searches. `patience` is a limit in deterministic seconds, which other work on the machine does not
    shorten."""

    seconds: float
    seed: int
    workers: int
    way: Way = "full"
    patience: float | None = None


class _Watch(cp_model.CpSolverSolutionCallback):
    """The last solution seen; written by the search's threads, read by the waiting one."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: tuple[list[int], int, int] | None = None

    def on_solution_callback(self) -> None:
        solution = list(self.response_proto.solution)
        self.seen = solution, round(self.objective_value), round(self.best_objective_bound)


def run(
    cp: cp_model.CpModel,
    effort: Effort,
    should_stop: Callable[[], bool],
    on_solution: Callable[[Sequence[int], int, int], None] | None = None,
) -> Run:
    """Search until proven, out of time, or told to stop. `on_solution(solution, cost, bound)` is called from here."""
    if effort.seconds <= 0 or should_stop():
        return Run("unknown", None, None, None)
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.max_time_in_seconds = effort.seconds
    parameters.num_workers = effort.workers
    parameters.random_seed = effort.seed
    parameters.catch_sigint_signal = False
    if effort.patience is not None:
        parameters.max_deterministic_time = effort.patience
    if effort.way == "jump":
        # Presolving costs more than the whole jump.
        parameters.use_ls_only = True
        parameters.cp_model_presolve = False
    elif effort.way == "part":
        # Its linear relaxation is nearly whole, so with all of it a search of thousands of placements ends in a blink;
        # to look long for other structure, to cut the relaxation further or to tidy clauses costs more than the search.
        parameters.linearization_level = 2
        parameters.max_presolve_iterations = 1
        parameters.cp_model_probing_level = 0
        parameters.symmetry_level = 0
        parameters.cut_level = 0
        parameters.use_sat_inprocessing = False
    elif effort.way == "complete":
        parameters.fix_variables_to_their_hinted_value = True
    watch = _Watch()
    failures: list[BaseException] = []
    finished = threading.Event()

    def work() -> None:
        try:
            solver.solve(cp, watch)
        except BaseException as failure:
            failures.append(failure)
        finally:
            finished.set()

    thread = threading.Thread(target=work, name="cp-sat", daemon=True)
    thread.start()
    reported = None
    while not finished.wait(TICK):
        if should_stop():
            solver.stop_search()
        seen = watch.seen
        if on_solution is not None and seen is not None and seen is not reported:
            reported = seen
            on_solution(*seen)
    thread.join()
    if failures:
        raise failures[0]
    return _result(solver, priced=cp.has_objective())


def _result(solver: cp_model.CpSolver, *, priced: bool) -> Run:
    response = solver.response_proto
    status = _STATUS.get(response.status, "unknown")
    if status not in ("optimal", "feasible"):
        return Run(status, None, None, None)
    solution = list(response.solution)
    if not priced:
        return Run("feasible", solution, None, None)
    return Run(status, solution, round(solver.objective_value), max(0, round(solver.best_objective_bound)))
