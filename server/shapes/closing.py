"""Bodies about sudden closings of schools, what makes up for them, and the weeks that result."""

from typing import Annotated

from msgspec import Meta

from server.shapes.amendment import AmendmentView, OccurrenceRow, Text
from server.shapes.base import Body
from server.shapes.table import NameRef
from timetable.agreement.amendment_policy import Say
from timetable.agreement.closing_service import Loss
from timetable.days.changes import MOST_MADE_UP
from timetable.days.make_ups import MakeUpPlan, OwnMakeUpPlan
from timetable.model import ClockTime, Finding, Id, IsoDate, MakeUpDay

Units = Annotated[tuple[Id, ...], Meta(max_length=2000)]
Days = Annotated[tuple[MakeUpDay, ...], Meta(max_length=20)]


class NewClosing(Body, frozen=True, kw_only=True):
    """Shut these units from `first` at `start` to `last` at `end`; without times for the whole of these days. Without
    units: all that the asker may close."""

    first: IsoDate
    last: IsoDate
    reason: Annotated[str, Meta(min_length=1, max_length=200)]
    units: Units = ()
    start: ClockTime | None = None
    end: ClockTime | None = None
    make_up_days: Days = ()


class ClosingView(Body, frozen=True, kw_only=True):
    id: str
    """Empty where it was only looked at."""
    revision: int
    units: tuple[str, ...]
    unit_names: tuple[str, ...]
    first: str
    last: str
    start: str | None
    end: str | None
    reason: str
    by: str
    at: float
    reopened_at: float | None
    reopened_by: str
    make_up_days: tuple[MakeUpDay, ...]
    losses: tuple[Loss, ...]
    may_reopen: bool
    plans_for: tuple[str, ...]
    """The schools whose own make-ups the asker may ask for."""


class ClosableCommunity(Body, frozen=True, kw_only=True):
    """The units of a community that the asker may close."""

    community: str
    name: str
    units: tuple[NameRef, ...]


class ClosingsView(Body, frozen=True, kw_only=True):
    """What concerns the communities that the asker sees, the newest first, and what the asker may close."""

    closings: tuple[ClosingView, ...]
    closable: tuple[ClosableCommunity, ...]
    weekdays: tuple[int, ...]
    """Those on which there is school."""


class ClosingRevision(Body, frozen=True, kw_only=True):
    revision: int


class GivenDays(Body, frozen=True, kw_only=True):
    revision: int
    make_up_days: Days


class MakeUpPlanView(Body, frozen=True, kw_only=True):
    plan: MakeUpPlan
    version: int
    """The published version that a choice is asked against."""
    may_ask: bool


class ChosenMakeUp(Body, frozen=True, kw_only=True):
    occurrence: Annotated[str, Meta(min_length=1, max_length=128)]
    date: IsoDate
    period: Annotated[int, Meta(ge=1, le=16)]


class NewMakeUps(Body, frozen=True, kw_only=True):
    version: int
    choices: Annotated[tuple[ChosenMakeUp, ...], Meta(min_length=1, max_length=200)]
    reason: Text = ""


class OwnMakeUpPlanView(Body, frozen=True, kw_only=True):
    plan: OwnMakeUpPlan
    version: int
    """The published version that the choices are asked against."""
    may_ask: bool
    consent: Say
    """What the school itself has to say to what the asker asks for."""


class NewOwnMakeUps(Body, frozen=True, kw_only=True):
    """Lessons of one school alone, made up all or none."""

    version: int
    choices: Annotated[tuple[ChosenMakeUp, ...], Meta(min_length=1, max_length=MOST_MADE_UP)]
    reason: Text = ""


class MakeUpAnswer(Body, frozen=True, kw_only=True):
    """What came of one choice: an amendment, or why there is none."""

    occurrence: str
    amendment: AmendmentView | None = None
    findings: tuple[Finding, ...] = ()


class DatedDay(Body, frozen=True, kw_only=True):
    """One date of a week. `standing` are lessons that take place as the version shown has them."""

    date: str
    weekday: int
    school: bool
    follows_weekday: int
    note: str
    """The name of a holiday, or why schools are shut."""
    closed: tuple[str, ...]
    """The community's units that have no school at all that day."""
    standing: tuple[str, ...]


class WeekView(Body, frozen=True, kw_only=True):
    """A community's lessons on the dates of one week, against one published version."""

    week: int
    first: str
    version: int
    days: tuple[DatedDay, ...]
    changed: tuple[OccurrenceRow, ...]
    """Whatever does not stand as the version has it."""
