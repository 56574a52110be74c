"""This module owns sets of the term's weeks: in which weeks something takes place, and whether two things ever do so in
one week.

A set is a whole number whose lowest bit is term week 1, so that two sets meet where `a & b` is not 0. Odd and even
weeks and single ones are all said by it, and nothing else needs to know how they were written.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Protocol, TypeAlias

from timetable.model import MOST_WEEKS, Weeks

WeekSet: TypeAlias = int

EVERY_WEEK: WeekSet = (1 << MOST_WEEKS) - 1
ODD_WEEKS: WeekSet = sum(1 << week for week in range(0, MOST_WEEKS, 2))
EVEN_WEEKS: WeekSet = EVERY_WEEK ^ ODD_WEEKS


class TakesPlace(Protocol):
    """A requirement or a lesson."""

    @property
    def weeks(self) -> Weeks: ...

    @property
    def only_weeks(self) -> tuple[int, ...]: ...


@lru_cache(maxsize=4096)
def week_set(weeks: Weeks, only_weeks: tuple[int, ...] = ()) -> WeekSet:
    """The weeks as a register says them: all, odd or even ones, and of these only the named ones, where any are."""
    among = {"all": EVERY_WEEK, "odd": ODD_WEEKS, "even": EVEN_WEEKS}[weeks]
    return among & sum(one_week(week) for week in set(only_weeks)) if only_weeks else among


def weeks_of(one: TakesPlace) -> WeekSet:
    """The weeks in which a requirement or a lesson takes place."""
    return week_set(one.weeks, one.only_weeks)


def one_week(week: int) -> WeekSet:
    """The set of one term week."""
    return 1 << (week - 1)


def held_in(weeks: Weeks, only_weeks: tuple[int, ...], week: int) -> bool:
    """Whether a lesson of these weeks takes place in a term week."""
    return bool(week_set(weeks, only_weeks) & one_week(week))


@lru_cache(maxsize=4096)
def parted(sets: frozenset[WeekSet]) -> tuple[WeekSet, ...]:
    """The weeks of these sets, parted so that every set holds a part wholly or not at all; in order of first weeks."""
    found: dict[tuple[bool, ...], WeekSet] = {}
    for week in range(1, MOST_WEEKS + 1):
        here = tuple(bool(one & one_week(week)) for one in sets)
        if any(here):
            found[here] = found.get(here, 0) | one_week(week)
    return tuple(found.values())


@lru_cache(maxsize=4096)
def crowded(sets: frozenset[WeekSet]) -> tuple[WeekSet, ...]:
    """Those parts of the weeks of these sets in which no others than the sets of another part are held."""
    parts = parted(sets)
    held = {part: {one for one in sets if one & part} for part in parts}
    return tuple(part for part in parts if not any(held[part] < more for more in held.values()))


def fullest(loads: Mapping[WeekSet, int]) -> int:
    """The most that falls into one week, of loads by the weeks that they fall into; none is below 0."""
    if len(loads) == 1:
        return next(iter(loads.values()))
    return max((sum_in(loads.items(), part) for part in parted(frozenset(loads))), default=0)


def sum_in(loads: Iterable[tuple[WeekSet, int]], part: WeekSet) -> int:
    """What falls into a part of the weeks, of loads by the weeks that they fall into."""
    return sum(load for weeks, load in loads if weeks & part)
