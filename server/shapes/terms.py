"""Bodies about terms: those that there were, and the turn to the next."""

from server.shapes.base import Body
from timetable.model import Finding
from timetable.years.next_classes import Moved
from timetable.years.rollover import Assignment, Rollover


class TermRow(Body, frozen=True, kw_only=True):
    id: str
    name: str
    first_day: str
    last_day: str


class LeavingClasses(Body, frozen=True, kw_only=True):
    """The classes of a unit that leave at the year's turn, whose places new ones take: the pupils of each."""

    unit: str
    unit_name: str
    community: str
    pupils: tuple[int, ...]


class TermsView(Body, frozen=True, kw_only=True):
    """All terms, the present one first, and what the next one could be."""

    terms: tuple[TermRow, ...]
    register_version: int
    proposed: Rollover
    leaving: tuple[LeavingClasses, ...]
    may_turn: bool


class NewRollover(Body, frozen=True, kw_only=True):
    """`registerVersion` is that of the `TermsView`; a newer one stands: 409."""

    register_version: int
    plan: Rollover


class RolloverView(Body, frozen=True, kw_only=True):
    """What the turn brings. `taken`: it was carried out, and `registerVersion` is that of the new term."""

    taken: bool
    possible: bool
    register_version: int
    findings: tuple[Finding, ...]
    classes: tuple[Moved, ...]
    teachers: tuple[Assignment, ...]
    requirements: dict[str, int]
