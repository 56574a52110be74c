"""This module owns what all messages of a live session are made of: their base structs and the words they share.

All of them are values: frozen, and made of nothing but values, so none can be part of a cycle. `gc=False` says so to
the garbage collector, which would otherwise look through thousands of kept events and answers again and again.

Commands carry `msgId`, chosen by the client and unique in its session: a repeated one is answered by the first answer
and not done twice. TypeScript types are generated from these modules; PROTOCOL.md describes them.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Role = Literal["host", "assistant", "endpoint", "observer", "patrol", "encoder"]
SessionState = Literal["scheduled", "open", "live", "overrun", "ended"]
RoomState = Literal["connected", "weak", "audio_only", "reconnecting", "offline"]
RecordingState = Literal["off", "recording", "no_consent", "paused", "unsupported"]
SignalKind = Literal["ready", "slower", "no_sound"]
EndReason = Literal["host", "assistant", "time", "server"]
DeviceState = Literal["ok", "missing", "denied", "busy", "unplugged", "insecure", "off"]
LeaveReason = Literal["left", "lost", "replaced", "ended"]
TrackSource = Literal["mic", "teacher", "pupils", "screen", "room"]
PictureSource = Literal["teacher", "pupils", "screen", "room"]
Echo = Literal["howl", "echo"]
Short = Annotated[str, Meta(max_length=120)]
Token = Annotated[str, Meta(max_length=4096)]
MsgId = Annotated[str, Meta(min_length=1, max_length=64)]
Sdp = Annotated[str, Meta(max_length=49152)]
Seat = Annotated[int, Meta(ge=1, le=99)]


class Wire(Struct, frozen=True, kw_only=True, rename="camel", tag_field="t", forbid_unknown_fields=True, gc=False):
    """Base of everything on the wire."""


class Part(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Base of the values inside messages."""


class Command(Wire, frozen=True, kw_only=True):
    """Base of what changes the room; answered by `ack` or `refused`."""

    msg_id: MsgId


class RoomEvent(Struct, frozen=True, kw_only=True, rename="camel", tag_field="type", gc=False):
    """Base of everything that happens in a session; what the journal holds."""
