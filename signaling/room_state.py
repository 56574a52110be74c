"""This module owns the state of a room on the wire, as snapshots and presence show it."""

from typing import Literal

from signaling.board import BoardState
from signaling.cameras import RoomCamera
from signaling.chat import ChatMessage
from signaling.exercises import ExerciseRun
from signaling.media.layers import Seen
from signaling.wire import (
    DeviceState,
    Echo,
    Part,
    PictureSource,
    RecordingState,
    Role,
    RoomState,
    SessionState,
    SignalKind,
    TrackSource,
)


class Hand(Part, frozen=True, kw_only=True):
    id: str
    at: float
    seat: int | None = None


class Participant(Part, frozen=True, kw_only=True):
    id: str
    role: Role
    unit: str
    unit_name: str
    name: str
    class_name: str = ""
    room: str = ""
    phone: str = ""
    hidden: bool = False
    presence: Literal["connected", "reconnecting", "offline"] = "connected"
    since: float = 0.0
    """Unix seconds of the last change of `presence`."""
    muted: bool = True
    hands: tuple[Hand, ...] = ()
    turns: int = 0
    signal: SignalKind | None = None
    recording: RecordingState = "off"
    absent: tuple[int, ...] | None = None
    """None until attendance was taken."""
    late: tuple[int, ...] = ()
    camera: DeviceState | None = None
    """None until it was reported."""
    microphone: DeviceState | None = None
    source: PictureSource = "pupils"
    """Which of its pictures stands for it."""


class ExpectedRoom(Part, frozen=True, kw_only=True):
    """A classroom that belongs to the lesson: what to call it, and where to ring when it does not come."""

    room: str
    unit: str
    unit_name: str
    class_name: str = ""
    phone: str = ""
    pupils: int = 0
    """How many its classes have; 0 where the register does not say."""
    listen_only: bool = False
    """It has neither camera nor microphone, and is not waited for to speak."""


class LessonInfo(Part, frozen=True, kw_only=True):
    """What the session is about; fixed when it opens."""

    id: str
    title: str
    subject: str
    kind: str
    rehearsal: bool
    host_unit: str
    host_teacher: str
    starts: float
    ends: float
    """The shared window, unix seconds."""
    expected: tuple[str, ...]
    """Room ids of the endpoints that belong to the lesson."""
    rooms: tuple[ExpectedRoom, ...] = ()
    """The same classrooms by name, whether they have come or not."""
    host_pupils: int = 0
    """How many the host's own classes have."""
    week: int = 0
    weekday: int = 0
    period: int = 0


class Snapshot(Part, frozen=True, kw_only=True):
    session: str
    state: SessionState
    lesson: LessonInfo
    participants: tuple[Participant, ...]
    spotlight: str | None = None
    called: str | None = None
    called_seat: int | None = None
    timer_until: float | None = None
    live_since: float | None = None
    overrun_until: float | None = None
    marks: int = 0
    last_mark: float | None = None
    board: BoardState = BoardState()
    exercise: ExerciseRun | None = None
    """What all rooms are asked now."""
    exercises: int = 0
    """How many were asked so far."""
    chat: tuple[ChatMessage, ...] = ()
    """The teachers' newest messages; always empty for classrooms."""
    cameras: tuple[RoomCamera, ...] = ()
    """Those that the server pulls, or tries to."""
    review: str | None = None
    """Id of the bilateral review, once the session has ended."""


class Track(Part, frozen=True, kw_only=True):
    id: str
    participant: str
    kind: Literal["audio", "video"]
    source: TrackSource
    codec: str = ""
    """In which it comes now: opus, h264 or vp8."""


class Link(Part, frozen=True, kw_only=True):
    state: RoomState
    loss: float = 0.0
    rtt_ms: float = 0.0
    kbps: float = 0.0
    level: int = 127
    """Audio level in -dBov (RFC 6464): 0 is loudest, 127 silence."""
    speaking: bool = False
    down_kbps: float = 0.0
    sees: Seen | None = None
    """What it really gets of the picture that is shown to all; absent: it is shown itself, or nothing is."""
    height: int = 0
    """Lines of the largest picture that its screen gets, and pictures a second: what it reports."""
    fps: float = 0.0
    freezes: int = 0
    """In the last seconds."""
    concealed: float = 0.0
    """Share of the sound that it had to make up."""
    echo: Echo | None = None
    """Its loudspeakers come back through its microphone."""
    up_still: bool = False
    """Its line up carries no picture beside the sound."""
