"""Bodies about why there is no table, and what could be conceded for one."""

from typing import Literal

from server.shapes.base import Body
from timetable.model import Finding


class StartExplanation(Body, frozen=True, kw_only=True):
    seconds: float = 60.0


class ConcessionView(Body, frozen=True, kw_only=True):
    """Something that was verified to let a table exist. `number` names it, `price` ranks it."""

    number: int
    kind: str
    price: int
    finding: Finding
    units: tuple[str, ...]
    """The schools whose rows it changes."""
    may: bool
    """Whether the person asking may make it."""


class MissingLessons(Body, frozen=True, kw_only=True):
    title: str
    lessons: int


class ExplanationView(Body, frozen=True, kw_only=True):
    """A search for concessions: polled, or streamed at `/api/explanations/{id}/events` (server-sent events)."""

    id: str
    community: str
    state: Literal["running", "done", "failed", "cancelled", "interrupted"]
    phase: Literal["lints", "largest", "trying", "done"]
    seconds: float
    limit: float
    tried: int
    of: int
    feasible: bool | None
    """Known at the end: a table exists as things are."""
    complete: bool
    """Whether every candidate was tried."""
    findings: tuple[Finding, ...]
    missing: tuple[MissingLessons, ...]
    """What the largest table that was found lacks."""
    concessions: tuple[ConcessionView, ...]
    """The cheapest first."""


class Conceded(Body, frozen=True, kw_only=True):
    """The concession was made: the register's version with it."""

    version: int
