"""Bodies about changes after publication: asking for one, what it comes to, the days that result, and cover."""

from typing import Annotated, Literal

from msgspec import Meta

from server.shapes.base import Body
from server.shapes.table import ConsentRow, NameRef
from timetable.days.changes import Cancel, MakeUp, MakeUpOwn, Move, MoveWeekly, Substitute, Swap, SwapWeekly, Undo
from timetable.days.cover import CoverNeed
from timetable.days.openings import Opening
from timetable.days.scene import Line
from timetable.model import Finding, Id, IsoDate, PlacedParty

Change = Move | Swap | Substitute | Cancel | MakeUp | MakeUpOwn | MoveWeekly | SwapWeekly | Undo
Text = Annotated[str, Meta(max_length=500)]


class NewAmendment(Body, frozen=True, kw_only=True):
    """`version` is the published version that the asker looked at; a newer one stands: 409."""

    version: int
    change: Change
    reason: Text = ""


class AmendmentCheck(Body, frozen=True, kw_only=True):
    """What a change would come to. `asked` are the units that would have to agree beside the asker's own."""

    possible: bool
    findings: tuple[Finding, ...]
    lines: tuple[Line, ...]
    affected: tuple[str, ...]
    asked: tuple[str, ...]


class AmendmentAnswer(Body, frozen=True, kw_only=True):
    revision: int


class AmendmentObjection(Body, frozen=True, kw_only=True):
    """`counter_...` is a slot of the host that would suit."""

    revision: int
    reason: Text
    counter_weekday: Annotated[int, Meta(ge=1, le=7)] | None = None
    counter_period: Annotated[int, Meta(ge=1, le=16)] | None = None


class AmendmentView(Body, frozen=True, kw_only=True):
    """One change after publication, with where everybody stands on it."""

    community: str
    number: int
    revision: int
    """Send it back with an answer; a stale one is refused with 409."""
    change: Change
    reason: str
    unit: str
    """The unit that asked."""
    by: str
    at: float
    state: Literal["draft", "asked", "agreed", "applied", "undone", "refused", "withdrawn"]
    cause: Literal["", "objection", "silence", "no_longer_fits"]
    """Why it was refused."""
    findings: tuple[Finding, ...]
    """Why it was refused; of an applied one its warnings, and what a later version has put in its way."""
    lines: tuple[Line, ...]
    affected: tuple[str, ...]
    consents: tuple[ConsentRow, ...]
    """Those of the units that have a say."""
    earliest: float
    deadline: float
    may: tuple[Literal["agree", "object", "withdraw", "undo"], ...]
    """What the person asking may do now."""
    version: int | None
    """The version that a lasting change became."""
    applied_at: float | None
    undone_by: int | None


class OccurrenceRow(Body, frozen=True, kw_only=True):
    """A lesson on its date, as it takes place or was called off."""

    occurrence: str
    community: str
    lesson: str
    title: str
    subject: str
    kind: str
    date: str
    weekday: int
    week: int
    start: str
    end: str
    starts: float
    parties: tuple[PlacedParty, ...]
    change: Literal["none", "moved", "substituted", "cancelled", "made_up"]
    planned_date: str | None
    """Where the published table has it; absent for a lesson that makes up for another."""
    planned_start: str | None
    provisional: bool
    reason: str = ""
    """Why schools are shut then."""


class OpeningsView(Body, frozen=True, kw_only=True):
    """Every period of the host in some days; one without findings is free for the lesson."""

    occurrence: str
    openings: tuple[Opening, ...]


class NewCover(Body, frozen=True, kw_only=True):
    """A teacher will be absent between two dates."""

    teacher: Id
    first: IsoDate
    last: IsoDate


class CoverView(Body, frozen=True, kw_only=True):
    """Who could stand in for each lesson, the best first. A choice is asked for as a `substitute`."""

    teacher: str
    first: str
    last: str
    needs: tuple[CoverNeed, ...]
    teachers: tuple[NameRef, ...]
    """The names of all who occur in it."""
