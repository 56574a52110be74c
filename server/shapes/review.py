"""Bodies about the bilateral review: list, page, playback, comments, scores, conclusions."""

from typing import Literal

from server.shapes.base import Body
from signaling.board import BoardEvent

Side = Literal["host", "member"]
Scope = Literal["teachers", "units", "community"]
Watching = Literal["yes", "not_involved", "facts_only", "not_shared", "units_only"]
"""Whether the asker may see what was recorded; otherwise why not."""


class ReviewRow(Body, frozen=True, kw_only=True):
    id: str
    session: str
    title: str
    subject: str
    held_at: float
    due_at: float
    state: Literal["open", "one_side", "both_sides", "closed"]
    overdue: bool
    rehearsal: bool
    units: tuple[str, ...]
    comments: int
    written: tuple[str, ...]
    missing: tuple[str, ...]
    """Units that attended and whose conclusion is missing."""
    scope: Scope
    """With whom the recording is shared beside the lesson's teachers."""


class Fragment(Body, frozen=True, kw_only=True, array_like=True):
    """[time s, duration s, offset, size, starts with a keyframe]"""

    time: float
    duration: float
    offset: int
    size: int
    keyframe: bool


class SegmentView(Body, frozen=True, kw_only=True):
    """One continuous recording. `start` is where its time 0 stands on the lesson's timeline, in seconds."""

    id: str
    start: float
    duration: float
    url: str
    """Signed and short-lived; answers byte ranges."""
    mime: str
    init_offset: int
    init_size: int
    fragments: tuple[Fragment, ...]
    has_video: bool
    has_audio: bool


class ViewTrack(Body, frozen=True, kw_only=True):
    """One participant of the lesson as the review plays it."""

    participant: str
    source: str
    """Which of the participant's cameras; empty for a microphone alone."""
    side: Side
    unit: str
    unit_name: str
    name: str
    class_name: str
    segments: tuple[SegmentView, ...]
    gaps: tuple[tuple[float, float], ...]
    consent: bool
    """False: nothing of this room is shown, to anybody."""
    withdrawn: bool
    """It was recorded with consent, and that was withdrawn since."""
    talk: tuple[tuple[float, float], ...]
    """Spans in which this side was heard, lesson seconds, from microphone levels."""


class Chapter(Body, frozen=True, kw_only=True):
    code: str
    """`chapter.<code>` in the catalogue."""
    title: str
    start: float
    end: float


class TimelineMark(Body, frozen=True, kw_only=True):
    at: float
    side: Side
    kind: Literal["mark", "hand", "call", "dropout", "signal"]
    participant: str
    until: float | None = None
    """The end of a stretch, such as a dropout's."""
    label: str = ""
    hidden: bool = False
    """Its note named a pupil of a class that has withdrawn."""


class CommentView(Body, frozen=True, kw_only=True):
    id: str
    at: float | None
    """Lesson seconds; absent: about the whole lesson."""
    author: str
    author_name: str
    unit: str
    unit_name: str
    side: Side
    text: str
    label: str
    reply_to: str | None
    written_at: float
    hidden: bool
    """It named a pupil of a class that has withdrawn; its text is empty."""


class Criterion(Body, frozen=True, kw_only=True):
    id: str
    points: int
    title_zh: str
    title_en: str


class RubricView(Body, frozen=True, kw_only=True):
    id: str
    version: int
    criteria: tuple[Criterion, ...]


class ScoreView(Body, frozen=True, kw_only=True):
    author: str
    author_name: str
    side: Side
    group: Literal["host", "member", "researcher"]
    points: dict[str, int]
    total: int
    band: str
    rubric_version: int


class ConclusionView(Body, frozen=True, kw_only=True):
    author: str
    author_name: str
    unit: str
    unit_name: str
    side: Side
    worked: str
    change: str
    follow_up: str
    owner: str
    due: str
    written_at: float
    hidden: bool
    """As a comment's."""


class ViewingRow(Body, frozen=True, kw_only=True):
    person: str
    name: str
    unit_name: str
    at: float


class WatcherRow(Body, frozen=True, kw_only=True):
    person: str
    name: str
    unit_name: str


class ReleaseRow(Body, frozen=True, kw_only=True):
    """One change of who may watch. Without a name: it was so when the server was upgraded."""

    at: float
    name: str
    scope: Scope
    invited: tuple[str, ...]
    """Names."""


class ReleaseView(Body, frozen=True, kw_only=True):
    """With whom the recording is shared, and what the asker may do about it."""

    revision: int
    scope: Scope
    invited: tuple[WatcherRow, ...]
    may: tuple[Scope, ...]
    """The scopes that the asker may set; none: only to be looked at."""
    invitable: tuple[WatcherRow, ...]
    """Researchers whom the asker may invite by name."""
    history: tuple[ReleaseRow, ...]
    """The newest first."""


class ReviewView(Body, frozen=True, kw_only=True):
    row: ReviewRow
    unit_names: dict[str, str]
    """Of every unit that takes part, also one whose room was never seen or heard."""
    revision: int
    duration: float
    recording: bool
    """Still being recorded: the timeline grows; poll again."""
    kept_until: float | None
    """When the recording will be deleted; what people wrote stays."""
    deleted_at: float | None
    views: tuple[ViewTrack, ...]
    chapters: tuple[Chapter, ...]
    marks: tuple[TimelineMark, ...]
    comments: tuple[CommentView, ...]
    rubric: RubricView
    scores: tuple[ScoreView, ...]
    conclusions: tuple[ConclusionView, ...]
    my_side: Side | None
    may: tuple[Literal["comment", "score", "conclude", "close"], ...]
    viewings: tuple[ViewingRow, ...]
    watching: Watching
    hidden_units: tuple[str, ...]
    """Units whose class does not agree to be recorded, or has withdrawn: nobody is shown anything of their rooms."""
    hidden_words: tuple[str, ...]
    release: ReleaseView


class ReviewShown(Body, frozen=True, kw_only=True):
    """How much of a review the asker is shown now, as the fields of `ReviewView` say it: where they differ from those
    of the view that a page has, it takes away what it shows and asks for the review again."""

    watching: Watching
    hidden_units: tuple[str, ...]
    hidden_words: tuple[str, ...]


class NewComment(Body, frozen=True, kw_only=True):
    text: str
    at: float | None = None
    label: str = ""
    reply_to: str | None = None


class NewScore(Body, frozen=True, kw_only=True):
    points: dict[str, int]


class NewConclusion(Body, frozen=True, kw_only=True):
    worked: str
    change: str
    follow_up: str = ""
    owner: str = ""
    due: str = ""


class CloseReview(Body, frozen=True, kw_only=True):
    revision: int


class NewRelease(Body, frozen=True, kw_only=True):
    """`revision`: of the `ReleaseView` that the asker saw; `invited`: ids of persons."""

    revision: int
    scope: Scope
    invited: tuple[str, ...] = ()


class BoardMoment(Body, frozen=True, kw_only=True):
    """One event of the board, `at` lesson seconds."""

    at: float
    event: BoardEvent


class ReviewBoard(Body, frozen=True, kw_only=True):
    """What all rooms had open, and what was drawn on it: folded in order it gives the board of any moment. Its pages
    are at `/api/sessions/{session}/materials`."""

    session: str
    moments: tuple[BoardMoment, ...]
