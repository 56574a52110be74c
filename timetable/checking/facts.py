"""This module owns what the register says, looked up for the check: the nouns by id, the ways, the bells by date."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from timetable.model import Finding, Register, minutes

UNKNOWN_TRAVEL = 30
"""Minutes assumed between campuses for which the register names none."""

Day = Mapping[int, tuple[int, int]]
"""Period -> (start, end), in minutes after midnight."""


def finding(code: str, **values: str | int) -> Finding:
    return Finding(code=code, values=values)


class Facts:
    """A register, looked up."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.units = {unit.id: unit for unit in register.units}
        self.classes = {school_class.id: school_class for school_class in register.classes}
        self.teachers = {teacher.id: teacher for teacher in register.teachers}
        self.rooms = {room.id: room for room in register.rooms}
        self.communities = {community.id: community for community in register.communities}
        self.requirements = {requirement.id: requirement for requirement in register.requirements}
        self.dates = sorted(set(self._dates_of_change()))
        """The term's first day, and every day of it from which bells change."""
        self._days = {day: {unit.id: self._rung(unit.id, day) for unit in register.units} for day in self.dates}

    def _dates_of_change(self) -> Iterator[str]:
        """The term's first day, and every day of it on which a bell schedule begins or has just ended."""
        term = self.register.term
        yield term.first_day
        for unit in self.register.units:
            for bells in unit.bells:
                ended = bells.valid_to and str(date.fromisoformat(bells.valid_to) + timedelta(days=1))
                for day in (bells.valid_from, ended):
                    if day and term.first_day < day <= term.last_day:
                        yield day

    def _rung(self, unit: str, on: str) -> dict[int, Day]:
        """weekday -> what the unit rings, by the bells in force on a date."""
        days: dict[int, Day] = {}
        for weekday in range(1, 8):
            best = None
            for bells in self.units[unit].bells:
                if weekday not in bells.weekdays:
                    continue
                begins, ends = bells.valid_from or "", bells.valid_to or "9999"
                # The latest that has begun wins; while none has begun, the next to begin; when all have ended, the
                # last to end.
                if ends < on:
                    rank = (0, ends)
                elif begins > on:
                    rank = (1, "".join(chr(0x7F - ord(c)) for c in begins))
                else:
                    rank = (2, begins)
                if best is None or rank > best[0]:
                    best = (rank, bells)
            if best is not None:
                days[weekday] = {p.number: (minutes(p.start), minutes(p.end)) for p in best[1].periods}
        return days

    def span(self, unit: str, weekday: int, period: int, block: int, on: str) -> tuple[int, int] | None:
        """Start and end of a block of periods on a date of change, or None when the unit does not ring them."""
        day = self._days[on][unit].get(weekday, {})
        ordered = sorted(day, key=lambda number: day[number])
        if period not in ordered:
            return None
        numbers = ordered[ordered.index(period) :][:block]
        return (day[numbers[0]][0], day[numbers[-1]][1]) if len(numbers) == block else None

    def way(self, a: str, b: str) -> int:
        """Minutes between two campuses."""
        if a == b:
            return 0
        for travel in self.register.travel:
            if set(travel.campuses) == {a, b}:
                return travel.minutes
        return UNKNOWN_TRAVEL
