"""This module owns the state of a session's board: the shelf, what is open, and what is drawn on which page.

Like the room it changes only by events, and shows itself whole in snapshots. Its strokes are bounded: a page that
somebody scribbled over all lesson long must not keep a village's panel waiting when it comes back.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Final

from msgspec.structs import replace

from signaling.materials import BLANK, Material, MaterialClosed, MaterialOpened, MaterialsShelved, PageTurned, Shown
from signaling.strokes import PageCleared, PageStrokes, Stroke, StrokeDrawn, StrokeErased, StrokeExtended
from signaling.wire import Part

POINTS_OF_STROKE: Final = 1_500
POINTS_OF_PAGE: Final = 8_000
STROKES_OF_PAGE: Final = 400
POINTS_OF_SESSION: Final = 48_000
STROKES_OF_SESSION: Final = 2_000
"""What a snapshot may hold: a few bytes a point, some 60 a stroke."""

BoardEvent = (
    MaterialsShelved
    | MaterialOpened
    | PageTurned
    | MaterialClosed
    | StrokeDrawn
    | StrokeExtended
    | StrokeErased
    | PageCleared
)

Page = tuple[str, int]
"""A version and the number of its page."""


class BoardState(Part, frozen=True, kw_only=True):
    """The board as a client that has just come needs it."""

    shelf: tuple[Material, ...] = ()
    shown: Shown | None = None
    strokes: tuple[PageStrokes, ...] = ()
    """Pages without strokes are left out."""


class Board:
    """Read it freely; change it by events only."""

    def __init__(self) -> None:
        self.shelf: tuple[Material, ...] = ()
        self.shown: Shown | None = None
        self._pages: dict[Page, dict[str, Stroke]] = {}
        self._page_of: dict[str, Page] = {}

    def material(self, version: str) -> Material | None:
        """What is on the shelf under this version, the empty board, or what is still open though it was replaced."""
        if version == BLANK.version:
            return BLANK
        if self.shown is not None and self.shown.material.version == version:
            return self.shown.material
        return next((one for one in self.shelf if one.version == version), None)

    def stroke(self, id: str) -> Stroke | None:
        page = self._page_of.get(id)
        return None if page is None else self._pages[page][id]

    def page_of(self, stroke: str) -> Page | None:
        """Where a stroke is."""
        return self._page_of.get(stroke)

    def strokes_on(self, page: Page) -> tuple[Stroke, ...]:
        """What is drawn on a page, the oldest first."""
        return tuple(self._pages.get(page, {}).values())

    def points_on(self, page: Page) -> int:
        return sum(len(stroke.points) // 2 for stroke in self._pages.get(page, {}).values())

    @property
    def size(self) -> tuple[int, int]:
        """All strokes of the session, and all their points."""
        return len(self._page_of), sum(self.points_on(page) for page in self._pages)

    def state(self) -> BoardState:
        return BoardState(
            shelf=self.shelf,
            shown=self.shown,
            strokes=tuple(
                PageStrokes(version=version, page=page, strokes=tuple(strokes.values()))
                for (version, page), strokes in self._pages.items()
            ),
        )

    # by events

    def shelved(self, event: MaterialsShelved) -> None:
        self.shelf = event.materials

    def opened(self, event: MaterialOpened, at: float) -> None:
        self.shown = Shown(material=event.material, page=event.page, part=0, by=event.by, since=at)

    def turned(self, event: PageTurned) -> None:
        if self.shown is not None:
            self.shown = replace(self.shown, page=event.page, part=event.part)

    def closed(self, event: MaterialClosed | None = None) -> None:
        self.shown = None

    def drawn(self, event: StrokeDrawn) -> None:
        if event.stroke in self._page_of:
            return
        page = (event.version, event.page)
        self._page_of[event.stroke] = page
        self._pages.setdefault(page, {})[event.stroke] = Stroke(
            id=event.stroke,
            participant=event.participant,
            colour=event.colour,
            width=event.width,
            points=event.points,
        )

    def extended(self, event: StrokeExtended) -> None:
        page = self._page_of.get(event.stroke)
        if page is not None:
            stroke = self._pages[page][event.stroke]
            self._pages[page][event.stroke] = replace(stroke, points=stroke.points + event.points)

    def erased(self, event: StrokeErased) -> None:
        self._remove(event.stroke)

    def cleared(self, event: PageCleared) -> None:
        for stroke in self.strokes_on((event.version, event.page)):
            if event.participant in (None, stroke.participant):
                self._remove(stroke.id)

    def _remove(self, stroke: str) -> None:
        page = self._page_of.pop(stroke, None)
        if page is not None:
            del self._pages[page][stroke]
            if not self._pages[page]:
                del self._pages[page]


def reach(points: tuple[int, ...], start: tuple[int, int] = (0, 0)) -> tuple[int, int, int, int]:
    """The corners (left, top, right, bottom) of where steps from `start` lead to."""
    across = list(accumulate(points[0::2], initial=start[0]))[1:]
    down = list(accumulate(points[1::2], initial=start[1]))[1:]
    return min(across), min(down), max(across), max(down)


def tip(stroke: Stroke) -> tuple[int, int]:
    """The point where a stroke is now."""
    return sum(stroke.points[0::2]), sum(stroke.points[1::2])
