"""Bodies about the shared timetable: the grid, its build, negotiation, versions, import, and today."""

from typing import Literal

from server.shapes.base import Body
from server.shapes.people import CommunityRef
from timetable.agreement.ledger import LedgerRow
from timetable.model import Finding, Lesson, Period, RuleCost, Weeks

TableStatus = Literal["none", "draft", "proposed", "agreed", "published"]


class RungFrom(Body, frozen=True, kw_only=True):
    """The bells of an ordinary weekday from an ISO date on."""

    first: str
    periods: tuple[Period, ...]


class UnitRef(Body, frozen=True, kw_only=True):
    id: str
    name: str
    short_name: str
    code: str
    core: bool
    periods: tuple[Period, ...]
    """The bells of an ordinary weekday."""
    later: tuple[RungFrom, ...] = ()
    """Those from each later date on that they change."""


class ClassRef(Body, frozen=True, kw_only=True):
    id: str
    name: str
    unit: str
    grade: int


class NameRef(Body, frozen=True, kw_only=True):
    id: str
    name: str
    unit: str


class TermChoice(Body, frozen=True, kw_only=True):
    id: str
    name: str


class TermRef(Body, frozen=True, kw_only=True):
    name: str
    week_one: str
    weeks: int
    today: str
    week: int
    parity: Weeks
    provisional: bool
    """Whether the week of today has no official calendar yet."""


class ConsentRow(Body, frozen=True, kw_only=True):
    """One unit's word on the proposed draft."""

    unit: str
    answer: Literal["agreed", "objected", "silent", "unaffected"]
    by: str = ""
    at: float | None = None
    reason: str = ""
    lesson: str | None = None
    counter_weekday: int | None = None
    counter_period: int | None = None


class NegotiationView(Body, frozen=True, kw_only=True):
    state: Literal["draft", "proposed", "agreed", "published"]
    draft: int
    author: str
    """Who built the draft, or changed it last."""
    mode: Literal["merged", "co_built", "collaborative"]
    deadline: float | None
    consents: tuple[ConsentRow, ...]
    may: tuple[Literal["build", "propose", "agree", "object", "publish"], ...]
    """What the person asking may do now."""
    missing: int
    """Consents still needed before it can be published."""


class VersionRow(Body, frozen=True, kw_only=True):
    number: int
    author: str
    at: float
    added: int
    moved: int
    cancelled: int
    valid_from: str | None = None
    """The first ISO date that it counts for, where that is later than its publication."""


class LedgerView(Body, frozen=True, kw_only=True):
    """Who gave way in the community, every unit in its order."""

    rows: tuple[LedgerRow, ...]


class TimetableView(Body, frozen=True, kw_only=True):
    community: CommunityRef
    status: TableStatus
    version: int
    """Number of the published version shown, or the base of the draft; 0: none yet."""
    revision: int
    """Send it back with a change; a stale one is refused with 409."""
    term: TermRef
    units: tuple[UnitRef, ...]
    classes: tuple[ClassRef, ...]
    teachers: tuple[NameRef, ...]
    rooms: tuple[NameRef, ...]
    lessons: tuple[Lesson, ...]
    cost: int
    cost_by_rule: tuple[RuleCost, ...]
    may_build: bool
    """Whether the person asking may build a draft, or change it."""
    may_undo: bool
    """Whether the draft shown took the place of another table, which the person may put back."""
    may_redo: bool
    """Whether a table was undone that the person may put on the table again."""
    warnings: tuple[Finding, ...]
    """Lessons whose schools share too few minutes by the bells of some part of the term, with the smallest shift."""
    negotiation: NegotiationView | None
    versions: tuple[VersionRow, ...]
    term_id: str
    terms: tuple[TermChoice, ...]
    """All terms, the present one first."""


class Revision(Body, frozen=True, kw_only=True):
    revision: int


class Objection(Body, frozen=True, kw_only=True):
    revision: int
    reason: str
    lesson: str | None = None
    counter_weekday: int | None = None
    counter_period: int | None = None


class StartBuild(Body, frozen=True, kw_only=True):
    revision: int
    seconds: float = 20.0


class BuildView(Body, frozen=True, kw_only=True):
    """A run of the solver: polled, or streamed at `/api/builds/{id}/events` (server-sent events)."""

    id: str
    community: str
    author: str
    at: float
    state: Literal["running", "done", "failed", "cancelled", "interrupted"]
    """`interrupted`: the server was killed meanwhile; `cost` is that of the best table by then, if there is one."""
    kept_until: float | None = None
    """Unix seconds at which an interrupted one is discarded, if nobody takes it before."""
    phase: Literal["lints", "first", "improving", "done"]
    seconds: float
    limit: float
    cost: int | None = None
    bound: int | None = None
    cost_by_rule: tuple[RuleCost, ...] = ()
    findings: tuple[Finding, ...] = ()


class ImportView(Body, frozen=True, kw_only=True):
    """What an import found. `imported` is false after a check or when errors were found."""

    findings: tuple[Finding, ...]
    counts: dict[str, int]
    imported: bool
    dropped: dict[str, int] = {}
    """Rows left out, by sheet, where the person chose to import the good rows only."""


NeedCode = Literal[
    "consent_missing",
    "objection",
    "amendment_asked",
    "schools_closed",
    "review_overdue",
    "review_open",
    "lesson_live",
    "table_missing",
    "build_interrupted",
    "disk_filling",
]


class Need(Body, frozen=True, kw_only=True):
    """One thing that waits for the person. `code` picks icon and sentence (`need.<code>`); an empty `link`: nothing in
    the product settles it."""

    code: NeedCode
    values: dict[str, str | int]
    link: str
    severity: Literal["bad", "warn", "info"]


class TodayParty(Body, frozen=True, kw_only=True):
    unit: str
    start: str
    end: str


class TodayLesson(Body, frozen=True, kw_only=True):
    """A shared lesson of the day on the clock axis, with each unit's own period."""

    occurrence: str
    lesson: str
    title: str
    subject: str
    kind: str
    start: str
    end: str
    parties: tuple[TodayParty, ...]
    session: str | None
    state: Literal["scheduled", "open", "live", "overrun", "ended"]
    host: str
    provisional: bool = False
    change: Literal["none", "moved", "substituted", "cancelled", "made_up"] = "none"


class LiveNow(Body, frozen=True, kw_only=True):
    session: str
    title: str
    ends: float
    rehearsal: bool
    rooms: tuple["LiveRoom", ...]


class LiveRoom(Body, frozen=True, kw_only=True):
    unit: str
    unit_name: str
    state: Literal["connected", "weak", "audio_only", "reconnecting", "offline"]


class PairQuota(Body, frozen=True, kw_only=True):
    """Sync lessons held between the core and one member against the county's yearly quota."""

    unit: str
    held: int
    planned: int
    quota: int
    subjects: int


class TodayView(Body, frozen=True, kw_only=True):
    community: CommunityRef
    term: TermRef
    weekday: int
    date: str
    units: tuple[UnitRef, ...]
    needs: tuple[Need, ...]
    lessons: tuple[TodayLesson, ...]
    live: tuple[LiveNow, ...]
    quotas: tuple[PairQuota, ...]
    online_research: int = 0
    reviews_open: int = 0
    reviews_closed: int = 0
