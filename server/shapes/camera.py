"""Bodies about a classroom's own camera or recording host."""

from typing import Literal

from server.shapes.base import Body
from signaling.cameras import CameraProblem

CameraLessons = Literal["hosting", "all"]
"""Pulled into the lessons that are taught from its room, or into all that the room takes part in."""


class CameraSeen(Body, frozen=True, kw_only=True):
    """What a camera sends. Pictures are never changed; `transcoded`: its sound is made into Opus on the way."""

    video: str
    width: int
    height: int
    audio: str
    transcoded: bool
    problem: CameraProblem | None = None
    still: str | None = None
    """A data URL, in a look only."""


class CameraView(Body, frozen=True, kw_only=True):
    """A room's camera; the password in its address is never shown again."""

    room: str
    address: str
    by: str
    at: float
    state: Literal["idle", "connecting", "live", "failed"]
    lessons: CameraLessons
    sound: bool
    """Whether its sound stands in for that of the room's panel."""
    seen: CameraSeen


class NewCamera(Body, frozen=True, kw_only=True):
    """An empty `url`: the one that the room has already."""

    url: str
    lessons: CameraLessons = "hosting"
    sound: bool = True
