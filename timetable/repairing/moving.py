"""This module owns a standing table with some of its lessons moved: their rooms, who supervises, and the true cost."""

from collections.abc import Collection, Mapping

from msgspec import structs

from timetable import objective
from timetable.model import SHARED_KINDS, Lesson, PlacedParty, RuleCost, Table, clock
from timetable.placement import Placement
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement, classes_of, narrowed, teachers_of
from timetable.repairing.stays import Stays
from timetable.repairing.supervision import supervised
from timetable.solving.placing import NoRoom
from timetable.timing import timed
from timetable.weeks import weeks_of


def moved(arrangement: Arrangement, placements: Mapping[str, Placement]) -> Table:
    """The priced table with the lessons of these ids at these placements, and all others where they stand.

    Moved lessons get free rooms (their own where it is free) and somebody for their leftover minutes; whoever
    supervised another lesson's leftover minutes and now teaches is relieved. Raises NoRoom.
    """
    problem, lessons, table = arrangement.problem, arrangement.lessons, arrangement.table
    stays = Stays(problem, (lesson for lesson in table.lessons if lesson.id not in placements))
    placed: dict[str, Lesson] = {}
    # The more weeks a lesson has, the harder it is to seat; blocks are harder than single periods.
    hardest_first = sorted(placements, key=lambda id: (-weeks_of(lessons[id]).bit_count(), -arrangement.block(id), id))
    for id in hardest_first:
        placed[id] = _placed(problem, stays, lessons[id], placements[id])
        stays.enter(placed[id])
    after = structs.replace(table, lessons=tuple(placed.get(lesson.id, lesson) for lesson in table.lessons))
    watched = supervised(Arrangement(problem, after), placed)
    return _priced(arrangement, structs.replace(after, lessons=watched), placements.keys())


def _placed(problem: Problem, stays: Stays, lesson: Lesson, placement: Placement) -> Lesson:
    """The lesson at its new place; nobody supervises what is left over there yet."""
    parties: list[PlacedParty] = []
    for party, side in zip(lesson.parties, placement.sides, strict=True):
        room = party.room
        if lesson.kind in SHARED_KINDS:
            own = [done.room for done in parties]
            room = stays.free_remote_room(
                lesson, party.unit, placement.weekday, side.windows, wanted=party.room, taken_by_itself=own
            )
            if room is None:
                raise NoRoom(f"{party.unit} on weekday {placement.weekday} at {clock(side.window.start)}")
        parties.append(structs.replace(party, room=room))
    seated = structs.replace(lesson, parties=tuple(parties))
    return timed(seated, placement, problem.bells.seasons, lambda party, season, part: None)


def _priced(arrangement: Arrangement, table: Table, touched: Collection[str]) -> Table:
    """The table with its true cost, counted only where one of these lessons moved."""
    before = arrangement.table
    if not before.cost_by_rule:
        return objective.priced(arrangement.problem, table)
    classes = {c for id in touched for c in classes_of(arrangement.lessons[id])}
    ids = {id for school_class in classes for id in arrangement.of_class[school_class]} | set(touched)
    ids |= {id for one in touched for t in teachers_of(arrangement.lessons[one]) for id in arrangement.of_teacher[t]}
    ids |= arrangement.conceding
    part = narrowed(arrangement.problem, classes)
    was = objective.price(part, tuple(lesson for lesson in before.lessons if lesson.id in ids))
    now = objective.price(part, tuple(lesson for lesson in table.lessons if lesson.id in ids))
    more = {b.rule: a.cost - b.cost for a, b in zip(now, was, strict=True)}
    rules = tuple(RuleCost(rule=r.rule, cost=r.cost + more[r.rule]) for r in before.cost_by_rule)
    return structs.replace(table, cost=sum(rule.cost for rule in rules), cost_by_rule=rules)
