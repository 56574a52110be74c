"""This module owns where a lesson can stand: a placement with every party's side, and all those of one requirement."""

from dataclasses import dataclass

from timetable.bells import Window, Windows
from timetable.model import Requirement


@dataclass(frozen=True, slots=True)
class Side:
    """One party's side of a placement: its own consecutive periods and their window."""

    periods: tuple[int, ...]
    windows: Windows

    @property
    def window(self) -> Window:
        """As the term begins."""
        return self.windows[0]


@dataclass(frozen=True, slots=True)
class Placement:
    """One way to place a lesson: the host's weekday and first period, and every party's side."""

    weekday: int
    period: int
    sides: tuple[Side, ...]
    shares: Windows
    """What all sides share."""

    @property
    def shared(self) -> Window:
        """As the term begins."""
        return self.shares[0]


@dataclass(frozen=True, slots=True)
class Demand:
    """A requirement with the placements that nothing forbids outright."""

    requirement: Requirement
    placements: tuple[Placement, ...]
    by_clock: int
    """How many placements the bells alone allow."""
