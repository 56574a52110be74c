"""The board by its rules: what all rooms have open, who may draw on it, and that it stays small."""

from __future__ import annotations

from itertools import accumulate, count
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.board import POINTS_OF_PAGE, POINTS_OF_SESSION, POINTS_OF_STROKE, STROKES_OF_PAGE, BoardState
from signaling.commands import CallOn, EndLesson, StartLesson
from signaling.errors import Refusal
from signaling.materials import (
    BLANK,
    CloseMaterial,
    Material,
    MaterialClosed,
    MaterialOpened,
    MaterialsShelved,
    OpenMaterial,
    PageTurned,
    TurnPage,
    parts_of,
)
from signaling.messages import AnyRoomEvent, ClientMessage
from signaling.room import Room
from signaling.rules import arrive, decide
from signaling.strokes import (
    GRID,
    ClearPage,
    Colour,
    DrawStroke,
    EraseStroke,
    ExtendStroke,
    PageCleared,
    StrokeDrawn,
    StrokeErased,
)
from signaling.wire import Command
from tests.live_lessons import HOST_UNIT, MEMBERS, arrival, plan

NOW = 1_000_000.0
HOST, ASSISTANT, OBSERVER = "host.p", "assistant.a", "observer.r"
ROOMS = tuple(f"room-{unit}" for unit in MEMBERS)
SHEET = Material(version="v1", material="m1", kind="guide_sheet", title="光的反射", number=1, pages=((1131, 1600),) * 3)
SLIDES = Material(
    version="v2", material="m2", kind="teaching_resource", title="课件", number=1, pages=((1600, 900),) * 12
)


class Board:
    """A lesson with two materials on its shelf, and everything that has happened in it."""

    def __init__(self) -> None:
        self.room = Room("s1", plan("s1", starts=NOW).lesson)
        self.history: list[AnyRoomEvent] = []
        self._ids = count(1)
        # the doors are open, and everybody is there
        for participant, role, unit in [
            (HOST, "host", HOST_UNIT),
            *((room, "endpoint", unit) for room, unit in zip(ROOMS, MEMBERS, strict=True)),
            (ASSISTANT, "assistant", MEMBERS[0]),
            (OBSERVER, "observer", ""),
        ]:
            self.happen(arrive(self.room, arrival(participant, role, unit)))
        self.room.state = "open"
        self.do(HOST, StartLesson)
        self.happen([MaterialsShelved(materials=(SHEET, SLIDES))])

    def happen(self, events: list[AnyRoomEvent]) -> list[AnyRoomEvent]:
        for event in events:
            self.room.evolve(event, NOW)
            self.history.append(event)
        return events

    def do(self, sender: str, kind: type[Command], **fields: Any) -> list[AnyRoomEvent]:
        command = kind(msg_id=f"c{next(self._ids)}", **fields)
        return self.happen(decide(self.room, command, sender, NOW, lambda: f"h{next(self._ids)}"))

    def refusal(self, sender: str, kind: type[Command], **fields: Any) -> str:
        with pytest.raises(Refusal) as caught:
            self.do(sender, kind, **fields)
        return caught.value.reason

    @property
    def shown(self) -> tuple[str, int] | None:
        shown = self.room.board.shown
        return None if shown is None else (shown.material.version, shown.page)

    def strokes(self, version: str = "v1", page: int = 1) -> list[str]:
        return [stroke.id for stroke in self.room.board.strokes_on((version, page))]


@pytest.fixture
def board() -> Board:
    """The guide sheet is open at its first page."""
    board = Board()
    board.do(HOST, OpenMaterial, version="v1")
    return board


def line(stroke: str, *, points: tuple[int, ...] = (100, 100, 50, 50), page: int = 1, version: str = "v1") -> Any:
    return {"version": version, "page": page, "stroke": stroke, "colour": "red", "width": 16, "points": points}


def test_the_host_opens_turns_and_closes() -> None:
    board = Board()
    assert board.do(HOST, OpenMaterial, version="v1") == [MaterialOpened(by=HOST, page=1, material=SHEET)]
    assert board.do(HOST, TurnPage, version="v1", page=3) == [PageTurned(by=HOST, page=3)]
    assert board.do(HOST, TurnPage, version="v1", page=3) == []
    assert board.shown == ("v1", 3)
    assert board.do(HOST, OpenMaterial, version="v1", page=2) == [PageTurned(by=HOST, page=2)]
    assert board.do(HOST, CloseMaterial) == [MaterialClosed(by=HOST)]
    assert board.do(HOST, CloseMaterial) == []
    assert board.shown is None


def test_only_what_is_on_the_shelf_can_be_opened(board: Board) -> None:
    assert board.refusal(HOST, OpenMaterial, version="v9") == "no_such_material"
    assert board.refusal(HOST, OpenMaterial, version="v2", page=13) == "no_such_page"
    assert board.refusal(HOST, TurnPage, version="v1", page=4) == "no_such_page"
    assert board.refusal(HOST, TurnPage, version="v2", page=1) == "material_not_open"
    board.do(HOST, OpenMaterial, version=BLANK.version, page=20)
    assert board.shown == ("blank", 20)


def test_an_upright_page_is_shown_whole_or_in_bands(board: Board) -> None:
    assert [parts_of(SHEET, 1), parts_of(SLIDES, 1)] == [3, 1]
    assert board.do(HOST, TurnPage, version="v1", page=1, part=3) == [PageTurned(by=HOST, page=1, part=3)]
    assert board.do(HOST, TurnPage, version="v1", page=1, part=3) == []
    assert board.room.board.state().shown is not None
    assert board.refusal(HOST, TurnPage, version="v1", page=1, part=4) == "no_such_part"
    board.do(HOST, TurnPage, version="v1", page=2)
    assert board.room.board.shown is not None
    assert board.room.board.shown.part == 0


def test_a_replaced_version_stays_open_until_it_is_closed(board: Board) -> None:
    board.happen([MaterialsShelved(materials=(SLIDES,))])
    board.do(HOST, TurnPage, version="v1", page=2)
    assert board.shown == ("v1", 2)
    board.do(HOST, CloseMaterial)
    assert board.refusal(HOST, OpenMaterial, version="v1") == "no_such_material"


@pytest.mark.parametrize("sender", [ASSISTANT, ROOMS[0], OBSERVER])
def test_nobody_but_the_host_opens(board: Board, sender: str) -> None:
    assert board.refusal(sender, OpenMaterial, version="v2") == "role_may_not"
    assert board.refusal(sender, TurnPage, version="v1", page=2) == "role_may_not"
    assert board.refusal(sender, CloseMaterial) == "role_may_not"


def test_teachers_draw_and_a_classroom_while_it_is_called(board: Board) -> None:
    board.do(HOST, DrawStroke, **line("h"))
    board.do(ASSISTANT, DrawStroke, **line("a"))
    assert board.refusal(ROOMS[0], DrawStroke, **line("r")) == "draw_when_called"
    board.do(HOST, CallOn, participant=ROOMS[0])
    board.do(ROOMS[0], DrawStroke, **line("r"))
    assert board.refusal(ROOMS[1], DrawStroke, **line("q")) == "draw_when_called"
    assert board.refusal(OBSERVER, DrawStroke, **line("o")) == "role_may_not"
    board.do(HOST, CallOn, participant=ROOMS[1])
    assert board.refusal(ROOMS[0], ExtendStroke, stroke="r", points=(1, 1)) == "draw_when_called"
    assert board.strokes() == ["h", "a", "r"]


def test_a_stroke_grows_where_it_ended(board: Board) -> None:
    board.do(HOST, DrawStroke, **line("h", points=(4000, 100, 90, 0)))
    board.do(HOST, ExtendStroke, stroke="h", points=(-10, 5))
    assert board.room.board.strokes_on(("v1", 1))[0].points == (4000, 100, 90, 0, -10, 5)
    assert board.refusal(HOST, ExtendStroke, stroke="h", points=(20, 0)) == "off_the_page"
    assert board.refusal(HOST, ExtendStroke, stroke="h", points=(1, 0, 1)) == "off_the_page"
    assert board.refusal(ASSISTANT, ExtendStroke, stroke="h", points=(1, 0)) == "not_your_stroke"
    assert board.refusal(HOST, DrawStroke, **line("h")) == "stroke_taken"
    assert board.do(HOST, ExtendStroke, stroke="gone", points=(1, 0)) == []


def test_everybody_erases_their_own_and_the_host_all(board: Board) -> None:
    for sender, stroke in [(HOST, "h1"), (ASSISTANT, "a1"), (ASSISTANT, "a2"), (HOST, "h2")]:
        board.do(sender, DrawStroke, **line(stroke))
    assert board.refusal(ASSISTANT, EraseStroke, stroke="h1") == "not_your_stroke"
    assert board.do(ASSISTANT, EraseStroke, stroke="a2") == [StrokeErased(stroke="a2")]
    assert board.do(ASSISTANT, EraseStroke, stroke="a2") == []
    assert board.do(HOST, EraseStroke, stroke="a1") == [StrokeErased(stroke="a1")]
    board.do(ASSISTANT, DrawStroke, **line("a3"))
    assert board.do(ASSISTANT, ClearPage, version="v1", page=1) == [
        PageCleared(version="v1", page=1, participant=ASSISTANT)
    ]
    assert board.strokes() == ["h1", "h2"]
    assert board.do(ASSISTANT, ClearPage, version="v1", page=1) == []
    board.do(HOST, ClearPage, version="v1", page=1)
    assert board.strokes() == []


def test_strokes_stay_on_their_page_and_come_back_with_it(board: Board) -> None:
    board.do(HOST, DrawStroke, **line("one"))
    board.do(HOST, TurnPage, version="v1", page=2)
    board.do(HOST, DrawStroke, **line("two", page=2))
    board.do(HOST, OpenMaterial, version="v2")
    assert board.refusal(HOST, DrawStroke, **line("late")) == "material_not_open"
    board.do(HOST, OpenMaterial, version="v1")
    assert (board.strokes(page=1), board.strokes(page=2)) == (["one"], ["two"])


def test_a_page_and_the_whole_board_are_bounded(board: Board) -> None:
    long = (0, 0) + (1, 1) * 255
    board.do(HOST, DrawStroke, **line("s", points=long))
    for _ in range(POINTS_OF_STROKE // 256 - 1):
        board.do(HOST, ExtendStroke, stroke="s", points=(0, 0) * 256)
    assert board.refusal(HOST, ExtendStroke, stroke="s", points=(0, 0) * 256) == "stroke_too_long"
    drawn = count(1)
    refused = None
    while refused is None:
        try:
            board.do(HOST, DrawStroke, **line(f"l{next(drawn)}", points=long))
        except Refusal as refusal:
            refused = refusal.reason
    assert refused == "page_full"
    assert POINTS_OF_PAGE - 256 < board.room.board.points_on(("v1", 1)) <= POINTS_OF_PAGE
    for page in (2, 3):
        for number in range(STROKES_OF_PAGE):
            board.do(HOST, DrawStroke, **line(f"p{page}-{number}", page=page, points=(1, 1)))
        assert board.refusal(HOST, DrawStroke, **line("more", page=page, points=(1, 1))) == "page_full"
    board.do(HOST, OpenMaterial, version="v2")
    more = [
        line(f"b{page}-{number}", page=page, points=long, version="v2")
        for page in range(1, 13)
        for number in range(POINTS_OF_PAGE // 256)
    ]
    refused = None
    while refused is None:
        try:
            board.do(HOST, DrawStroke, **more.pop())
        except Refusal as refusal:
            refused = refusal.reason
    assert refused == "board_full"
    assert board.room.board.size[1] <= POINTS_OF_SESSION
    assert len(msgspec.msgpack.encode(board.room.snapshot())) < 300_000


def test_the_end_closes_what_is_open_and_keeps_what_was_drawn(board: Board) -> None:
    board.do(HOST, DrawStroke, **line("h"))
    board.do(HOST, EndLesson)
    assert (board.shown, board.strokes()) == (None, ["h"])
    assert board.refusal(HOST, OpenMaterial, version="v1") == "wrong_state"


# whatever anybody asks for, in whatever order

versions = st.sampled_from(["v1", "v2", "v3", "blank"])
pages = st.integers(1, 1000)
strokes = st.sampled_from([f"s{number}" for number in range(5)])
steps = st.lists(st.integers(-GRID, GRID) | st.integers(-40, 40), min_size=2, max_size=12).map(tuple)
asked = st.one_of(
    st.tuples(st.just(OpenMaterial), st.fixed_dictionaries({"version": versions, "page": st.integers(1, 4)})),
    st.tuples(
        st.just(TurnPage),
        st.fixed_dictionaries({"version": versions, "page": pages | st.integers(1, 4), "part": st.integers(0, 4)}),
    ),
    st.tuples(st.just(CloseMaterial), st.just({})),
    st.tuples(
        st.just(DrawStroke),
        st.fixed_dictionaries(
            {
                "version": versions,
                "page": st.integers(1, 4),
                "stroke": strokes,
                "colour": st.sampled_from(get_args(Colour)),
                "width": st.integers(2, 160),
                "points": steps | st.just((2000, 2000, 3, 3)),
            }
        ),
    ),
    st.tuples(st.just(ExtendStroke), st.fixed_dictionaries({"stroke": strokes, "points": steps})),
    st.tuples(st.just(EraseStroke), st.fixed_dictionaries({"stroke": strokes})),
    st.tuples(st.just(ClearPage), st.fixed_dictionaries({"version": versions, "page": st.integers(1, 4)})),
    st.tuples(st.just(CallOn), st.fixed_dictionaries({"participant": st.sampled_from(ROOMS)})),
)
senders = st.sampled_from([HOST, HOST, HOST, ASSISTANT, ROOMS[0], ROOMS[1], OBSERVER])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(senders, asked), max_size=40), st.lists(st.integers(0, 39), max_size=3))
def test_any_sequence_folds_to_the_same_board(wishes: list[tuple[str, Any]], shelvings: list[int]) -> None:
    board = Board()
    decoder = msgspec.msgpack.Decoder(ClientMessage)
    for index, (sender, (kind, fields)) in enumerate(wishes):
        if index in shelvings:
            board.happen([MaterialsShelved(materials=(SHEET,) if index % 2 else (SHEET, SLIDES))])
        decoder.decode(msgspec.msgpack.encode(kind(msg_id="x", **fields)))  # only what can be on the wire
        try:
            board.do(sender, kind, **fields)
        except Refusal:
            continue
        shown = board.room.board.shown
        assert shown is None or 1 <= shown.page <= len(shown.material.pages)
    again = Room("s1", plan("s1", starts=NOW).lesson)
    for event in board.history:
        as_written = msgspec.msgpack.encode(event)
        again.evolve(msgspec.convert(msgspec.msgpack.decode(as_written), AnyRoomEvent), NOW)
    state: BoardState = board.room.board.state()
    assert again.board.state() == state
    for page in state.strokes:
        material = board.room.board.material(page.version) or SLIDES
        assert page.page <= len(material.pages)
        for stroke in page.strokes:
            across, down = (list(accumulate(stroke.points[axis::2])) for axis in (0, 1))
            assert len(across) == len(down)
            assert all(0 <= value <= GRID for value in across + down)
    drawers = {event.participant for event in board.history if isinstance(event, StrokeDrawn)}
    assert OBSERVER not in drawers
