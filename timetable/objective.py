"""This module owns what makes one table better than another: the soft rules, their weights, and a table's price.

The price is computed from the table alone, by counting; the search has to arrive at the same number. Every rule has
its sentence in both languages in the catalogue (`rule.<id>`).
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping

from timetable.commitments import windows_of
from timetable.model import SHARED_KINDS, Lesson, RuleCost, Table, minutes
from timetable.problem import Problem
from timetable.weeks import WeekSet, fullest, weeks_of

NOON = 12 * 60
PHYSICAL_EDUCATION = "体育"
LONG_DAY = 4
"""Periods of one teacher on one day that cost nothing; each one more does."""

MAIN_SUBJECT_AFTERNOON = "main_subject_afternoon"
PE_FIRST = "pe_first"
SYNC_FIRST_PERIOD = "sync_first_period"
TWO_A_WEEK_ADJACENT = "two_a_week_adjacent"
TEACHER_LONG_DAY = "teacher_long_day"
TRAVEL_DAY = "travel_day"
LAST_PERIOD = "last_period"
UNWELCOME_TIME = "unwelcome_time"
UNEVEN_CONCESSIONS = "uneven_concessions"
CLASS_GAP = "class_gap"
SUBJECT_CROWDED = "subject_crowded"

WEIGHTS: Mapping[str, int] = {
    MAIN_SUBJECT_AFTERNOON: 2,
    PE_FIRST: 1,
    SYNC_FIRST_PERIOD: 1,
    TWO_A_WEEK_ADJACENT: 1,
    TEACHER_LONG_DAY: 1,
    TRAVEL_DAY: 4,
    LAST_PERIOD: 1,
    UNWELCOME_TIME: 2,
    UNEVEN_CONCESSIONS: 3,
    CLASS_GAP: 10,
    SUBJECT_CROWDED: 10,
}
"""Cost of one breach of each rule. The last two are kept strictly wherever that is possible at all."""


def own_breaches(
    kind: str, subject: str, *, main: bool, start: int, first_period: bool, last_of_classes: int
) -> dict[str, int]:
    """How often one lesson breaks each rule by itself, wherever the others stand.

    `start` is the host's bell, `first_period` says whether that is the first one of the host unit's day, and
    `last_of_classes` counts the classes for which the lesson takes their day's last period.
    """
    found = {}
    if main and start >= NOON:
        found[MAIN_SUBJECT_AFTERNOON] = 1
    if subject == PHYSICAL_EDUCATION and first_period:
        found[PE_FIRST] = 1
    if kind == "sync" and first_period:
        found[SYNC_FIRST_PERIOD] = 1
    if last_of_classes:
        found[LAST_PERIOD] = last_of_classes
    return found


def fair_share(concessions: int, sides: int, all_sides: int) -> int:
    """How many of all concessions a unit is fairly asked for: in proportion to its shared lessons, rounded up."""
    return -(-concessions * sides // all_sides) if all_sides else 0


def concessions(problem: Problem, lessons: Iterable[Lesson]) -> dict[str, int]:
    """How many shared lessons a week stand against the wishes of each unit that has any."""
    found = dict.fromkeys(problem.wishes, 0)
    if not found:
        return found
    for lesson in lessons:
        if lesson.kind in SHARED_KINDS:
            for party, windows in zip(lesson.parties, windows_of(lesson, problem.bells.seasons), strict=True):
                if problem.unwelcome(party.unit, lesson.weekday, windows, weeks_of(lesson)):
                    found[party.unit] += 1
    return found


def price(problem: Problem, lessons: tuple[Lesson, ...]) -> tuple[RuleCost, ...]:
    """What the lessons cost by rule, for every rule in a fixed order."""
    count: dict[str, int] = dict.fromkeys(WEIGHTS, 0)
    for lesson in lessons:
        _add_own(problem, lesson, count)
    _add_days_of_classes(problem, lessons, count)
    _add_days_of_teachers(problem, lessons, count)
    _add_concessions(problem, lessons, count)
    return tuple(RuleCost(rule=rule, cost=WEIGHTS[rule] * n) for rule, n in count.items())


def priced(problem: Problem, table: Table) -> Table:
    """The same table with its true cost written into it."""
    by_rule = price(problem, table.lessons)
    return Table(
        community=table.community,
        term=table.term,
        lessons=table.lessons,
        cost=sum(rule.cost for rule in by_rule),
        cost_by_rule=by_rule,
    )


def _add_concessions(problem: Problem, lessons: tuple[Lesson, ...], count: dict[str, int]) -> None:
    conceded = concessions(problem, lessons)
    everything, all_sides = sum(conceded.values()), sum(problem.shared_sides.values())
    count[UNWELCOME_TIME] = everything
    count[UNEVEN_CONCESSIONS] = sum(
        max(0, own - fair_share(everything, problem.shared_sides[unit], all_sides)) for unit, own in conceded.items()
    )


def _periods(problem: Problem, lesson: Lesson, unit: str, first: int) -> list[int]:
    """The periods that the lesson takes of the unit's day; none where its first one rings no more."""
    numbers = list(problem.bells.day(unit, lesson.weekday))
    if first not in numbers:
        return []
    begin = numbers.index(first)
    return numbers[begin : begin + problem.blocks[lesson.requirement]]


def _add_own(problem: Problem, lesson: Lesson, count: dict[str, int]) -> None:
    host = lesson.host
    last = 0
    for party in lesson.parties:
        final = next(reversed(problem.bells.day(party.unit, lesson.weekday)), None)
        if final in _periods(problem, lesson, party.unit, party.period):
            last += len(party.classes)
    breaches = own_breaches(
        lesson.kind,
        lesson.subject,
        main=lesson.subject in problem.main_subjects,
        start=minutes(host.start),
        first_period=host.period == next(iter(problem.bells.day(host.unit, lesson.weekday)), None),
        last_of_classes=last,
    )
    for rule, n in breaches.items():
        count[rule] += n


def _add_days_of_classes(problem: Problem, lessons: tuple[Lesson, ...], count: dict[str, int]) -> None:
    taken: dict[tuple[str, int], set[int]] = defaultdict(set)
    subject_days: dict[tuple[str, str, int], dict[WeekSet, int]] = defaultdict(lambda: defaultdict(int))
    for lesson in lessons:
        weeks = weeks_of(lesson)
        for party in lesson.parties:
            numbers = _periods(problem, lesson, party.unit, party.period)
            for school_class in party.classes:
                taken[school_class, lesson.weekday].update(numbers)
                subject_days[school_class, lesson.subject, lesson.weekday][weeks] += len(numbers)
    most = {key: fullest(loads) for key, loads in subject_days.items()}
    for (school_class, subject, _), n in most.items():
        count[SUBJECT_CROWDED] += max(0, n - problem.most_a_day(school_class, subject))
    for school_class, subject in problem.two_a_week:
        for day, after in problem.days_in_a_row:
            both = most.get((school_class, subject, day), 0) + most.get((school_class, subject, after), 0)
            count[TWO_A_WEEK_ADJACENT] += max(0, both - 1)
    for school_class in problem.full_classes:
        unit = problem.classes[school_class].unit
        for weekday in problem.weekdays:
            filled = [number in taken[school_class, weekday] for number in problem.bells.day(unit, weekday)]
            gaps = sum(after and not before for before, after in itertools.pairwise(filled))
            count[CLASS_GAP] += gaps


def _add_days_of_teachers(problem: Problem, lessons: tuple[Lesson, ...], count: dict[str, int]) -> None:
    periods: dict[tuple[str, int], dict[WeekSet, int]] = defaultdict(lambda: defaultdict(int))
    campuses: dict[tuple[str, int], set[str]] = defaultdict(set)
    for lesson in lessons:
        present = {(teacher, party.unit) for party in lesson.parties for teacher in party.teachers}
        for teacher, unit in present:
            campuses[teacher, lesson.weekday].add(problem.units[unit].campus)
            periods[teacher, lesson.weekday][weeks_of(lesson)] += problem.blocks[lesson.requirement]
    count[TEACHER_LONG_DAY] = sum(max(0, fullest(day) - LONG_DAY) for day in periods.values())
    count[TRAVEL_DAY] = sum(len(places) - 1 for places in campuses.values())
