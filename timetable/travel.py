"""This module owns the way between campuses."""

from timetable.model import Register

DEFAULT_TRAVEL = 30
"""Minutes between two campuses for which the register names none."""


class TravelTimes:
    """Minutes between campuses, the same in both directions."""

    def __init__(self, register: Register) -> None:
        self._minutes: dict[tuple[str, str], int] = {}
        for travel in register.travel:
            a, b = travel.campuses
            self._minutes[a, b] = self._minutes[b, a] = travel.minutes

    def known(self, a: str, b: str) -> bool:
        return a == b or (a, b) in self._minutes

    def between(self, a: str | None, b: str | None) -> int:
        if a is None or b is None or a == b:
            return 0
        return self._minutes.get((a, b), DEFAULT_TRAVEL)
