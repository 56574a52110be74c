"""The wire of a live session: what clients may ask and what the server tells, defined once.

Frames are MessagePack (subprotocol `tongke.live.1+msgpack`) or JSON (`tongke.live.1+json`, for debugging). Every
struct is tagged by `t`. Commands carry `msgId`, chosen by the client and unique in its session: a repeated one is
answered by the first answer and not done twice. Events carry `epoch` and `seq`; an acknowledgement follows the
journal. TypeScript types are generated from this module; PROTOCOL.md describes it.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Role = Literal["host", "assistant", "endpoint", "observer", "patrol", "encoder"]
SessionState = Literal["scheduled", "open", "live", "overrun", "ended"]
RoomState = Literal["connected", "weak", "audio_only", "reconnecting", "offline"]
RecordingState = Literal["off", "recording", "no_consent", "paused", "unsupported"]
SignalKind = Literal["ready", "slower", "no_sound"]
EndReason = Literal["host", "assistant", "time", "server"]
LeaveReason = Literal["left", "lost", "replaced", "ended"]
TrackSource = Literal["mic", "teacher", "pupils", "screen"]
Short = Annotated[str, Meta(max_length=120)]
Token = Annotated[str, Meta(max_length=4096)]
MsgId = Annotated[str, Meta(min_length=1, max_length=64)]
Sdp = Annotated[str, Meta(max_length=49152)]
Seat = Annotated[int, Meta(ge=1, le=99)]


class Wire(Struct, frozen=True, kw_only=True, rename="camel", tag_field="t", forbid_unknown_fields=True):
    """Base of everything on the wire."""


class Part(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of the values inside messages."""


# From the client ----------------------------------------------------------------------------------------------------


class Hello(Wire, frozen=True, kw_only=True, tag="hello"):
    """The first message. `token` is a join token of at most five minutes; `epoch` and `seq` are the last event seen,
    absent at a first join. `device` names the browser tab, so that a return replaces the old socket."""

    token: Token
    device: Short
    epoch: int | None = None
    seq: int | None = None


class Command(Wire, frozen=True, kw_only=True):
    """Base of what changes the room; answered by `ack` or `refused`."""

    msg_id: MsgId


class StartLesson(Command, frozen=True, kw_only=True, tag="start_lesson"):
    pass


class EndLesson(Command, frozen=True, kw_only=True, tag="end_lesson"):
    pass


class Leave(Command, frozen=True, kw_only=True, tag="leave"):
    pass


class RaiseHand(Command, frozen=True, kw_only=True, tag="raise_hand"):
    """A hand in the sender's room; an assistant's goes to the endpoint of the same unit. `seat` where known."""

    seat: Seat | None = None


class LowerHand(Command, frozen=True, kw_only=True, tag="lower_hand"):
    """Takes the named hand down; without `hand`, the room's oldest."""

    participant: Short | None = None
    hand: Short | None = None


class CallOn(Command, frozen=True, kw_only=True, tag="call_on"):
    """Call on a room: its microphone opens, all rooms see it, its turn counter goes up."""

    participant: Short
    hand: Short | None = None


class EndCall(Command, frozen=True, kw_only=True, tag="end_call"):
    pass


class Spotlight(Command, frozen=True, kw_only=True, tag="spotlight"):
    """Show one participant large in all rooms; absent: back to the host."""

    participant: Short | None = None


class Mute(Command, frozen=True, kw_only=True, tag="mute"):
    """Close or open microphones; without `participant`, those of all member rooms."""

    muted: bool
    participant: Short | None = None


class Mark(Command, frozen=True, kw_only=True, tag="mark"):
    """A point of the lesson to come back to in the review (打点)."""

    note: Short = ""


class Signal(Command, frozen=True, kw_only=True, tag="signal"):
    """The far room's word to the host; it stands until the next one or until `ready`."""

    kind: SignalKind


class SetTimer(Command, frozen=True, kw_only=True, tag="set_timer"):
    """A countdown that all rooms see; 0 takes it away."""

    seconds: Annotated[int, Meta(ge=0, le=3600)]


class TakeAttendance(Command, frozen=True, kw_only=True, tag="take_attendance"):
    """Seats of the sender's class that are absent or late; all others are present."""

    absent: tuple[Seat, ...] = ()
    late: tuple[Seat, ...] = ()


class Publish(Command, frozen=True, kw_only=True, tag="publish"):
    """An SDP offer with send-only sections. `sources`: mid to mic, teacher, pupils or screen."""

    sdp: Sdp
    sources: dict[Short, TrackSource] = {}


class Subscribe(Command, frozen=True, kw_only=True, tag="subscribe"):
    """An SDP offer with receive-only sections. `slots`: mid to track id."""

    sdp: Sdp
    slots: dict[Short, Short] = {}


class Switch(Command, frozen=True, kw_only=True, tag="switch"):
    """Point a receive-only section at another track, without a new offer; absent: at none."""

    mid: Short
    track: Short | None = None


class LinkReport(Wire, frozen=True, kw_only=True, tag="link_report"):
    """What the receiver sees, every few seconds; not journalled, not acknowledged."""

    freezes: int = 0
    lost: float = 0.0
    rtt_ms: float = 0.0
    frames: int = 0


ClientMessage = (
    Hello
    | StartLesson
    | EndLesson
    | Leave
    | RaiseHand
    | LowerHand
    | CallOn
    | EndCall
    | Spotlight
    | Mute
    | Mark
    | Signal
    | SetTimer
    | TakeAttendance
    | Publish
    | Subscribe
    | Switch
    | LinkReport
)


# Events of the room: journalled, numbered, replayed on resume ---------------------------------------------------------


class RoomEvent(Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    """Base of everything that happens in a session; what the journal holds."""


class SessionOpened(RoomEvent, frozen=True, kw_only=True, tag="session_opened"):
    pass


class SessionLive(RoomEvent, frozen=True, kw_only=True, tag="session_live"):
    by: str


class SessionOverrun(RoomEvent, frozen=True, kw_only=True, tag="session_overrun"):
    """The window is over; the session ends by itself `ends_in` seconds from here."""

    ends_in: float


class SessionEnded(RoomEvent, frozen=True, kw_only=True, tag="session_ended"):
    reason: EndReason
    by: str = ""


class Joined(RoomEvent, frozen=True, kw_only=True, tag="joined"):
    participant: str
    role: Role
    unit: str
    unit_name: str
    name: str
    """The person's or the room's label."""
    class_name: str = ""
    room: str = ""
    phone: str = ""
    hidden: bool = False
    """Observers and patrols are not shown to the rooms."""


class Reconnecting(RoomEvent, frozen=True, kw_only=True, tag="reconnecting"):
    """The socket is gone; the tile stays until `until` (unix seconds)."""

    participant: str
    until: float


class Returned(RoomEvent, frozen=True, kw_only=True, tag="returned"):
    participant: str


class Left(RoomEvent, frozen=True, kw_only=True, tag="left"):
    participant: str
    reason: LeaveReason


class HandRaised(RoomEvent, frozen=True, kw_only=True, tag="hand_raised"):
    participant: str
    hand: str
    seat: int | None = None


class HandLowered(RoomEvent, frozen=True, kw_only=True, tag="hand_lowered"):
    participant: str
    hand: str


class CalledOn(RoomEvent, frozen=True, kw_only=True, tag="called_on"):
    participant: str
    turn: int
    """How often this room has been called on, with this time."""
    seat: int | None = None


class CallEnded(RoomEvent, frozen=True, kw_only=True, tag="call_ended"):
    participant: str


class SpotlightSet(RoomEvent, frozen=True, kw_only=True, tag="spotlight_set"):
    participant: str | None


class Muted(RoomEvent, frozen=True, kw_only=True, tag="muted"):
    participant: str
    muted: bool
    by: str


class Marked(RoomEvent, frozen=True, kw_only=True, tag="marked"):
    participant: str
    side: Literal["host", "member"]
    note: str = ""


class Signalled(RoomEvent, frozen=True, kw_only=True, tag="signalled"):
    participant: str
    kind: SignalKind


class TimerSet(RoomEvent, frozen=True, kw_only=True, tag="timer_set"):
    until: float | None
    """Unix seconds; absent: no countdown."""


class AttendanceTaken(RoomEvent, frozen=True, kw_only=True, tag="attendance_taken"):
    participant: str
    absent: tuple[int, ...] = ()
    late: tuple[int, ...] = ()


class RecordingChanged(RoomEvent, frozen=True, kw_only=True, tag="recording_changed"):
    participant: str
    state: RecordingState


class TalkMeasured(RoomEvent, frozen=True, kw_only=True, tag="talk_measured"):
    """Who was heard: seconds of speech of one participant since `since` (unix seconds), from audio levels."""

    participant: str
    since: float
    seconds: float


class ReviewOpened(RoomEvent, frozen=True, kw_only=True, tag="review_opened"):
    """After the end: the recordings are closed and the bilateral review waits for both sides."""

    review: str


AnyRoomEvent = (
    SessionOpened
    | SessionLive
    | SessionOverrun
    | SessionEnded
    | Joined
    | Reconnecting
    | Returned
    | Left
    | HandRaised
    | HandLowered
    | CalledOn
    | CallEnded
    | SpotlightSet
    | Muted
    | Marked
    | Signalled
    | TimerSet
    | AttendanceTaken
    | RecordingChanged
    | TalkMeasured
    | ReviewOpened
)


# The state of a room, as snapshots show it ---------------------------------------------------------------------------


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


class ExpectedRoom(Part, frozen=True, kw_only=True):
    """A classroom that belongs to the lesson: what to call it, and where to ring when it does not come."""

    room: str
    unit: str
    unit_name: str
    class_name: str = ""
    phone: str = ""


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
    review: str | None = None
    """Id of the bilateral review, once the session has ended."""


class Track(Part, frozen=True, kw_only=True):
    id: str
    participant: str
    kind: Literal["audio", "video"]
    source: TrackSource


class Link(Part, frozen=True, kw_only=True):
    state: RoomState
    loss: float = 0.0
    rtt_ms: float = 0.0
    kbps: float = 0.0
    level: int = 127
    """Audio level in -dBov (RFC 6464): 0 is loudest, 127 silence."""
    speaking: bool = False


# From the server ----------------------------------------------------------------------------------------------------


class Welcome(Wire, frozen=True, kw_only=True, tag="welcome"):
    """The answer to `hello`: who you are and the whole room. Events after (`epoch`, `seq`) follow."""

    participant: str
    role: Role
    epoch: int
    seq: int
    snapshot: Snapshot
    tracks: tuple[Track, ...]
    server_time: float
    heartbeat_seconds: float


class Resumed(Wire, frozen=True, kw_only=True, tag="resumed"):
    """The answer to a `hello` whose epoch still holds: the missed events follow, `seq` is the last of them."""

    participant: str
    role: Role
    epoch: int
    seq: int
    tracks: tuple[Track, ...]
    server_time: float


class Event(Wire, frozen=True, kw_only=True, tag="event"):
    epoch: int
    seq: int
    at: float
    event: AnyRoomEvent


class Ack(Wire, frozen=True, kw_only=True, tag="ack"):
    """The command is done and in the journal, up to `seq`."""

    msg_id: str
    seq: int


class Refused(Wire, frozen=True, kw_only=True, tag="refused"):
    """A machine error by stable code; the client has the words. `msg_id` is empty for a frame that has none."""

    msg_id: str
    code: str
    values: dict[str, str | int | float] = {}


class MediaAnswer(Wire, frozen=True, kw_only=True, tag="media_answer"):
    """The SDP answer to `publish` or `subscribe`, instead of `ack`."""

    msg_id: str
    sdp: str
    slots: dict[str, str] = {}


class Tracks(Wire, frozen=True, kw_only=True, tag="tracks"):
    """All tracks of the session that the receiver may watch, whenever they change."""

    tracks: tuple[Track, ...]


class Links(Wire, frozen=True, kw_only=True, tag="links"):
    """Presence: link states that changed, coalesced, at most once a second; may be dropped under back-pressure."""

    links: dict[str, Link]


class Moved(Wire, frozen=True, kw_only=True, tag="moved"):
    """Another server owns the session now: connect there with this token."""

    address: str
    token: str


class Closing(Wire, frozen=True, kw_only=True, tag="closing"):
    """The last message of a socket: why it closes (`replaced`, `ended`, `too_slow`, `unauthorized`, `drain`)."""

    code: str


ServerMessage = Welcome | Resumed | Event | Ack | Refused | MediaAnswer | Tracks | Links | Moved | Closing
