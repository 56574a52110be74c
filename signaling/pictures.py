"""The wire of pictures: which camera stands for a room, how large each is seen, what is sent and received of them, and
the lines that carry them. This module owns those messages.
"""

from typing import Annotated

from msgspec import Meta

from signaling.media.layers import Seen
from signaling.wire import Command, Part, PictureSource, RoomEvent, Short, TrackSource, Wire

Height = Annotated[int, Meta(ge=0, le=8640)]


class SelectSource(Command, frozen=True, kw_only=True, tag="select_source"):
    """Which of a participant's pictures stands for it; without `participant` the sender's own room."""

    source: PictureSource
    participant: Short | None = None


class View(Wire, frozen=True, kw_only=True, tag="view"):
    """How high each track stands on the sender's screen, in device pixels; what is left out is not seen and not sent.
    Not journalled, not acknowledged."""

    heights: Annotated[dict[Short, Height], Meta(max_length=64)]


class SourceSelected(RoomEvent, frozen=True, kw_only=True, tag="source_selected"):
    participant: str
    source: PictureSource
    by: str


class LayerLimits(Part, frozen=True, kw_only=True):
    """bit/s; 0: nobody looks, it may rest."""

    high: int
    low: int


class Sending(Wire, frozen=True, kw_only=True, tag="sending"):
    """What the receiver should send of each of its pictures, and in which codec, whenever that changes. Where its
    pictures are in another one, it offers them again, and is answered with this."""

    limits: dict[TrackSource, LayerLimits]
    codec: str


class Receiving(Wire, frozen=True, kw_only=True, tag="receiving"):
    """What the receiver gets of each track that it sees, whenever it changes, at most once a second."""

    levels: dict[str, Seen]
