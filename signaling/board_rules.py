"""This module owns who may open what in all rooms, turn its pages and draw on them.

The host opens and turns. Teachers draw, and a classroom while it is called on: its pupil stands at the panel then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from signaling.board import (
    POINTS_OF_PAGE,
    POINTS_OF_SESSION,
    POINTS_OF_STROKE,
    STROKES_OF_PAGE,
    STROKES_OF_SESSION,
    Page,
    reach,
    tip,
)
from signaling.errors import Refusal
from signaling.materials import (
    CloseMaterial,
    Material,
    MaterialClosed,
    MaterialOpened,
    OpenMaterial,
    PageTurned,
    TurnPage,
    parts_of,
)
from signaling.strokes import (
    GRID,
    ClearPage,
    DrawStroke,
    EraseStroke,
    ExtendStroke,
    PageCleared,
    StrokeDrawn,
    StrokeErased,
    StrokeExtended,
)
from signaling.wire import Command

if TYPE_CHECKING:
    from signaling.messages import AnyRoomEvent
    from signaling.room import Room
    from signaling.room_state import Participant

NewId = Callable[[], str]


def _open(room: Room, command: OpenMaterial, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    shown = room.board.shown
    if shown is not None and shown.material.version == command.version:
        return _turn_to(room, shown.material, command.page, 0, who)
    material = room.board.material(command.version)
    if material is None:
        raise Refusal("no_such_material")
    _check_page(material, command.page)
    return [MaterialOpened(by=who.id, page=command.page, material=material)]


def _turn(room: Room, command: TurnPage, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    return _turn_to(room, _open_now(room, command.version), command.page, command.part, who)


def _turn_to(room: Room, material: Material, page: int, part: int, who: Participant) -> list[AnyRoomEvent]:
    _check_page(material, page)
    if part > parts_of(material, page):
        raise Refusal("no_such_part")
    shown = room.board.shown
    if shown is not None and (shown.page, shown.part) == (page, part):
        return []
    return [PageTurned(by=who.id, page=page, part=part)]


def _close(room: Room, command: CloseMaterial, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    return [] if room.board.shown is None else [MaterialClosed(by=who.id)]


def _draw(room: Room, command: DrawStroke, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    _may_draw(room, who)
    _check_page(_open_now(room, command.version), command.page)
    if room.board.stroke(command.stroke) is not None:
        raise Refusal("stroke_taken")
    page = (command.version, command.page)
    _check_space(room, page, strokes=1, points=len(command.points) // 2)
    _check_points(command.points, (0, 0))
    return [
        StrokeDrawn(
            participant=who.id,
            version=command.version,
            page=command.page,
            stroke=command.stroke,
            colour=command.colour,
            width=command.width,
            points=command.points,
        )
    ]


def _extend(room: Room, command: ExtendStroke, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    stroke, page = room.board.stroke(command.stroke), room.board.page_of(command.stroke)
    if stroke is None or page is None:
        return []
    if stroke.participant != who.id:
        raise Refusal("not_your_stroke")
    _may_draw(room, who)
    if (len(stroke.points) + len(command.points)) // 2 > POINTS_OF_STROKE:
        raise Refusal("stroke_too_long")
    _check_space(room, page, strokes=0, points=len(command.points) // 2)
    _check_points(command.points, tip(stroke))
    return [StrokeExtended(stroke=stroke.id, points=command.points)]


def _erase(room: Room, command: EraseStroke, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    stroke = room.board.stroke(command.stroke)
    if stroke is None:
        return []
    if stroke.participant != who.id and who.role != "host":
        raise Refusal("not_your_stroke")
    return [StrokeErased(stroke=stroke.id)]


def _clear(room: Room, command: ClearPage, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    whose = None if who.role == "host" else who.id
    drawn = room.board.strokes_on((command.version, command.page))
    if not any(whose in (None, stroke.participant) for stroke in drawn):
        return []
    return [PageCleared(version=command.version, page=command.page, participant=whose)]


def _open_now(room: Room, version: str) -> Material:
    shown = room.board.shown
    if shown is None or shown.material.version != version:
        raise Refusal("material_not_open")
    return shown.material


def _check_page(material: Material, page: int) -> None:
    if page > len(material.pages):
        raise Refusal("no_such_page", pages=len(material.pages))


def _may_draw(room: Room, who: Participant) -> None:
    if who.role == "endpoint" and room.called != who.id:
        raise Refusal("draw_when_called")


def _check_space(room: Room, page: Page, *, strokes: int, points: int) -> None:
    """Refuse what would make a page or the whole board too heavy for a room that comes back."""
    here = room.board.strokes_on(page)
    if len(here) + strokes > STROKES_OF_PAGE or room.board.points_on(page) + points > POINTS_OF_PAGE:
        raise Refusal("page_full")
    all_strokes, all_points = room.board.size
    if all_strokes + strokes > STROKES_OF_SESSION or all_points + points > POINTS_OF_SESSION:
        raise Refusal("board_full")


def _check_points(points: tuple[int, ...], start: tuple[int, int]) -> None:
    if len(points) % 2:
        raise Refusal("off_the_page")
    left, top, right, bottom = reach(points, start)
    if left < 0 or top < 0 or right > GRID or bottom > GRID:
        raise Refusal("off_the_page")


BOARD_DECISIONS: Final[dict[type[Command], Callable[[Room, Any, Participant, float, NewId], list[AnyRoomEvent]]]] = {
    OpenMaterial: _open,
    TurnPage: _turn,
    CloseMaterial: _close,
    DrawStroke: _draw,
    ExtendStroke: _extend,
    EraseStroke: _erase,
    ClearPage: _clear,
}
