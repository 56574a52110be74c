"""This module owns what FET's days and hours are on the clock."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from timetable.bells import Window
from timetable.fet.file import MORNINGS_AND_AFTERNOONS, FetFile
from timetable.model import BellSchedule, BusyTime, Period, Slot, clock

TIMES = re.compile(r"(?<!\d)(\d{1,2})\s*[:.h：时]\s*(\d{2})\s*[-–—~～至到]\s*(\d{1,2})\s*[:.h：时]\s*(\d{2})(?!\d)")
DAY_WORDS = (
    ("周一", "星期一", "monday", "mon"),
    ("周二", "星期二", "tuesday", "tue"),
    ("周三", "星期三", "wednesday", "wed"),
    ("周四", "星期四", "thursday", "thu"),
    ("周五", "星期五", "friday", "fri"),
    ("周六", "星期六", "saturday", "sat"),
    ("周日", "星期日", "sunday", "sun"),
)
FIRST, LENGTH, BREAK, MORNING, AFTERNOON = 8 * 60 + 20, 40, 10, 4, 14 * 60
"""The day that is assumed where the hours have no times: in minutes, `MORNING` in periods."""

FetAt = tuple[str, str]
"""A day and an hour of FET, by their names."""


@dataclass(frozen=True, slots=True)
class Hours:
    """The weekdays and periods that FET's names stand for."""

    weekdays: tuple[int, ...]
    windows: tuple[Window, ...]
    assumed: bool
    day_names: tuple[str, ...]
    hour_names: tuple[str, ...]
    halves: int
    """2 when FET counts mornings and afternoons as days."""

    def slot(self, at: FetAt) -> Slot | None:
        """The period that a day and an hour of FET are; None for unknown names."""
        day, hour = at
        if day not in self.day_names or hour not in self.hour_names:
            return None
        position, half = divmod(self.day_names.index(day), self.halves)
        period = self.hour_names.index(hour) + half * len(self.hour_names) + 1
        return Slot(weekday=self.weekdays[position], period=period)

    def bells(self, breaks: Iterable[Slot]) -> tuple[BellSchedule, ...]:
        """A schedule for the days that have the same periods, without the breaks."""
        left_out = set(breaks)
        alike: dict[tuple[Period, ...], list[int]] = {}
        for day in self.weekdays:
            periods = tuple(
                Period(number=number, start=clock(window.start), end=clock(window.end))
                for number, window in enumerate(self.windows, 1)
                if Slot(weekday=day, period=number) not in left_out
            )
            alike.setdefault(periods, []).append(day)
        return tuple(BellSchedule(weekdays=tuple(days), periods=periods) for periods, days in alike.items())

    def busy(self, slots: Iterable[Slot], reason: str = "") -> tuple[BusyTime, ...]:
        """The slots as times; neighbouring periods as one."""
        found: list[BusyTime] = []
        ordered = sorted({(slot.weekday, slot.period) for slot in slots})
        for day, group in itertools.groupby(enumerate(ordered), lambda item: (item[1][0], item[1][1] - item[0])):
            run = [period for _, (_, period) in group]
            first, last = self.windows[run[0] - 1], self.windows[run[-1] - 1]
            found.append(BusyTime(weekday=day[0], start=clock(first.start), end=clock(last.end), reason=reason))
        return tuple(found)


def hours_of(file: FetFile) -> Hours:
    """The hours of a file with at most seven days (or fourteen halves) and sixteen periods a day."""
    halves = 2 if file.mode == MORNINGS_AND_AFTERNOONS else 1
    days = file.days[::halves]
    windows = _written(file.hours) if halves == 1 else None
    return Hours(
        weekdays=_weekdays(days),
        windows=windows or _assumed(len(file.hours) * halves),
        assumed=windows is None,
        day_names=file.days,
        hour_names=file.hours,
        halves=halves,
    )


def _weekdays(names: Sequence[str]) -> tuple[int, ...]:
    found = []
    for name in names:
        word = name.strip().lower()
        found += [day for day, words in enumerate(DAY_WORDS, 1) if word.startswith(words)]
    named = len(found) == len(names) and len(set(found)) == len(found)
    return tuple(found) if named else tuple(range(1, len(names) + 1))


def _written(hours: Sequence[str]) -> tuple[Window, ...] | None:
    found = []
    for name in hours:
        times = TIMES.search(name)
        if times is None:
            return None
        h1, m1, h2, m2 = map(int, times.groups())
        found.append(Window(h1 * 60 + m1, h2 * 60 + m2))
    rung = [minute for window in found for minute in window]
    in_order = all(window.length > 0 for window in found) and rung == sorted(rung) and rung[-1] < 24 * 60
    return tuple(found) if in_order else None


def _assumed(count: int) -> tuple[Window, ...]:
    found: list[Window] = []
    for number in range(count):
        after = FIRST if not found else found[-1].end + BREAK
        start = AFTERNOON if number == MORNING and after <= AFTERNOON else after
        found.append(Window(start, start + LENGTH))
    return tuple(found)
