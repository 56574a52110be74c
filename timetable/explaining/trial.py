"""This module owns the trial of a concession: the register with it is searched for a table, and what is found is
checked. Only a table that passes the independent checker proves a concession."""

from collections.abc import Iterator, Sequence

from msgspec import structs

from timetable.checker import check
from timetable.explaining.budget import Budget
from timetable.explaining.candidate import Candidate
from timetable.explaining.largest import Largest
from timetable.model import SHARED_KINDS
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.part import part_of, slot_of
from timetable.solving import lints, placing
from timetable.solving.formulation import HABITS, Choice, Formulation

PART_SECONDS = 2.0
WHOLE_SECONDS = 6.0


def refuted(problem: Problem) -> bool:
    """Whether counting alone proves that the problem has no table."""
    return any(finding.severity == "error" for finding in lints.lint(problem))


def conceded(problem: Problem, candidate: Candidate) -> Problem:
    """The problem with the concession made."""
    register = candidate.changed()
    community = next(c for c in register.communities if c.id == problem.community.id)
    return Problem(register, community, problem.commitments)


def try_near(
    problem: Problem, candidate: Candidate, largest: Largest, lost: frozenset[str], budget: Budget
) -> bool | None:
    """Whether the concession lets a table exist, by moving only what is near it and near the requirements that were
    `lost`; None where that is not known yet."""
    with_it = conceded(problem, candidate)
    if refuted(with_it):
        return False
    if candidate.moves_bells:
        return None
    requirements = {requirement.id for requirement in with_it.requirements}
    table = largest.arrangement.table
    kept = tuple(lesson for lesson in table.lessons if lesson.requirement in requirements)
    arrangement = Arrangement(with_it, structs.replace(table, lessons=kept))
    also = (lost | candidate.requirements) & requirements
    tried: set[frozenset[str]] = set()
    for free in _rungs(arrangement, also):
        if free in tried or budget.over():
            continue
        tried.add(free)
        part = part_of(arrangement, free, also=also, problem=with_it, habits=False)
        result = budget.run(part.formulation.cp, PART_SECONDS)
        if result.solution is not None:
            moved = [c for c in part.formulation.choices(result.solution) if c.requirement.id in part.moving]
            if _passes(with_it, [*moved, *_held(arrangement, part.moving)]):
                return True
    return None


def try_whole(
    problem: Problem, candidate: Candidate, largest: Largest | None, budget: Budget, patience: float = 0.0
) -> bool:
    """Whether the concession lets a table exist, with all lessons free; looked for during `patience` seconds, where
    that is longer than for any candidate."""
    with_it = conceded(problem, candidate)
    formulation = Formulation(with_it, frozenset(HABITS))
    standing = {} if largest is None else largest.arrangement.of_requirement
    for demand, variables in formulation.placed if standing else ():
        slots = {slot_of(lesson) for lesson in standing.get(demand.requirement.id, ())}
        for variable, placement in zip(variables, demand.placements, strict=True):
            formulation.cp.add_hint(variable, (placement.weekday, placement.period) in slots)
    result = budget.run(formulation.cp, max(WHOLE_SECONDS, patience))
    return result.solution is not None and _passes(with_it, formulation.choices(result.solution))


def _held(arrangement: Arrangement, moving: frozenset[str]) -> Iterator[Choice]:
    """Every lesson that does not move, where it stands."""
    for lesson in arrangement.table.lessons:
        if lesson.requirement not in moving:
            rooms = {index: party.room for index, party in enumerate(lesson.parties) if party.room is not None}
            yield Choice(
                arrangement.requirements[lesson.requirement],
                arrangement.standing(lesson),
                rooms if lesson.kind in SHARED_KINDS else {},
            )


def _rungs(arrangement: Arrangement, also: frozenset[str]) -> Iterator[frozenset[str]]:
    """The lessons that move: those of the classes concerned, then those of their teachers and units as well."""
    requirements = [arrangement.requirements[id] for id in also]
    classes = {c for r in requirements for party in r.parties for c in party.classes}
    teachers = {t for r in requirements for party in r.parties for t in party.teachers}
    units = {party.unit for r in requirements if r.kind in SHARED_KINDS for party in r.parties}
    ids = {id for one in classes for id in arrangement.of_class.get(one, ())}
    ids |= {id for one in teachers for id in arrangement.of_teacher.get(one, ())}
    yield frozenset(ids)
    ids |= {
        lesson.id
        for lesson in arrangement.table.lessons
        if lesson.kind in SHARED_KINDS and any(party.unit in units for party in lesson.parties)
    }
    more = {t for id in ids for party in arrangement.lessons[id].parties for t in party.teachers}
    ids |= {id for one in more for id in arrangement.of_teacher.get(one, ())}
    yield frozenset(ids)


def _passes(problem: Problem, choices: Sequence[Choice]) -> bool:
    try:
        table = placing.table_of(problem, choices)
    except placing.NoRoom:
        return False
    return not check(problem.register, table)
