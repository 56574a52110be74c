"""This module owns the slots of a lesson: every period of its host's week with what moving it there would mean.

No search is needed: the table is looked up. Whatever is impossible says why, in words and with the lessons in the way.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct, structs

from timetable import bells, objective
from timetable.bells import Day, Window
from timetable.errors import NotFound
from timetable.model import SHARED_KINDS, Finding, Lesson, PlacedParty, Requirement, RuleCost, clock
from timetable.placement import Placement
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement, classes_of, narrowed, teachers_of
from timetable.repairing.obstacles import obstacles

CODES: Mapping[str, str] = {
    "slot_locked": "the lesson is locked where it stands",
    "slot_same": "another lesson of the same requirement stands there",
    "slot_block": "the periods needed do not follow one another there",
    "slot_overlap": "a school's bells share too few minutes with the host's period, and no shift would do",
    "slot_overlap_earlier": "they share too few minutes; that many minutes earlier would do",
    "slot_overlap_later": "they share too few minutes; that many minutes later would do",
    "slot_overlap_seasons": "bells change in mid-term, and no periods there share enough before and after it",
    "slot_overlap_together": "each school's bells meet the host's, but all of them together share too few minutes",
}
"""Every code that this module can report beside those of the obstacles."""

Verdict = Literal["here", "fits", "costs", "impossible"]


class SlotVerdict(Struct, frozen=True, kw_only=True):
    """What moving the lesson to one slot would mean. `delta` is what the table's cost would change by, `rules` by
    which rules; `reasons` say why it cannot stand there, `lessons` are those in the way. `repairable`: nothing but
    those lessons is, so that a repair may lead them away."""

    weekday: int
    period: int
    start: str
    verdict: Verdict
    delta: int = 0
    rules: tuple[RuleCost, ...] = ()
    reasons: tuple[Finding, ...] = ()
    lessons: tuple[str, ...] = ()
    repairable: bool = False


def slots(arrangement: Arrangement, lesson_id: str) -> tuple[SlotVerdict, ...]:
    """Every slot of the week for the lesson, by weekday and clock. Raises NotFound."""
    lesson = arrangement.lessons.get(lesson_id)
    if lesson is None:
        raise NotFound("lesson", lesson_id)
    prices = _Prices(arrangement, lesson)
    problem = arrangement.problem
    return tuple(
        _verdict(arrangement, lesson, weekday, period, window, prices)
        for weekday in problem.weekdays
        for period, window in problem.bells.day(lesson.host.unit, weekday).items()
    )


def locked(arrangement: Arrangement, lesson: Lesson) -> bool:
    """Whether the lesson stands in a locked slot of its requirement."""
    slots = arrangement.requirements[lesson.requirement].locked
    return any((slot.weekday, slot.period) == (lesson.weekday, lesson.host.period) for slot in slots)


def impossible(arrangement: Arrangement, lesson: Lesson, weekday: int, period: int) -> list[Finding]:
    """Why no change of the table alone lets the lesson stand there; empty when some might."""
    requirement = arrangement.requirements[lesson.requirement]
    if locked(arrangement, lesson) and (weekday, period) != (lesson.weekday, lesson.host.period):
        values: dict[str, str | int] = {"weekday": lesson.weekday, "period": lesson.host.period}
        return [Finding(code="slot_locked", values=values)]
    placement = placement_by_clock(arrangement.problem, requirement, weekday, period)
    if placement is None:
        return list(_no_placement(arrangement.problem, requirement, weekday, period))
    return [o.finding for o in obstacles(arrangement, lesson, placement) if not o.lessons]


def placement_by_clock(problem: Problem, requirement: Requirement, weekday: int, period: int) -> Placement | None:
    """The placement there that the bells allow, whatever else stands in its way."""
    there = (p for p in problem.by_clock(requirement) if (p.weekday, p.period) == (weekday, period))
    return next(there, None)


def _verdict(
    arrangement: Arrangement, lesson: Lesson, weekday: int, period: int, window: Window, prices: "_Prices"
) -> SlotVerdict:
    def verdict(kind: Verdict, **more: object) -> SlotVerdict:
        plain = SlotVerdict(weekday=weekday, period=period, start=clock(window.start), verdict=kind)
        return structs.replace(plain, **more)

    if (weekday, period) == (lesson.weekday, lesson.host.period):
        return verdict("here")
    requirement = arrangement.requirements[lesson.requirement]
    for other in arrangement.of_requirement[lesson.requirement]:
        if (other.weekday, other.host.period) == (weekday, period):
            same = Finding(code="slot_same", values={"other": arrangement.title(other)})
            return verdict("impossible", reasons=(same,), lessons=(other.id,))
    placement = placement_by_clock(arrangement.problem, requirement, weekday, period)
    if placement is None or locked(arrangement, lesson):
        return verdict("impossible", reasons=tuple(impossible(arrangement, lesson, weekday, period)))
    in_its_way = obstacles(arrangement, lesson, placement)
    if in_its_way:
        lessons = tuple(dict.fromkeys(id for obstacle in in_its_way for id in obstacle.lessons))
        reasons = tuple(obstacle.finding for obstacle in in_its_way)
        repairable = all(obstacle.lessons for obstacle in in_its_way)
        return verdict("impossible", reasons=reasons, lessons=lessons, repairable=repairable)
    rules = prices.difference(lesson, placement)
    delta = sum(rule.cost for rule in rules)
    return verdict("costs" if delta > 0 else "fits", delta=delta, rules=rules)


# Where the bells do not meet ----------------------------------------------------------------------------------------


def _no_placement(problem: Problem, requirement: Requirement, weekday: int, period: int) -> Iterator[Finding]:
    """Why the bells forbid it: those with which the term begins, or else those of the first change that does."""
    for season, since in enumerate(problem.bells.seasons):
        found = list(_no_meeting(problem, requirement, weekday, period, season))
        if found:
            more: dict[str, str | int] = {"since": since} if season else {}
            yield from (Finding(code=finding.code, values={**finding.values, **more}) for finding in found)
            return
    names = "、".join(problem.units[party.unit].short_name for party in requirement.parties)
    yield Finding(code="slot_overlap_seasons", values={"units": names})


def _no_meeting(
    problem: Problem, requirement: Requirement, weekday: int, period: int, season: int
) -> Iterator[Finding]:
    """Why the parties do not meet there by the bells of one season."""
    host, *others = (party.unit for party in requirement.parties)
    host_day = problem.bells.rung(host, weekday)[season]
    numbers = bells.run(host_day, period, requirement.block)
    if numbers is None:
        values: dict[str, str | int] = {"unit": problem.units[host].name, "block": requirement.block}
        yield Finding(code="slot_block", values=values)
        return
    first, window = host_day[period], Window(host_day[period].start, host_day[numbers[-1]].end)
    slack, apart = problem.slack_of(requirement), False
    windows = [window]
    for unit in dict.fromkeys(others):
        day = problem.bells.rung(unit, weekday)[season]
        matched = bells.matching_period(first, day, slack)
        if matched is None:
            apart = True
            yield _overlap(problem.units[unit].name, first, day, slack)
        elif (run := bells.run(day, matched, requirement.block)) is not None:
            windows.append(Window(day[run[0]].start, day[run[-1]].end))
        else:
            apart = True
            yield Finding(code="slot_block", values={"unit": problem.units[unit].name, "block": requirement.block})
    if not apart and not bells.windows_meet(windows, slack):
        names = "、".join(problem.units[unit].short_name for unit in dict.fromkeys((host, *others)))
        yield Finding(code="slot_overlap_together", values={"units": names, "start": clock(window.start)})


def _overlap(unit: str, host: Window, day: Day, slack: int) -> Finding:
    """How far the bells of `unit` are from the host's period, and the smallest shift that would bring them there."""
    best = max(day.values(), key=host.overlap, default=None)
    shared = 0 if best is None else host.overlap(best)
    required = bells.required_overlap((host, best) if best is not None else (host,), slack)
    values: dict[str, str | int] = {"unit": unit, "minutes": shared, "required": required}
    shift = min((needed_shift(host, window, slack) for window in day.values()), key=abs, default=None)
    if shift is None or abs(shift) > bells.MOST_MINUTES_OF_SHIFT:
        return Finding(code="slot_overlap", values=values)
    code = "slot_overlap_later" if shift > 0 else "slot_overlap_earlier"
    return Finding(code=code, values={**values, "shift": abs(shift)})


def needed_shift(host: Window, own: Window, slack: int) -> int:
    """By how many minutes a period has to ring later (earlier: below 0) to share enough with the host's."""
    required = bells.required_overlap((host, own), slack)
    least, most = host.start + required - own.end, host.end - own.start - required
    return least if least > 0 else min(most, 0)


# What it would cost -------------------------------------------------------------------------------------------------


class _Prices:
    """The priced rules around one lesson: those of its classes and teachers, whose other lessons stay."""

    def __init__(self, arrangement: Arrangement, lesson: Lesson) -> None:
        classes, teachers = set(classes_of(lesson)), teachers_of(lesson)
        ids = {id for one in classes for id in arrangement.of_class[one]}
        ids |= {id for one in teachers for id in arrangement.of_teacher[one]}
        if lesson.kind in SHARED_KINDS:
            ids |= arrangement.conceding
        self._problem = narrowed(arrangement.problem, classes)
        self._others = tuple(arrangement.lessons[id] for id in sorted(ids - {lesson.id}))
        self._before = self._price(lesson)

    def difference(self, lesson: Lesson, placement: Placement) -> tuple[RuleCost, ...]:
        """What each rule costs more or less with the lesson there, for those where it differs."""
        after = self._price(_at(lesson, placement))
        pairs = zip(after, self._before, strict=True)
        return tuple(RuleCost(rule=a.rule, cost=a.cost - b.cost) for a, b in pairs if a.cost != b.cost)

    def _price(self, lesson: Lesson) -> Sequence[RuleCost]:
        return objective.price(self._problem, (*self._others, lesson))


def _at(lesson: Lesson, placement: Placement) -> Lesson:
    """The lesson at a placement, as far as prices matter."""

    def side(party: PlacedParty, index: int) -> PlacedParty:
        own = placement.sides[index]
        return structs.replace(
            party, period=own.periods[0], start=clock(own.window.start), end=clock(own.window.end), leftover=()
        )

    parties = tuple(side(party, index) for index, party in enumerate(lesson.parties))
    return structs.replace(lesson, weekday=placement.weekday, parties=parties)
