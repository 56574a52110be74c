"""Bodies about tables that come in from outside: a school's own table, somebody's calendar."""

from server.shapes.base import Body
from timetable.model import Finding, Weeks


class OwnTableView(Body, frozen=True, kw_only=True):
    """What a school's own table says, and what became of it. `imported` is false after a check or with errors."""

    findings: tuple[Finding, ...]
    imported: bool
    lessons: int
    """Cells that were understood."""
    locked: int
    """Slots that are fixed and were not before."""
    requirements: int
    """Requirements that were made for lessons that had none."""
    busy: int
    """Times that teachers and rooms are taken."""


class TakenTime(Body, frozen=True, kw_only=True):
    """A weekly time that a calendar takes: in `held` of the `possible` weeks of the term."""

    weekday: int
    start: str
    end: str
    weeks: Weeks
    reason: str
    held: int
    possible: int


class CalendarView(Body, frozen=True, kw_only=True):
    """The weekly times that a calendar takes of a teacher or a room."""

    times: tuple[TakenTime, ...]
    findings: tuple[Finding, ...]
    imported: bool


class ExportView(Body, frozen=True, kw_only=True):
    """A table to take away: what its file is called, and what is lost in this form."""

    name: str
    bytes: int
    findings: tuple[Finding, ...]
    sheets: dict[str, int]
    """How many sheets of paper a wall takes, by the paper's name."""
    smallest: float
    """The smallest type of a wall, in points; 0 of what is not for walls."""
