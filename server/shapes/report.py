"""Bodies of a lesson's report: what each room did, answered, and got of the lesson."""

from typing import Literal

from server.shapes.base import Body
from signaling.exercises import ExerciseKind, Photo, SeatAnswer
from signaling.wire import DeviceState, EndReason, SessionState


class LineReport(Body, frozen=True, kw_only=True):
    """One room's line while the lesson was live. Shares are 0 to 1; null: never measured."""

    connected: float
    """Share of the lesson in which the room was there."""
    reconnects: int
    longest_outage: float
    """Seconds."""
    joined_after: float | None
    """Seconds from the lesson's beginning until the room was there; null: it never came."""
    loss: float | None
    worst_loss: float | None
    rtt_ms: float | None
    kbps: float | None
    """Bit rate that the room sent, its mean."""
    down_kbps: float | None
    """Bit rate that it received."""
    weak: float | None
    """Share of the measured time in which the line was weak."""
    still: float | None
    """Share in which the picture for all stood still there."""
    freezes: int


class RoomReport(Body, frozen=True, kw_only=True):
    unit: str
    unit_name: str
    class_name: str
    side: Literal["host", "member"]
    pupils: int
    """0: the register does not say."""
    absent: int | None
    """Null: attendance was not taken."""
    late: int | None
    assistants: tuple[str, ...]
    """Names of those who helped in the room."""
    talk_seconds: float
    turns: int
    hands: int
    slower: int
    no_sound: int
    camera: DeviceState | None
    microphone: DeviceState | None
    answered: int
    """Answers to all exercises together."""
    asked: int
    """Answers that were to be expected: pupils present times exercises."""
    line: LineReport


class ClassAnswers(Body, frozen=True, kw_only=True):
    unit: str
    pupils: int
    answered: int
    right: int | None
    """Null: nothing is right or wrong there."""
    by_option: tuple[int, ...]
    photos: int
    single: tuple[SeatAnswer, ...]
    """By seat; empty for those who may not watch the lesson's recording, and once its time is over."""
    pictures: tuple[Photo, ...]
    """Likewise; read at `GET /api/sessions/{id}/photos/{photo}`."""


class ExerciseReport(Body, frozen=True, kw_only=True):
    run: str
    number: int
    kind: ExerciseKind
    prompt: str
    options: tuple[str, ...]
    right: int | None
    right_number: float | None
    at: float
    """Lesson seconds."""
    seconds: float
    """How long answers were taken."""
    shown: bool
    classes: tuple[ClassAnswers, ...]


class LessonReport(Body, frozen=True, kw_only=True):
    session: str
    title: str
    subject: str
    rehearsal: bool
    state: SessionState
    host_teacher: str
    starts: float
    ends: float
    live_since: float | None
    seconds: float
    """How long the lesson was live."""
    overrun: float
    """Seconds past the shared window."""
    ended_by: EndReason | None
    marks: int
    messages: int
    """In the teachers' chat."""
    observers: int
    rooms: tuple[RoomReport, ...]
    """The host's room first."""
    exercises: tuple[ExerciseReport, ...]
    review: str | None
    single_answers: bool
    """Whether the asker is shown what single pupils answered."""
    hidden_units: tuple[str, ...]
    """Units whose class does not agree to be recorded, or has withdrawn: counts only, for everybody."""
