"""This module owns what a session says of the cameras that its rooms have already, which the server pulls: what each
sends, and why one cannot be shown."""

from typing import Literal

from signaling.wire import Part, RoomEvent

CameraProblem = Literal[
    "unreachable",
    "refused",
    "no_video",
    "not_h264",
    "h264_profile",
    "b_frames",
    "not_published",
    "interrupted",
    "redirected",
    "not_baseline",
]
"""`not_baseline` is in journals from before the main and high profiles were taken, and not said any more."""
CameraWord = Literal["live", "failed", "off"]


class RoomCamera(Part, frozen=True, kw_only=True):
    """The camera of a classroom as its tile shows it. `audio` is empty where no sound is taken from it; `transcoded`:
    its sound is made into Opus on the way. Its pictures are never changed."""

    room: str
    state: CameraWord
    video: str = ""
    audio: str = ""
    transcoded: bool = False
    problem: CameraProblem | None = None


class CameraChanged(RoomEvent, frozen=True, kw_only=True, tag="camera_changed"):
    """`off`: it is not pulled any more."""

    camera: RoomCamera
