"""This module owns the largest table that exists where none has all lessons: it shows which find no place."""

from collections.abc import Sequence
from functools import cached_property

from ortools.sat.python import cp_model

from timetable.explaining.budget import Budget
from timetable.model import Requirement, Slot
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.part import slot_of
from timetable.solving import placing
from timetable.solving.formulation import HABITS, Formulation

PATIENCE = 3.0
"""Seconds after which the largest table known so far is large enough."""

MOST_LACKING = {6: 0.08, 30: 0.15, 150: 0.25}
"""How many lessons and locks a table may lack that is looked for first, then where there is none such; each with its
part of the time."""

LESSON_WEIGHT, LOCK_WEIGHT = 5, 1

Lock = tuple[Requirement, Slot]


class Largest:
    """A table, looked up, and what it lacks."""

    def __init__(self, arrangement: Arrangement) -> None:
        self.arrangement = arrangement
        self._requirements = arrangement.problem.requirements
        self._standing = arrangement.of_requirement

    @cached_property
    def missing(self) -> dict[str, int]:
        """The requirements that lack lessons, with how many."""
        lacking = {r.id: r.weekly - len(self._standing.get(r.id, ())) for r in self._requirements}
        return {id: count for id, count in lacking.items() if count > 0}

    @cached_property
    def unkept(self) -> Sequence[Lock]:
        """The locks that it does not keep."""
        found: list[Lock] = []
        for requirement in self._requirements:
            slots = {slot_of(lesson) for lesson in self._standing.get(requirement.id, ())}
            found += [(requirement, s) for s in requirement.locked if (s.weekday, s.period) not in slots]
        return found

    @cached_property
    def broken(self) -> Sequence[Lock]:
        """The locks that it does not keep, of requirements that have all their lessons."""
        whole = {r.id for r in self._requirements if len(self._standing.get(r.id, ())) == r.weekly}
        return [(requirement, slot) for requirement, slot in self.unkept if requirement.id in whole]


def largest(problem: Problem, budget: Budget) -> Largest | None:
    """A table with as many of the lessons, and of the locks, as can be found in a few seconds."""
    formulation = Formulation(problem, frozenset({*HABITS, "counts", "locked"}))
    cp = formulation.cp
    lacks, weights = _lacks(formulation)
    enough = cp.new_int_var(0, max(1, sum(r.weekly for r in problem.requirements)) * 2, "")
    cp.add(cp_model.LinearExpr.sum(lacks) <= enough)
    # Any table that lacks little is found soon; to ask for the largest one at once is not.
    limit = cp.proto.variables[enough.index].domain
    solution: Sequence[int] | None = None
    for most, share in MOST_LACKING.items():
        limit[len(limit) - 1] = most
        solution = budget.run(cp, budget.left() * share).solution
        if solution is not None or budget.over():
            break
    if solution is None:
        return None
    solution = _larger(cp, cp_model.LinearExpr.weighted_sum(lacks, weights), solution, budget)
    return Largest(Arrangement(problem, placing.table_of(problem, formulation.choices(solution))))


def _lacks(formulation: Formulation) -> tuple[list[cp_model.IntVar], list[int]]:
    """What every requirement may lack, lessons and locks, each with its weight."""
    cp = formulation.cp
    lacks: list[cp_model.IntVar] = []
    weights: list[int] = []
    for demand, placed in formulation.placed:
        requirement = demand.requirement
        lack = cp.new_int_var(0, requirement.weekly, "")
        cp.add(cp_model.LinearExpr.sum(placed) + lack >= requirement.weekly)
        lacks.append(lack)
        weights.append(LESSON_WEIGHT)
        at = {(p.weekday, p.period): v for p, v in zip(demand.placements, placed, strict=True)}
        for slot in requirement.locked:
            kept, given_up = at.get((slot.weekday, slot.period)), cp.new_bool_var("")
            cp.add_bool_or([given_up] if kept is None else [kept, given_up])
            lacks.append(given_up)
            weights.append(LOCK_WEIGHT)
    return lacks, weights


def _larger(
    cp: cp_model.CpModel, lacking: cp_model.LinearExprT, solution: Sequence[int], budget: Budget
) -> Sequence[int]:
    """The largest table that is found in a few seconds from a known one on."""
    hint = cp.proto.solution_hint
    hint.vars.extend(range(len(solution)))
    hint.values.extend(solution)
    cp.minimize(lacking)
    better = budget.run(cp, min(PATIENCE, budget.left() / 2)).solution
    return solution if better is None else better
