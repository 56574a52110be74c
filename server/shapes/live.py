"""Bodies about live sessions outside the socket: lists, joining, and a room's own day."""

from typing import Literal

from server.shapes.base import Body
from server.storage.access_store import AccessKind
from signaling.wire import Role, SessionState


class SessionRow(Body, frozen=True, kw_only=True):
    id: str
    lesson: str
    title: str
    subject: str
    kind: str
    rehearsal: bool
    state: SessionState
    starts: float
    ends: float
    host_unit: str
    host_unit_name: str
    units: tuple[str, ...]
    role: Role | None
    """What the person asking would be in it; absent: may not enter."""
    review: str | None


class NewAccess(Body, frozen=True, kw_only=True):
    """For a program that publishes by WHIP, one that watches by WHEP, whoever opens a link, or all teachers of the
    schools that take part."""

    kind: AccessKind


class Access(Body, frozen=True, kw_only=True):
    """How a program publishes into a lesson by WHIP or watches it by WHEP, or a guest's link. The token is shown in
    this answer only; peers and guests need none."""

    id: str
    url: str
    token: str
    expires_at: float


class AccessRow(Body, frozen=True, kw_only=True):
    """An access that holds."""

    id: str
    kind: AccessKind
    by: str
    at: float
    expires_at: float
    in_use: bool


class NewJoin(Body, frozen=True, kw_only=True):
    """`invitation`: from a guest's link."""

    invitation: str = ""


class NewRehearsal(Body, frozen=True, kw_only=True):
    lesson: str


class IceServer(Body, frozen=True, kw_only=True):
    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""


class QrCode(Body, frozen=True, kw_only=True):
    """`path` is the data of an SVG path in a square of `size` units: the dark parts of the code."""

    size: int
    path: str


class JoinReply(Body, frozen=True, kw_only=True):
    """Everything a page needs to connect: the token goes into `hello`, never into a URL."""

    token: str
    expires_at: float
    socket_url: str
    session: str
    participant: str
    role: Role
    ice_servers: tuple[IceServer, ...]
    assistant_url: str = ""
    """Where that room's assistant opens the phone page; for panels only."""
    assistant_qr: QrCode | None = None
    """The same to scan."""


class RoomLesson(Body, frozen=True, kw_only=True):
    """One period of a room's day."""

    occurrence: str
    title: str
    subject: str
    kind: str
    start: str
    end: str
    starts: float
    ends: float
    host_name: str
    session: str | None
    state: SessionState
    cancelled: bool = False


class RoomDay(Body, frozen=True, kw_only=True):
    """What a paired panel shows when idle, and which session it should be in now."""

    room: str
    room_name: str
    unit: str
    unit_name: str
    class_name: str
    date: str
    server_time: float
    lessons: tuple[RoomLesson, ...]
    join: str | None
    """The session to join at once; absent: wait."""
    recording_consent: bool
    phone: str
    listen_only: bool
    """The room has neither camera nor microphone: none is asked for."""


class PreflightReport(Body, frozen=True, kw_only=True):
    """What the panel measured before a lesson."""

    session: str
    camera: Literal["ok", "missing", "denied", "busy", "off"]
    microphone: Literal["ok", "missing", "denied", "busy", "off", "silent"]
    speaker: Literal["ok", "played", "ready", "missing", "blocked"] = "ready"
    """`ok`: the room's own microphone heard it; `played`: a tone was sent; `ready`: not tried aloud; `blocked`: the
    browser waits for a touch before it makes a sound."""
    rtt_ms: float
