"""This module owns the one grid of hours that FET knows, laid over bells that differ from school to school.

FET has the same hours for everybody. Periods of different units that meet by the clock are put into one hour as far as
their order allows; a period that meets nobody's gets an hour of its own, in which the other units have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from timetable.bells import Day, Window, required_overlap
from timetable.placement import Placement

FITTING = 1000
"""What it is worth that two windows meet long enough for a lesson, in minutes of overlap."""


@dataclass(eq=False)
class _Hour:
    windows: list[Window] = field(default_factory=list)


class Grid:
    """The hours, and the hour of every period. `days` lists each unit's days, the core unit's first."""

    def __init__(self, days: Iterable[tuple[str, int, Day]], slack: int) -> None:
        self._slack = slack
        self._hours: list[_Hour] = []
        assigned: dict[tuple[Window, ...], list[_Hour]] = {}
        places: dict[tuple[str, int], dict[int, _Hour]] = {}
        for unit, weekday, day in days:
            rung = tuple(day.values())
            if rung not in assigned:
                assigned[rung] = self._align(rung)
            places[unit, weekday] = dict(zip(day, assigned[rung], strict=True))
        index = {hour: number for number, hour in enumerate(self._hours)}
        self._hour_of = {key: {period: index[hour] for period, hour in day.items()} for key, day in places.items()}

    @property
    def size(self) -> int:
        return len(self._hours)

    def hours_of(self, unit: str, weekday: int) -> dict[int, int]:
        """The hour of each period that the unit rings that day, counted from 0."""
        return self._hour_of.get((unit, weekday), {})

    def window(self, hour: int) -> Window:
        """The window of the unit that first had this hour."""
        return self._hours[hour].windows[0]

    def hour_of(self, units: Sequence[str], placement: Placement) -> int | None:
        """The hour at which a lesson of these units would stand in FET, or None where the grid cannot hold it: its
        sides fall into different hours, or a block's hours are not consecutive."""
        found: set[tuple[int, ...]] = set()
        for unit, side in zip(units, placement.sides, strict=True):
            hours = self.hours_of(unit, placement.weekday)
            found.add(tuple(hours[period] for period in side.periods))
        if len(found) != 1:
            return None
        (hours_taken,) = found
        first = hours_taken[0]
        return first if hours_taken == tuple(range(first, first + len(hours_taken))) else None

    def _align(self, rung: Sequence[Window]) -> list[_Hour]:
        """The hours of one unit's day: known ones where they meet best, new ones elsewhere."""
        matched = self._best_match(rung)
        chosen: list[_Hour] = []
        lowest = 0
        for window, hour in zip(rung, matched, strict=True):
            if hour is None:
                hour = _Hour()
                self._hours.insert(self._place(window, lowest, matched[len(chosen) + 1 :]), hour)
            hour.windows.append(window)
            chosen.append(hour)
            lowest = self._hours.index(hour) + 1
        return chosen

    def _place(self, window: Window, lowest: int, after: Sequence[_Hour | None]) -> int:
        following = next((hour for hour in after if hour is not None), None)
        limit = len(self._hours) if following is None else self._hours.index(following)
        while lowest < limit and self._hours[lowest].windows[0].start < window.start:
            lowest += 1
        return lowest

    def _best_match(self, rung: Sequence[Window]) -> list[_Hour | None]:
        """The hour for every window, in order, so that the minutes that meet add up to most."""
        rows, columns = len(self._hours), len(rung)
        best = [[0] * (columns + 1) for _ in range(rows + 1)]
        for i in range(1, rows + 1):
            for j in range(1, columns + 1):
                met = self._worth(self._hours[i - 1], rung[j - 1])
                best[i][j] = max(best[i - 1][j], best[i][j - 1], best[i - 1][j - 1] + met if met else 0)
        matched: list[_Hour | None] = [None] * columns
        i, j = rows, columns
        while i and j:
            if best[i][j] == best[i - 1][j]:
                i -= 1
            elif best[i][j] == best[i][j - 1]:
                j -= 1
            else:
                i, j = i - 1, j - 1
                matched[j] = self._hours[i]
        return matched

    def _worth(self, hour: _Hour, window: Window) -> int:
        overlaps = [(known.overlap(window), required_overlap((known, window), self._slack)) for known in hour.windows]
        return sum(overlap + FITTING * (overlap >= required) for overlap, required in overlaps)
