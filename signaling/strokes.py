"""This module owns strokes on the wire: what is drawn over the page that all rooms have open (板书).

A stroke is a line in coordinates of its page, GRID to the longer edge whatever the size of a screen. It travels while
it is drawn: its first points open it, further ones extend it. Points are `x, y, dx, dy, dx, dy, …`, each step relative
to the point before, so that most numbers are one byte of MessagePack.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta

from signaling.wire import Command, Part, RoomEvent, Short

GRID: Final = 4096
"""Units of the longer edge of a page."""

Colour = Literal["ink", "red", "blue", "teal", "plum", "marker"]
"""Pens of the page; `marker` is wide and lets the page shine through."""
PenWidth = Annotated[int, Meta(ge=2, le=160)]
"""In units of the page."""
StrokeId = Annotated[str, Meta(min_length=1, max_length=24)]
Steps = Annotated[tuple[Annotated[int, Meta(ge=-GRID, le=GRID)], ...], Meta(min_length=2, max_length=512)]
"""Whole points: the rules refuse an odd number of them."""


class Stroke(Part, frozen=True, kw_only=True):
    id: str
    participant: str
    colour: Colour
    width: int
    points: tuple[int, ...]
    """First the point where it begins, then steps."""


class PageStrokes(Part, frozen=True, kw_only=True):
    """What is drawn on one page, the oldest stroke first."""

    version: str
    page: int
    strokes: tuple[Stroke, ...]


class DrawStroke(Command, frozen=True, kw_only=True, tag="draw_stroke"):
    """Begin a stroke; `stroke` is an id of the client's choice, unique in the session."""

    version: Short
    page: Annotated[int, Meta(ge=1, le=1000)]
    stroke: StrokeId
    colour: Colour
    width: PenWidth
    points: Steps


class ExtendStroke(Command, frozen=True, kw_only=True, tag="extend_stroke"):
    """Draw on. Where the stroke was erased meanwhile, nothing happens."""

    stroke: StrokeId
    points: Steps


class EraseStroke(Command, frozen=True, kw_only=True, tag="erase_stroke"):
    """Take a stroke away: one's own (undo), or for the host anybody's."""

    stroke: StrokeId


class ClearPage(Command, frozen=True, kw_only=True, tag="clear_page"):
    """Take the strokes of a page away: the host everybody's, the others their own."""

    version: Short
    page: Annotated[int, Meta(ge=1, le=1000)]


class StrokeDrawn(RoomEvent, frozen=True, kw_only=True, tag="stroke_drawn"):
    participant: str
    version: str
    page: int
    stroke: str
    colour: Colour
    width: int
    points: tuple[int, ...]


class StrokeExtended(RoomEvent, frozen=True, kw_only=True, tag="stroke_extended"):
    stroke: str
    points: tuple[int, ...]


class StrokeErased(RoomEvent, frozen=True, kw_only=True, tag="stroke_erased"):
    stroke: str


class PageCleared(RoomEvent, frozen=True, kw_only=True, tag="page_cleared"):
    """Without `participant` everybody's strokes are gone, otherwise that one's."""

    version: str
    page: int
    participant: str | None
