"""The wire of a live session: every message that clients send and that the server tells, joined from its nouns.

Frames are MessagePack (subprotocol `tongke.live.1+msgpack`) or JSON (`tongke.live.1+json`, for debugging). Every
struct is tagged by `t`. Events carry `epoch` and `seq`; an acknowledgement follows the journal.
"""

from signaling.cameras import CameraChanged
from signaling.chat import Said, Say
from signaling.clock import AskTime, TimeTold
from signaling.commands import (
    CallOn,
    EndCall,
    EndLesson,
    Hello,
    Leave,
    LinkReport,
    LowerHand,
    Mark,
    Mute,
    Publish,
    RaiseHand,
    ReportDevices,
    SetTimer,
    Signal,
    Spotlight,
    StartLesson,
    Subscribe,
    Switch,
    TakeAttendance,
)
from signaling.events import (
    AttendanceTaken,
    CalledOn,
    CallEnded,
    DevicesReported,
    HandLowered,
    HandRaised,
    Joined,
    Left,
    LineMeasured,
    Marked,
    Muted,
    Reconnecting,
    RecordingChanged,
    Returned,
    ReviewOpened,
    SessionEnded,
    SessionLive,
    SessionOpened,
    SessionOverrun,
    Signalled,
    SpotlightSet,
    TalkMeasured,
    TimerSet,
    Withheld,
)
from signaling.exercises import (
    Answer,
    Answered,
    CloseExercise,
    CountHands,
    ExerciseClosed,
    ExercisePushed,
    ExercisePutAway,
    HandsCounted,
    PhotoAdded,
    PhotoRemoved,
    PushExercise,
    PutAwayExercise,
    ResultShown,
    ShowResult,
)
from signaling.materials import (
    CloseMaterial,
    MaterialClosed,
    MaterialOpened,
    MaterialsShelved,
    OpenMaterial,
    PageTurned,
    TurnPage,
)
from signaling.pictures import Receiving, SelectSource, Sending, SourceSelected, View
from signaling.room_state import Link, Snapshot, Track
from signaling.strokes import (
    ClearPage,
    DrawStroke,
    EraseStroke,
    ExtendStroke,
    PageCleared,
    StrokeDrawn,
    StrokeErased,
    StrokeExtended,
)
from signaling.wire import Role, Wire

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
    | SelectSource
    | View
    | OpenMaterial
    | TurnPage
    | CloseMaterial
    | DrawStroke
    | ExtendStroke
    | EraseStroke
    | ClearPage
    | ReportDevices
    | PushExercise
    | CloseExercise
    | ShowResult
    | PutAwayExercise
    | Answer
    | CountHands
    | Say
    | AskTime
)

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
    | SourceSelected
    | ReviewOpened
    | MaterialsShelved
    | MaterialOpened
    | PageTurned
    | MaterialClosed
    | StrokeDrawn
    | StrokeExtended
    | StrokeErased
    | PageCleared
    | LineMeasured
    | DevicesReported
    | CameraChanged
    | ExercisePushed
    | ExerciseClosed
    | ResultShown
    | ExercisePutAway
    | Answered
    | HandsCounted
    | PhotoAdded
    | PhotoRemoved
    | Said
    | Withheld
)


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
    """Come back to this address with this token, without asking for one: good for five minutes, for the same device."""

    address: str
    token: str


class Closing(Wire, frozen=True, kw_only=True, tag="closing"):
    """The last message of a socket: why it closes (`replaced`, `ended`, `too_slow`, `unauthorized`, `drain`), and after
    how many seconds to come back, another time for each socket."""

    code: str
    retry_in: float = 0.0


ServerMessage = (
    Welcome
    | Resumed
    | Event
    | Ack
    | Refused
    | MediaAnswer
    | Tracks
    | Links
    | Sending
    | Receiving
    | TimeTold
    | Moved
    | Closing
)
