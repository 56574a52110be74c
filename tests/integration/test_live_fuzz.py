"""Whatever clients of any role say in any order: each command has one answer, all hear the same, and the journal tells
the room. Bytes that were mangled on the way are refused by code."""

from __future__ import annotations

import asyncio
import json
import random
import tracemalloc
import types
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.auth.principal import Principal
from server.storage.database import Database
from signaling import connection as connections
from signaling.clock import AskTime
from signaling.commands import EndLesson, Hello, Leave, LinkReport, Mark, StartLesson
from signaling.connection import Connection
from signaling.frame_reader import FrameReader
from signaling.frames import JSON, MSGPACK, Encoding
from signaling.messages import Ack, AnyRoomEvent, ClientMessage, Event, MediaAnswer, Refused, ServerMessage, Welcome
from signaling.pictures import View
from signaling.room import Room
from signaling.session import LiveSession
from tests.live_lessons import HOST_UNIT, MEMBERS, classroom, plan, researcher, teacher
from tests.live_server import LiveServer, live_server
from tests.media_clients import until

LOCALES = Path(__file__).parents[2] / "config/locale"
PEOPLE = (teacher(HOST_UNIT), *(classroom(unit) for unit in MEMBERS), teacher(MEMBERS[0]), researcher())
UNANSWERED = (LinkReport, View, AskTime, Hello)
KINDS = tuple(kind for kind in get_args(ClientMessage) if kind not in (EndLesson, Hello))
NAMES = st.sampled_from(
    [
        "host.p-t-host",
        "room-yanli",
        "room-gulong",
        "room-dongye",
        "assistant.p-t-yanli",
        "id-1",
        "id-2",
        "id-3",
        "blank",
    ]
)


@pytest.fixture
async def server(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveServer]:
    monkeypatch.setattr(connections, "BURST", 1e9)
    monkeypatch.setattr(connections, "RATE", 1e9)
    monkeypatch.setattr(connections, "MALFORMED_LIMIT", 10**9)
    database = Database.open(sqlite_url)
    async with live_server(database, tmp_path / "journals") as server:
        yield server
    await database.close()


class Seat:
    """One client at the end of a socket that takes everything; it keeps what it is told."""

    def __init__(self, server: LiveServer, asker: Principal, lesson: Any, encoding: Encoding) -> None:
        self.data = b""
        self.encoding = encoding
        self.gone = False
        token = server.service.admission.invite(asker, lesson)[0]
        hello = Hello(token=token, device=asker.id)
        self.session: LiveSession
        self.connection: Connection
        self.session, self.connection = server.service.enter(hello, self, encoding)

    fd = -1
    """No descriptor: `keep` takes what a room is told."""

    def write(self, data: bytes) -> int:
        self.data += data
        return 0

    keep = write

    def buffered(self) -> int:
        return 0

    def close(self, status: int, reason: str) -> None:
        self.gone = True

    def say(self, *data: bytes) -> list[ServerMessage]:
        """Send these together; what this client is told then."""
        before = len(self.told())
        self.session.receive(self.connection, [one.decode("latin1") if self.encoding is JSON else one for one in data])
        self.session._fanout.flush()
        return self.told()[before:]

    def told(self) -> list[ServerMessage]:
        found: list[ServerMessage] = []
        data, at = self.data, 0
        decode = msgspec.json.decode if self.encoding is JSON else msgspec.msgpack.decode
        while at < len(data):
            size, head = data[at + 1], 2
            if size >= 126:
                head = 4 if size == 126 else 10
                size = int.from_bytes(data[at + 2 : at + head], "big")
            found.append(decode(data[at + head : at + head + size], type=ServerMessage))
            at += head + size
        return found


def value(kind: Any, limits: msgspec.Meta | None = None) -> st.SearchStrategy[Any]:
    """Values of a type as the wire takes them; ids are such as may exist."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return value(args[0], next((meta for meta in args[1:] if isinstance(meta, msgspec.Meta)), None))
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (Union, types.UnionType):
        return st.one_of([value(arg) for arg in args])
    if origin is tuple:
        most = (limits.max_length if limits else None) or 4
        least = (limits.min_length if limits else None) or 0
        if args[-1] is ...:
            return st.lists(value(args[0]), min_size=least, max_size=min(most, least + 4)).map(tuple)
        return st.tuples(*(value(arg) for arg in args))
    if origin is dict:
        return st.dictionaries(value(args[0]), value(args[1]), max_size=3)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return message(kind)
    low = limits and (limits.ge if limits.ge is not None else limits.gt)
    high = limits and (limits.le if limits.le is not None else limits.lt)
    if kind is int:
        return st.integers(int(low or 0), int(high if high is not None else 100))
    if kind is float:
        return st.floats(
            low or 0.0, high if high is not None else 1e4, exclude_min=bool(limits and limits.gt is not None)
        )
    if kind is str:
        most = (limits.max_length if limits else None) or 40
        return NAMES | st.text(min_size=(limits.min_length if limits else None) or 0, max_size=min(most, 40))
    return st.none() if kind is type(None) else st.booleans()


def message(kind: type[msgspec.Struct], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # of fields that may be left out, most are
    fields = {
        field.name: value(field.type) if field.required else st.just(field.default) | value(field.type)
        for field in msgspec.structs.fields(kind)
        if field.default_factory is msgspec.NODEFAULT
    }
    return st.builds(kind, **fields | given)


def codes() -> set[str]:
    """Every error that the pages have words for."""
    keys = {key for path in LOCALES.glob("*.zh-CN.json") for key in json.loads(path.read_text("utf-8"))}
    return {key.removeprefix("error.") for key in keys if key.startswith("error.")}


SCRIPT = st.lists(
    st.tuples(
        st.integers(0, len(PEOPLE) - 1),
        st.one_of([message(kind) for kind in KINDS]),
        st.booleans() | st.integers(0, 2**32),
    ),
    max_size=40,
)


async def test_any_messages_of_any_roles_leave_the_room_that_the_journal_tells(server: LiveServer) -> None:
    known = codes()
    number = 0
    plans = [plan(f"s{index}", lesson=f"lesson-{index}") for index in range(60)]
    for lesson in plans:
        await server.service.open(lesson)

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(SCRIPT)
    def fuzz(script: list[tuple[int, Any, bool | int]]) -> None:
        nonlocal number
        lesson = plans[number % len(plans)]
        number += 1
        seats = [Seat(server, who, lesson, JSON if index == 2 else MSGPACK) for index, who in enumerate(PEOPLE)]
        seats[0].say(msgspec.msgpack.encode(StartLesson(msg_id=f"start-{number}")))
        for step, (who, wish, mangle) in enumerate(script):
            seat = seats[who]
            if seat.gone:
                seat = seats[who] = Seat(server, PEOPLE[who], lesson, seat.encoding)
            if hasattr(wish, "msg_id"):
                wish = msgspec.structs.replace(wish, msg_id=f"{number}-{step}")
            data = msgspec.json.encode(wish) if seat.encoding is JSON else msgspec.msgpack.encode(wish)
            if mangle is not True and mangle is not False:
                data = mangled(data, random.Random(mangle))
            answers = [one for one in seat.say(data) if isinstance(one, Ack | Refused | MediaAnswer)]
            assert all(one.code in known for one in answers if isinstance(one, Refused)), answers
            if isinstance(mangle, bool):
                assert len(answers) == (0 if isinstance(wish, UNANSWERED) else 1), (wish, answers)
                # a repeated command is answered alike, and done once
                if mangle and answers and not isinstance(wish, Leave):
                    last = seat.session._history.last_seq
                    assert seat.say(data) == answers
                    assert seat.session._history.last_seq == last
            server.clock.now += 0.1
            seat.session.tick(server.clock.now)
        session = seats[0].session
        session._fanout.flush()
        room = Room(lesson.session, lesson.lesson)
        for entry in session._history._journal.read():
            room.evolve(msgspec.convert(entry.event, AnyRoomEvent), entry.at)
        assert room.snapshot() == session.room.snapshot()
        for seat in seats:
            told = seat.told()
            welcome = next(one for one in told if isinstance(one, Welcome))
            run = [one.seq for one in told if isinstance(one, Event) and one.seq > welcome.seq]
            assert run == list(range(welcome.seq + 1, welcome.seq + 1 + len(run)))
            seat.session.detach(seat.connection)

    fuzz()


def mangled(data: bytes, rng: random.Random) -> bytes:
    """The same with a few bytes flipped, cut out or repeated."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed)) if changed else 0
        kind = rng.randrange(3)
        if kind == 0 and changed:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del changed[at : at + rng.randint(1, 8)]
        else:
            changed[at:at] = changed[at : at + rng.randint(1, 8)]
    return bytes(changed)


async def test_garbage_and_commands_over_and_over_take_no_more_memory(server: LiveServer) -> None:
    lesson = plan()
    session = await server.service.open(lesson)
    seats = [Seat(server, who, lesson, MSGPACK) for who in PEOPLE]
    seats[0].say(msgspec.msgpack.encode(StartLesson(msg_id="start")))
    rng = random.Random(4)
    number = 0

    async def round_of_messages() -> None:
        nonlocal number
        for _ in range(1500):
            number += 1
            good = msgspec.msgpack.encode(Mark(msg_id=f"m{number}", note="重点"))
            seat = rng.choice(seats)
            reader = FrameReader(65536)
            reader.feed(b"\x82\xfe\x10\x00")  # a frame that never ends
            session.receive(seat.connection, [good, mangled(good, rng), rng.randbytes(rng.randrange(60))])
            await asyncio.sleep(0)
        # the last batch is written once it is gathered
        await until(lambda: not session._fanout._scheduled)
        for one in seats:
            one.data = b""

    tracemalloc.start()
    # what is kept for those who return fills up first
    for _ in range(5):
        await round_of_messages()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(3):
        await round_of_messages()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # the journal's index takes sixteen bytes an event
    assert grown < 3 * 1500 * 16 + 400_000
