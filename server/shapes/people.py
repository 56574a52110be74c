"""Bodies about people, sign-in, rooms and their pairing."""

from typing import Literal

from server.shapes.base import Body
from server.shapes.live import QrCode

PersonRole = Literal[
    "bureau_admin",
    "bureau_viewer",
    "convenor",
    "principal",
    "academic_director",
    "teacher",
    "researcher",
]


class SignIn(Body, frozen=True, kw_only=True):
    login: str
    password: str


class Grant(Body, frozen=True, kw_only=True):
    """A role with its reach: a unit, a community, or (both absent) the county."""

    role: PersonRole
    unit: str | None = None
    community: str | None = None


class Me(Body, frozen=True, kw_only=True):
    """Who is signed in. `kind` room: a paired classroom endpoint."""

    kind: Literal["person", "room"]
    id: str
    name: str
    unit: str | None
    unit_name: str
    grants: tuple[Grant, ...]
    communities: tuple["CommunityRef", ...]
    """Those the person belongs to, the own one first."""
    teacher: str | None = None
    demo: bool = False


class CommunityRef(Body, frozen=True, kw_only=True):
    id: str
    name: str
    number: int
    mode: Literal["merged", "co_built", "collaborative"]


class PairingCode(Body, frozen=True, kw_only=True):
    """What an unpaired panel shows: a single-use code of at most five minutes. `secret` polls for the outcome."""

    code: str
    secret: str
    expires_at: float
    expires_in: float
    """Seconds, for a panel whose own clock is wrong."""
    confirm_url: str
    confirm_qr: QrCode


class PairingPoll(Body, frozen=True, kw_only=True):
    secret: str


class PairingState(Body, frozen=True, kw_only=True):
    state: Literal["waiting", "confirmed", "expired"]
    room_name: str = ""


class ConfirmPairing(Body, frozen=True, kw_only=True):
    code: str
    room: str


class RoomRow(Body, frozen=True, kw_only=True):
    """A remote room as its unit's director sees it."""

    id: str
    name: str
    unit: str
    unit_name: str
    paired_at: float | None
    paired_by: str
    last_seen: float | None
    listen_only: bool
    """It has neither camera nor microphone."""


class ChangedRoom(Body, frozen=True, kw_only=True):
    listen_only: bool


class PersonRow(Body, frozen=True, kw_only=True):
    id: str
    login: str
    name: str
    unit: str | None
    unit_name: str
    grants: tuple[Grant, ...]
    active: bool


class FeedRow(Body, frozen=True, kw_only=True):
    """A calendar address. `url` only in the answer that creates it: afterwards only its hash is kept."""

    id: str
    kind: Literal["teacher", "class", "room", "unit", "community"]
    target: str
    name: str
    device: str
    created_at: float
    last_read: float | None
    url: str | None = None


class NewFeed(Body, frozen=True, kw_only=True):
    kind: Literal["teacher", "class", "room", "unit", "community"]
    target: str
    device: str = ""
