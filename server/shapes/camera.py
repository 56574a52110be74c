"""Bodies about a classroom's own camera or recording host."""

from typing import Literal

from server.shapes.base import Body

CameraProblem = Literal[
    "unreachable", "refused", "no_video", "not_h264", "not_baseline", "not_published", "interrupted"
]


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
    seen: CameraSeen


class NewCamera(Body, frozen=True, kw_only=True):
    url: str
