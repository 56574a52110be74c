"""This module owns the bells: which periods a unit rings on a weekday, and which periods of several units meet.

Lessons of several units meet by the clock, never by the period's number. All arithmetic is in minutes after midnight.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    """The schedule in force on a date: the one begun last. Before the first begins, the first counts."""
    standing = [s for s in schedules if s.valid_to is None or s.valid_to >= on]
    begun = [s for s in standing if s.valid_from is None or s.valid_from <= on]
    if begun:
        return max(begun, key=lambda s: s.valid_from or "")
    return min(standing, key=lambda s: s.valid_from or "", default=None)


def periods(unit: SchoolUnit, weekday: int, on: str) -> dict[int, Window]:
    """The periods of the unit on that weekday by the schedule in force on the ISO date `on`; empty when it is shut."""
    schedule = _schedule_on((s for s in unit.bells if weekday in s.weekdays), on)
    if schedule is None:
        return {}
    rung = sorted(schedule.periods, key=lambda p: (p.start, p.number))
    return {p.number: Window(minutes(p.start), minutes(p.end)) for p in rung}


class Bells:
    """The bells of several units for one term, looked up once."""

    def __init__(self, units: Iterable[SchoolUnit], weekdays: Iterable[int], on: str) -> None:
        days = tuple(weekdays)
        self._days = {(unit.id, day): periods(unit, day, on) for unit in units for day in days}

    def day(self, unit: str, weekday: int) -> Day:
        return self._days.get((unit, weekday), {})

    def window(self, unit: str, weekday: int, period: int) -> Window | None:
        return self.day(unit, weekday).get(period)


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
