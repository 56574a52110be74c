"""This module owns what a client may ask of a live session: its first message and the commands of the room."""

from typing import Annotated

from msgspec import Meta

from signaling.media.layers import Layer
from signaling.wire import Command, DeviceState, Sdp, Seat, Short, SignalKind, Token, TrackSource, Wire


class Hello(Wire, frozen=True, kw_only=True, tag="hello"):
    """The first message. `token` is a join token of at most five minutes; `epoch` and `seq` are the last event seen,
    absent at a first join. `device` names the browser tab, so that a return replaces the old socket."""

    token: Token
    device: Short
    epoch: int | None = None
    seq: int | None = None


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


class ReportDevices(Command, frozen=True, kw_only=True, tag="report_devices"):
    """What the sender's camera and microphone are able to give; `off`: chosen so."""

    camera: DeviceState
    microphone: DeviceState


class Publish(Command, frozen=True, kw_only=True, tag="publish"):
    """An SDP offer with send-only sections. `sources`: mid to mic, teacher, pupils or screen; `layers`: mid to high (as
    where it is left out) or low. Two sections of one source are one track, of which each receiver gets one layer."""

    sdp: Sdp
    sources: dict[Short, TrackSource] = {}
    layers: dict[Short, Layer] = {}


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
    height: int = 0
    """Of the largest picture as it arrives, in lines."""
    fps: float = 0.0
    """At which it is shown."""
    concealed: float = 0.0
    """Share of the sound that had to be made up."""
