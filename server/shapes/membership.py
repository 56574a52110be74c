"""Bodies about schools that join or leave a community in mid-term."""

from typing import Literal

from server.shapes.base import Body
from server.shapes.repair import MoveView
from server.shapes.table import NameRef
from timetable.model import Finding
from timetable.years.membership import Join, Leave

MembershipKind = Join | Leave


class NewMembership(Body, frozen=True, kw_only=True):
    """`revision` is that of the draft (0: none): the change becomes the next one."""

    revision: int
    change: MembershipKind


class MembershipOutcome(Body, frozen=True, kw_only=True):
    """What the change comes to: lesson ids by what happens to them."""

    possible: bool
    findings: tuple[Finding, ...]
    moves: tuple[MoveView, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    changed: tuple[str, ...]
    kept: int
    seconds: float


class MembershipSearchView(Body, frozen=True, kw_only=True):
    """A search for what a change comes to: polled, or streamed at `/api/membership-searches/{id}/events`."""

    id: str
    community: str
    wanted: Literal["look", "plan", "withdraw"]
    kind: Literal["join", "leave"]
    unit: str
    first: str
    by: str
    state: Literal["running", "done", "failed", "cancelled", "interrupted"]
    seconds: float
    limit: float
    """Seconds that it takes at most."""
    step: int
    """Which of the `of` dates from which on another table counts is worked on, from 1; 0: none yet."""
    of: int
    rung: Literal["alone", "lessons", "classes", "teachers", "all"] | None
    """Which other lessons may move."""
    found: bool
    """A table is there; one with fewer moves is looked for."""
    outcome: MembershipOutcome | None
    error: str | None
    findings: tuple[Finding, ...]
    """Why, where there is an error."""


class MembershipRow(Body, frozen=True, kw_only=True):
    id: str
    kind: Literal["join", "leave"]
    unit: str
    unit_name: str
    first: str
    by: str
    at: float
    state: Literal["planned", "done", "withdrawn"]
    may_withdraw: bool
    """Whether it can be taken back, and by the person asking."""


class MembershipsView(Body, frozen=True, kw_only=True):
    """Who belongs to a community and who is to leave; `unattached` are units of no community."""

    community: str
    core: str
    units: tuple[NameRef, ...]
    unattached: tuple[NameRef, ...]
    changes: tuple[MembershipRow, ...]
    revision: int
    """Of the draft that stands."""
    may_change: bool
    search: MembershipSearchView | None = None
    """The one that runs, or a look that has ended."""
    looked: MembershipKind | None = None
    """What it is about, whole, for whoever may change the members."""
