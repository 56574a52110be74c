"""This module owns the bells: which periods a unit rings on a weekday, and which periods of several units meet.

Lessons of several units meet by the clock, never by the period's number. All arithmetic is in minutes after midnight.

A unit may ring other bells from a date on (winter times). The stretches of the term in which no unit changes are its
seasons. A lesson keeps its periods in all of them, so it has a window for each: `Windows` lists them in their order.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from timetable.model import BellSchedule, SchoolUnit, minutes

MOST_MINUTES_OF_SHIFT = 120
"""Nobody moves a school's bell by more than two hours, so no larger shift is looked for."""

LONGEST_BREAK_IN_BLOCK = 45
"""Two periods are consecutive when no more minutes lie between them: a long break is fine, the noon rest is not."""


class Window(NamedTuple):
    """A clock window of one day; `end` is not part of it."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start

    def overlap(self, other: "Window") -> int:
        """Minutes that both windows share."""
        return max(0, min(self.end, other.end) - max(self.start, other.start))

    def intersection(self, other: "Window") -> "Window":
        """The shared window; empty (end not after start) when the two do not meet."""
        return Window(max(self.start, other.start), min(self.end, other.end))

    def moved(self, by: int) -> "Window":
        return Window(self.start + by, self.end + by)


Day = dict[int, Window]
"""The periods of one unit on one day, by number, in the order of the clock."""

Windows = tuple[Window, ...]
"""A window for each season of the term."""


class Match(NamedTuple):
    """A period that meets another unit's window, and for how many minutes."""

    period: int
    overlap: int


@dataclass(frozen=True, slots=True)
class BellShift:
    """Ringing the bells of one unit that many minutes earlier or later."""

    unit: str
    minutes: int
    direction: Literal["earlier", "later"]


def _schedule_on(schedules: Iterable[BellSchedule], on: str) -> BellSchedule | None:
    """The schedule in force on a date: the one begun last. Before the first begins, the first counts; after the last
    has ended, the last."""
    known = tuple(schedules)
    standing = [s for s in known if s.valid_to is None or s.valid_to >= on]
    begun = [s for s in standing if s.valid_from is None or s.valid_from <= on]
    if begun:
        return max(begun, key=lambda s: s.valid_from or "")
    if standing:
        return min(standing, key=lambda s: s.valid_from or "")
    return max(known, key=lambda s: s.valid_to or "", default=None)


def seasons(units: Iterable[SchoolUnit], first: str, last: str) -> tuple[str, ...]:
    """The first dates of the seasons between two ISO dates: the first, and each later one on which a unit's bells
    change."""
    changes = {first}
    for unit in units:
        for schedule in unit.bells:
            if schedule.valid_from is not None:
                changes.add(schedule.valid_from)
            if schedule.valid_to is not None:
                changes.add((date.fromisoformat(schedule.valid_to) + timedelta(days=1)).isoformat())
    return tuple(sorted(day for day in changes if first <= day <= last))


def periods(unit: SchoolUnit, weekday: int, on: str) -> dict[int, Window]:
    """The periods of the unit on that weekday by the schedule in force on the ISO date `on`; empty when it is shut."""
    schedule = _schedule_on((s for s in unit.bells if weekday in s.weekdays), on)
    if schedule is None:
        return {}
    rung = sorted(schedule.periods, key=lambda p: (p.start, p.number))
    return {p.number: Window(minutes(p.start), minutes(p.end)) for p in rung}


class Bells:
    """The bells of several units from one ISO date to another, looked up once; of the first alone without `last`."""

    def __init__(
        self, units: Iterable[SchoolUnit], weekdays: Iterable[int], first: str, last: str | None = None
    ) -> None:
        known, days = tuple(units), tuple(weekdays)
        self.seasons = seasons(known, first, last or first)
        """The first date of each."""
        self._rung: dict[tuple[str, int], tuple[Day, ...]] = {}
        self._days: dict[tuple[str, int], Day] = {}
        for unit in known:
            for weekday in days:
                rung = tuple(periods(unit, weekday, first) for first in self.seasons)
                self._rung[unit.id, weekday] = rung
                self._days[unit.id, weekday] = _always_rung(rung)

    def day(self, unit: str, weekday: int) -> Day:
        """The periods in which a lesson of the whole term can stand, as they ring on the first date."""
        return self._days.get((unit, weekday), {})

    def window(self, unit: str, weekday: int, period: int) -> Window | None:
        return self.day(unit, weekday).get(period)

    def rung(self, unit: str, weekday: int) -> tuple[Day, ...]:
        """What the unit rings in each season."""
        return self._rung.get((unit, weekday), ({},) * len(self.seasons))

    def windows(self, unit: str, weekday: int, period: int) -> Windows:
        """When a period of `day` rings in each season."""
        return tuple(day[period] for day in self.rung(unit, weekday))

    def always(self, window: Window) -> Windows:
        """A window that no bell moves."""
        return (window,) * len(self.seasons)

    def run(self, unit: str, weekday: int, period: int, length: int) -> tuple[tuple[int, ...], Windows] | None:
        """`length` consecutive periods from `period` on and when they ring, where they follow one another in every
        season; else None."""
        rung = self.rung(unit, weekday)
        numbers = run(rung[0], period, length)
        if numbers is None or any(run(day, period, length) != numbers for day in rung[1:]):
            return None
        return numbers, tuple(Window(day[numbers[0]].start, day[numbers[-1]].end) for day in rung)

    def meeting(
        self, units: Sequence[str], weekday: int, period: int, block: int, slack: int
    ) -> list[tuple[tuple[int, ...], Windows]] | None:
        """Every unit's periods with their windows in which all meet for `block` periods in every season, the first unit
        from `period` on; None when they do not."""
        host = self.windows(units[0], weekday, period)
        runs = []
        for unit in units:
            first: int | None = period
            if unit != units[0]:
                first = self.matching_period(host, unit, weekday, slack)
            run = None if first is None else self.run(unit, weekday, first, block)
            if run is None:
                return None
            runs.append(run)
        by_season = zip(*(windows for _, windows in runs), strict=True)
        return runs if all(windows_meet(windows, slack) for windows in by_season) else None

    def first_seasons(self, count: int) -> "Bells":
        """The bells as if the term ended with that season."""
        return self._with(self.seasons[:count], {key: rung[:count] for key, rung in self._rung.items()})

    def shifted(self, unit: str, season: int, by: int) -> "Bells":
        """The bells with one unit's rung `by` minutes later (below 0: earlier) in one season."""

        def moved(rung: tuple[Day, ...]) -> tuple[Day, ...]:
            day = {number: window.moved(by) for number, window in rung[season].items()}
            return (*rung[:season], day, *rung[season + 1 :])

        rung = {key: moved(rung) if key[0] == unit else rung for key, rung in self._rung.items()}
        return self._with(self.seasons, rung)

    def _with(self, first_dates: tuple[str, ...], rung: dict[tuple[str, int], tuple[Day, ...]]) -> "Bells":
        other = Bells((), (), "")
        other.seasons, other._rung = first_dates, rung
        other._days = {key: _always_rung(days) for key, days in rung.items()}
        return other

    def matching_period(self, host: Windows, unit: str, weekday: int, slack: int) -> int | None:
        """The period in which another unit can follow the host's lesson whatever season it is: where they share most
        minutes at the least (the earlier one of equals); None when there is no such period."""
        rung = self.rung(unit, weekday)
        if len(rung) == 1:
            return matching_period(host[0], rung[0], slack)
        best: Match | None = None
        for period in self.day(unit, weekday):
            own = tuple(day[period] for day in rung)
            pairs = tuple(zip(host, own, strict=True))
            if all(a.overlap(b) >= required_overlap((a, b), slack) for a, b in pairs):
                least = min(a.overlap(b) for a, b in pairs)
                if best is None or least > best.overlap:
                    best = Match(period, least)
        return None if best is None else best.period


def _always_rung(rung: tuple[Day, ...]) -> Day:
    """The periods that ring in every season, as they do in the first."""
    return {number: window for number, window in rung[0].items() if all(number in day for day in rung[1:])}


def near(a: Windows, b: Windows, way: int = 0) -> bool:
    """Whether in some season there are fewer than `way` minutes between two windows, or they overlap."""
    return any(x.start < y.end + way and y.start - way < x.end for x, y in zip(a, b, strict=True))


def run(day: Day, period: int, length: int) -> tuple[int, ...] | None:
    """The numbers of `length` consecutive periods from `period` on, or None when the day has no such run."""
    numbers = list(day)
    if period not in day:
        return None
    first = numbers.index(period)
    chosen = numbers[first : first + length]
    if len(chosen) < length:
        return None
    for before, after in itertools.pairwise(chosen):
        if day[after].start - day[before].end > LONGEST_BREAK_IN_BLOCK:
            return None
    return tuple(chosen)


def required_overlap(windows: Iterable[Window], slack: int) -> int:
    """Minutes that the windows must share: the length of the shortest less the slack, at least one minute."""
    return max(1, min(window.length for window in windows) - slack)


def shared_window(windows: Sequence[Window]) -> Window:
    """The minutes that all windows share (empty when they do not meet)."""
    shared = windows[0]
    for window in windows[1:]:
        shared = shared.intersection(window)
    return shared


def best_match(host: Window, day: Day) -> Match | None:
    """The period of `day` that shares most minutes with the host's window (the earlier one of equals)."""
    best: Match | None = None
    for number, window in day.items():
        overlap = host.overlap(window)
        if overlap > 0 and (best is None or overlap > best.overlap):
            best = Match(number, overlap)
    return best


def matching_period(host: Window, day: Day, slack: int) -> int | None:
    """The period of another unit in which the host's lesson can be followed, or None when too few minutes meet."""
    best = best_match(host, day)
    if best is None or best.overlap < required_overlap((host, day[best.period]), slack):
        return None
    return best.period


def windows_meet(windows: Sequence[Window], slack: int) -> bool:
    """Whether all windows together share enough minutes for one lesson."""
    return shared_window(windows).length >= required_overlap(windows, slack)


def leftover(own: Window, shared: Window) -> tuple[Window, ...]:
    """The minutes of a unit's own period before and after the shared window."""
    parts = (Window(own.start, shared.start), Window(shared.end, own.end))
    return tuple(part for part in parts if part.length > 0)


def smallest_shift(host: Sequence[Day], others: Mapping[str, Sequence[Day]], slack: int) -> BellShift | None:
    """The smallest change of one other unit's bells that lets all of them meet in at least one period of the week.

    `host` and each of `others` list the same days in the same order. None when no single shift is enough.
    """
    found: BellShift | None = None
    for unit in others:
        limit = MOST_MINUTES_OF_SHIFT if found is None else found.minutes - 1
        for size in range(1, limit + 1):
            later = _meets_after(host, others, unit, size, slack)
            if later or _meets_after(host, others, unit, -size, slack):
                found = BellShift(unit, size, "later" if later else "earlier")
                break
    return found


def _meets_after(host: Sequence[Day], others: Mapping[str, Sequence[Day]], unit: str, by: int, slack: int) -> bool:
    for index, host_day in enumerate(host):
        days = {
            name: {n: w.moved(by) for n, w in days[index].items()} if name == unit else days[index]
            for name, days in others.items()
        }
        for window in host_day.values():
            matched = {name: matching_period(window, day, slack) for name, day in days.items()}
            windows = [window, *(days[name][p] for name, p in matched.items() if p is not None)]
            if None not in matched.values() and windows_meet(windows, slack):
                return True
    return False
