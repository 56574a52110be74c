"""This module owns how each kind of change of a day is worked out: what its amendment would do to which occurrence."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from timetable.days.changes import (
    LENDING,
    Cancel,
    Change,
    MakeUp,
    MakeUpOwn,
    Move,
    MoveWeekly,
    Substitute,
    Swap,
    SwapWeekly,
    Undo,
)
from timetable.days.dated import DatedTables
from timetable.days.day_book import Seat
from timetable.days.effects import CalledOff, Effect, Placed, Taught
from timetable.days.grounds import Grounds
from timetable.days.lasting import move_weekly, put_back, swap_weekly
from timetable.days.making_up import make_up, make_up_own
from timetable.days.scene import Outcome, Refused, Scene, Touched, slot_of
from timetable.days.standing import Standing
from timetable.identity import named_occurrence
from timetable.model import Finding, clock
from timetable.turns import led_by


def work_out(
    change: Change, *, community: str, number: int, grounds: Grounds, tables: DatedTables, now: float
) -> Outcome:
    """What the change comes to against everything in force at `now` (unix seconds), as amendment `number` of the
    community. Raises NotFound for an id that nothing has."""
    scene = Scene(community, number, grounds, tables, now)
    try:
        return _of_kind(scene, change)
    except Refused as refused:
        return Outcome(findings=refused.findings)


def _of_kind(scene: Scene, change: Change) -> Outcome:
    match change:
        case Move():
            return move(scene, change)
        case Swap():
            return swap(scene, change)
        case Substitute():
            return substitute(scene, change)
        case Cancel():
            return cancel(scene, change)
        case MakeUp():
            return make_up(scene, change)
        case MakeUpOwn():
            return make_up_own(scene, change)
        case MoveWeekly():
            return move_weekly(scene, change)
        case SwapWeekly():
            return swap_weekly(scene, change)
        case Undo():
            return undo(scene, change)


def move(scene: Scene, change: Move) -> Outcome:
    standing = scene.standing(change.occurrence)
    day = scene.day(change.date)
    lesson = led_by(scene.lesson(standing.occurrence.lesson.id, day), standing.occurrence.lesson.host.unit)
    seat = scene.seat(day, lesson, change.period, (standing.uid,))
    placed = _placed(scene, standing, day, seat)
    if (placed.date, placed.start, placed.end) == slot_of(standing.occurrence):
        raise Refused(scene.finding("amend_no_change", standing.occurrence))
    return _dated(scene, (placed,), (standing,))


def swap(scene: Scene, change: Swap) -> Outcome:
    first, second = scene.standing(change.occurrence), scene.standing(change.other)
    if first.uid == second.uid:
        raise Refused(scene.finding("amend_same_lesson", first.occurrence))
    if slot_of(first.occurrence) == slot_of(second.occurrence):
        raise Refused(scene.finding("amend_no_change", first.occurrence))
    apart = (first.uid, second.uid)
    effects = []
    for moved, into in ((first, second), (second, first)):
        day = into.occurrence.day.date
        lesson = led_by(scene.lesson(moved.occurrence.lesson.id, day), moved.occurrence.lesson.host.unit)
        period = scene.book(day, lesson).matching_period(lesson, into.occurrence.lesson)
        effects.append(_placed(scene, moved, day, scene.seat(day, lesson, period, apart)))
    return _dated(scene, tuple(effects), (first, second))


def substitute(scene: Scene, change: Substitute) -> Outcome:
    scene.teacher(change.absent)
    scene.teacher(change.substitute)
    term = scene.grounds.term
    first, last = max(change.first, term.first_day), min(change.last, term.last_day)
    day = date.fromisoformat(first)
    effects: list[Taught] = []
    standings: list[Standing] = []
    tables = scene.tables.only((change.lesson,))
    while day.isoformat() <= last:
        for standing in tables.on(day):
            units = _units_with(standing, change.absent)
            if units and not standing.cancelled and standing.occurrence.starts > scene.now:
                scene.own(standing.community, standing.occurrence.lesson)
                standings.append(standing)
                effects += [_taught(standing, unit, change) for unit in units]
        day += timedelta(days=1)
    name, instead = scene.grounds.teacher_name(change.absent), scene.grounds.teacher_name(change.substitute)
    if not effects:
        raise Refused(
            Finding(code="amend_not_theirs", values={"name": name, "first": change.first, "last": change.last})
        )
    if change.absent == change.substitute:
        raise Refused(scene.finding("amend_no_change", standings[0].occurrence))
    lent_by: set[str] = set()
    for unit in {effect.unit for effect in effects}:
        home = lender(scene.grounds, scene.community, change.substitute, unit)
        if home is None:
            values: dict[str, str | int] = {"name": instead, "unit": scene.grounds.unit_name(unit)}
            raise Refused(Finding(code="amend_no_post", values=values))
        lent_by |= home
    return _dated(scene, tuple(effects), standings, lent_by=lent_by)


def cancel(scene: Scene, change: Cancel) -> Outcome:
    standing = scene.standing(change.occurrence)
    return _dated(scene, (CalledOff(uid=standing.uid, lesson=standing.occurrence.lesson.id),), (standing,))


def undo(scene: Scene, change: Undo) -> Outcome:
    known = {one.number: one for one in scene.tables.applied if one.community == scene.community}
    taken_back = known.get(change.amendment)
    if taken_back is None:
        raise Refused(Finding(code="amend_not_applied", values={"number": change.amendment}))
    if taken_back.version is not None:
        return put_back(scene, taken_back.number, taken_back.version)
    if not taken_back.effects:
        raise Refused(Finding(code="amend_undo_lasting", values={"number": change.amendment}))
    uids = list(dict.fromkeys(effect.uid for effect in taken_back.effects))
    order = list(known)
    for later in order[order.index(change.amendment) + 1 :]:
        if any(e.uid == uid or e.uid.startswith(f"{uid}.x") for e in known[later].effects for uid in uids):
            raise Refused(Finding(code="amend_undo_later", values={"number": change.amendment, "later": later}))
    after = scene.tables.without(scene.community, change.amendment)
    lessons = {effect.lesson for effect in taken_back.effects}
    old, new = scene.tables.only(lessons), after.only(lessons)
    touched = [Touched(before=old.standing(uid), after=new.standing(uid)) for uid in uids]
    return scene.outcome(after, touched, undone=change.amendment)


# Working parts ------------------------------------------------------------------------------------------------------


def lender(grounds: Grounds, community: str, teacher: str, unit: str) -> set[str] | None:
    """The units that must agree before the teacher stands in at `unit`: none with a post there or in a pool, the home
    unit where hours are lent; None where nothing is lent."""
    posts = grounds.teachers[teacher].posts
    if unit in posts:
        return set()
    known = grounds.communities[community]
    lending = LENDING[known.mode]
    if lending == "none" or not set(posts) & set(known.units):
        return None
    return {posts[0]} if lending == "asked" else set()


def _dated(
    scene: Scene, effects: tuple[Effect, ...], standings: Sequence[Standing], *, lent_by: Collection[str] = ()
) -> Outcome:
    after = scene.after(effects)
    alone = after.only({standing.occurrence.lesson.id for standing in standings})
    touched = [Touched(before=standing, after=alone.standing(standing.uid)) for standing in standings]
    return scene.outcome(after, touched, effects=effects, lent_by=lent_by)


def _placed(scene: Scene, standing: Standing, day: date, seat: Seat) -> Placed:
    occurrence = standing.occurrence
    named = named_occurrence(scene.grounds.term, occurrence.id)
    planned = named.planned if named else occurrence.day.date
    return Placed(
        uid=standing.uid,
        occurrence=occurrence.id,
        lesson=occurrence.lesson.id,
        planned=planned.isoformat(),
        date=day.isoformat(),
        start=clock(seat.window.start),
        end=clock(seat.window.end),
        parties=seat.parties,
        extra=standing.made_up,
    )


def _units_with(standing: Standing, teacher: str) -> list[str]:
    return [
        party.unit
        for party in standing.occurrence.parties
        if teacher in party.teachers or any(left.teacher == teacher for left in party.leftover)
    ]


def _taught(standing: Standing, unit: str, change: Substitute) -> Taught:
    return Taught(
        uid=standing.uid,
        lesson=standing.occurrence.lesson.id,
        unit=unit,
        absent=change.absent,
        substitute=change.substitute,
    )
