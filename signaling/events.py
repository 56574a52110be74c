"""This module owns what may happen in a session: the events that are journalled, numbered and replayed on resume."""

from typing import Literal

from signaling.wire import DeviceState, EndReason, LeaveReason, RecordingState, Role, RoomEvent, SignalKind


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
    """Observers and patrols: the rooms are not told that they are there."""


class Reconnecting(RoomEvent, frozen=True, kw_only=True, tag="reconnecting"):
    """The socket is gone; the tile stays until `until` (unix seconds)."""

    participant: str
    until: float
    hidden: bool = False


class Returned(RoomEvent, frozen=True, kw_only=True, tag="returned"):
    participant: str
    hidden: bool = False


class Left(RoomEvent, frozen=True, kw_only=True, tag="left"):
    participant: str
    reason: LeaveReason
    hidden: bool = False


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


class LineMeasured(RoomEvent, frozen=True, kw_only=True, tag="line_measured"):
    """What a participant's line was like for `seconds` from `since` (unix seconds): mean and worst loss (0 to 1), mean
    round trip and bit rate, the share of the time in which it was weak, and how often pictures froze there; what it
    received, and the shares in which the picture shown to all came in the low layer only, or stood still."""

    participant: str
    since: float
    seconds: float
    loss: float
    worst_loss: float
    rtt_ms: float
    kbps: float
    weak: float
    freezes: int
    down_kbps: float = 0.0
    low: float = 0.0
    still: float = 0.0


class DevicesReported(RoomEvent, frozen=True, kw_only=True, tag="devices_reported"):
    participant: str
    camera: DeviceState
    microphone: DeviceState


class Withheld(RoomEvent, frozen=True, kw_only=True, tag="withheld"):
    """Something happened that this audience is not told; it never stands in the journal."""


class ReviewOpened(RoomEvent, frozen=True, kw_only=True, tag="review_opened"):
    """After the end: the recordings are closed and the bilateral review waits for both sides."""

    review: str
