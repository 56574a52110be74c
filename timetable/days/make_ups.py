"""This module owns the make-up plan (补课): for every lesson that a closing has taken, when it could be held instead,
the best first and why. There is one for what a community shares, and one for what each school has by itself.

All slots of a plan hold together: each is found beside those that were chosen before it, so that a director may accept
them one by one or all at once. The same input gives the same plan.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Literal

from msgspec import Struct

from timetable.days.changes import MakeUp, MakeUpOwn
from timetable.days.closings import Closing
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied, Placed
from timetable.days.grounds import Grounds
from timetable.days.make_up_slots import Choice, SlotPlanner
from timetable.days.outcomes import work_out
from timetable.days.standing import Standing, held
from timetable.model import Finding

State = Literal["open", "asked", "made_up"]


class LostLesson(Struct, frozen=True, kw_only=True, rename="camel"):
    """One lesson that a closing has taken."""

    occurrence: str
    lesson: str
    title: str
    kind: str
    date: str
    start: str
    end: str
    units: tuple[str, ...]
    state: State
    classes: tuple[str, ...] = ()
    """The names of its classes."""
    choices: tuple[Choice, ...] = ()
    """The best first; it holds together with the first choices of all the others."""
    findings: tuple[Finding, ...] = ()
    """Where there is no choice: what stands against the slots that come nearest."""


class MakeUpPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    closing: str
    community: str
    lost: tuple[LostLesson, ...]
    own: int
    """Lessons of single schools that were lost, too; each school has a plan of its own for them."""


class OwnMakeUpPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    """For what one school lost of its own."""

    closing: str
    community: str
    unit: str
    lost: tuple[LostLesson, ...]
    """By class, and by the clock."""
    days_short: int
    """How many whole free days it would take more for those that have no slot."""


def plan(
    grounds: Grounds,
    tables: DatedTables,
    closing: Closing,
    community: str,
    now: float,
    waiting: Collection[MakeUp | MakeUpOwn] = (),
) -> MakeUpPlan:
    """When the community's shared lessons that `closing` took could be made up, after `now` (unix seconds). The slots
    that `waiting` asks for already are left to them."""
    lost = [standing for standing in _lost(tables, closing) if standing.community == community]
    shared = [standing for standing in lost if len(standing.occurrence.lesson.parties) > 1]
    planner = SlotPlanner(grounds, _reserved(grounds, tables, community, waiting, now), closing, now)
    states = _states(tables, shared, asked_for(waiting))
    chosen = planner.choose([standing for standing in shared if states[standing.uid] == "open"])
    return MakeUpPlan(
        closing=closing.id,
        community=community,
        lost=tuple(_row(grounds, one, states[one.uid], *chosen.get(one.uid, ((), ()))) for one in shared),
        own=len(lost) - len(shared),
    )


def own_plan(
    grounds: Grounds,
    tables: DatedTables,
    closing: Closing,
    community: str,
    unit: str,
    now: float,
    waiting: Collection[MakeUp | MakeUpOwn] = (),
) -> OwnMakeUpPlan:
    """When the lessons that the unit has by itself, and that `closing` took, could be made up after `now` (unix
    seconds). The best slots of the shared ones that it lost are left to these."""
    lost = [
        one
        for one in _lost(tables, closing)
        if one.community == community and any(party.unit == unit for party in one.occurrence.lesson.parties)
    ]
    states = _states(tables, lost, asked_for(waiting))
    planner = SlotPlanner(grounds, _reserved(grounds, tables, community, waiting, now), closing, now)
    chosen = planner.choose([standing for standing in lost if states[standing.uid] == "open"])
    own = [standing for standing in lost if len(standing.occurrence.lesson.parties) == 1]
    own.sort(key=lambda one: (one.occurrence.lesson.host.classes, one.starts, one.uid))
    rows = tuple(_row(grounds, one, states[one.uid], *chosen.get(one.uid, ((), ()))) for one in own)
    return OwnMakeUpPlan(
        closing=closing.id, community=community, unit=unit, lost=rows, days_short=_days_short(grounds, unit, own, rows)
    )


def _lost(tables: DatedTables, closing: Closing) -> Iterable[Standing]:
    """What the closing keeps from taking place, by the clock."""
    for day in closing.days:
        for standing in tables.on(day):
            if standing.cancelled and standing.closing is not None and standing.closing.id == closing.id:
                yield standing


def _days_short(grounds: Grounds, unit: str, own: Iterable[Standing], rows: Iterable[LostLesson]) -> int:
    without: Counter[str] = Counter()
    for standing, row in zip(own, rows, strict=True):
        if row.state == "open" and not row.choices:
            without.update(standing.occurrence.lesson.host.classes)
    rung = max((len(bells.periods) for bells in grounds.units[unit].bells), default=1) if without else 1
    return -(-max(without.values(), default=0) // max(1, rung))


def _reserved(
    grounds: Grounds, tables: DatedTables, community: str, waiting: Iterable[MakeUp | MakeUpOwn], now: float
) -> DatedTables:
    """The tables as if what was asked for were agreed already."""
    for number, change in enumerate(waiting, 1):
        outcome = work_out(change, community=community, number=-number, grounds=grounds, tables=tables, now=now)
        if outcome.possible:
            tables = tables.with_applied(Applied(community=community, number=-number, at=now, effects=outcome.effects))
    return tables


def asked_for(waiting: Iterable[MakeUp | MakeUpOwn]) -> set[str]:
    """The lost occurrences that these changes make up for."""
    return {
        one.occurrence for change in waiting for one in (change.lessons if isinstance(change, MakeUpOwn) else (change,))
    }


def _states(tables: DatedTables, lost: Iterable[Standing], asked: Collection[str]) -> Mapping[str, State]:
    """What became of each, by uid."""
    made_up = made_up_for(tables)
    return {
        one.uid: "asked" if one.occurrence.id in asked else "made_up" if one.uid in made_up else "open" for one in lost
    }


def made_up_for(tables: DatedTables) -> set[str]:
    """The identities of all lost occurrences that are held on another date."""
    return {
        made_up_by(effect.uid)
        for one in tables.applied
        for effect in one.effects
        if isinstance(effect, Placed) and effect.extra and held(tables.standing(effect.uid))
    }


def made_up_by(uid: str) -> str:
    """The identity of the lost occurrence that the one of this identity makes up for."""
    return uid.rpartition(".x")[0]


def _row(
    grounds: Grounds, lost: Standing, state: State, choices: tuple[Choice, ...], findings: tuple[Finding, ...]
) -> LostLesson:
    occurrence, lesson = lost.occurrence, lost.occurrence.lesson
    return LostLesson(
        occurrence=occurrence.id,
        lesson=lesson.id,
        title=grounds.title(lesson),
        kind=lesson.kind,
        date=_date(lost).isoformat(),
        start=lesson.start,
        end=lesson.end,
        units=tuple(party.unit for party in lesson.parties),
        state=state,
        classes=tuple(
            grounds.classes[id].name for party in lesson.parties for id in party.classes if id in grounds.classes
        ),
        choices=choices,
        findings=findings,
    )


def _date(standing: Standing) -> date:
    return standing.occurrence.day.date
