"""What goes out to the sockets of a room: framed once, in order, and never more than a slow one can take."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.connection import (
    BURST,
    DRAINED_BELOW,
    LAGS_ABOVE,
    MALFORMED_LIMIT,
    TOO_SLOW_ABOVE,
    TOO_SLOW_AFTER,
    Connection,
)
from signaling.errors import Refusal
from signaling.fanout import Fanout
from signaling.frames import ENCODINGS, JSON, MSGPACK, Encoding, frame
from signaling.messages import Ack, Links, Refused, ServerMessage
from tests.live_lessons import Clock


class Wire:
    """The far end of a socket: what arrived, and how much is still under way."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.waiting = 0
        self.closed: tuple[int, str] | None = None

    def write(self, data: bytes) -> int:
        self.writes.append(data)
        return self.waiting

    def buffered(self) -> int:
        return self.waiting

    def close(self, status: int, reason: str) -> None:
        self.closed = (status, reason)

    def messages(self, encoding: Encoding = MSGPACK) -> list[ServerMessage]:
        decode = msgspec.msgpack.decode if encoding is MSGPACK else msgspec.json.decode
        data, found = b"".join(self.writes), []
        while data:
            size, head = data[1], 2
            if size == 126:
                size, head = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(data[2:10], "big"), 10
            found.append(decode(data[head : head + size], type=ServerMessage))
            data = data[head + size :]
        return found


class Room:
    """A fan-out whose ticks the test makes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.soon: list[Callable[[], object]] = []
        self.fanout = Fanout(self.soon.append, self.clock)

    def join(self, encoding: Encoding = MSGPACK) -> tuple[Wire, Connection]:
        wire = Wire()
        connection = Connection("p", "d", encoding, wire, self.clock.now)
        self.fanout.add(connection)
        return wire, connection

    def tick(self) -> None:
        calls, self.soon[:] = list(self.soon), []
        for call in calls:
            call()


def ack(number: int) -> Ack:
    return Ack(msg_id=str(number), seq=number)


def presence() -> Links:
    return Links(links={})


@given(st.binary(max_size=70_000), st.sampled_from(list(ENCODINGS.values())))
def test_reading_any_bytes_gives_a_message_or_a_refusal(data: bytes, encoding: Encoding) -> None:
    with contextlib.suppress(Refusal):
        encoding.read(data)


def test_deeply_nested_bytes_are_malformed() -> None:
    for encoding, data in ((MSGPACK, b"\x91" * 60_000), (JSON, b"[" * 60_000)):
        with pytest.raises(Refusal):
            encoding.read(data)


@pytest.mark.parametrize(("size", "head"), [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_frame_says_its_length_in_the_shortest_form(size: int, head: int) -> None:
    data = frame(0x82, b"x" * size)
    assert (data[0], len(data)) == (0x82, head + size)


def test_everything_of_one_tick_goes_out_in_one_write_for_each_socket() -> None:
    room = Room()
    wires = [room.join()[0] for _ in range(3)]
    room.fanout.post(ack(1))
    room.fanout.post(ack(2))
    assert [wire.writes for wire in wires] == [[], [], []]
    room.tick()
    assert [len(wire.writes) for wire in wires] == [1, 1, 1]
    assert [wire.messages() for wire in wires] == [[ack(1), ack(2)]] * 3


def test_own_messages_keep_their_place_among_those_of_the_room() -> None:
    room = Room()
    first, connection = room.join()
    second, _ = room.join()
    room.fanout.post(ack(1))
    room.fanout.send(connection, ack(2))
    room.fanout.post(ack(3))
    room.fanout.send(connection, ack(4))
    room.tick()
    assert first.messages() == [ack(1), ack(2), ack(3), ack(4)]
    assert second.messages() == [ack(1), ack(3)]


def test_a_newcomer_gets_nothing_from_before() -> None:
    room = Room()
    room.join()
    room.fanout.post(ack(1))
    late, _ = room.join()
    room.fanout.post(ack(2))
    room.tick()
    assert late.messages() == [ack(2)]


def test_what_waits_may_be_changed_before_it_is_written() -> None:
    room = Room()
    first, connection = room.join()
    room.fanout.post(ack(1))
    room.fanout.post(ack(2))
    room.fanout.send(connection, ack(3))
    late, newcomer = room.join()
    room.fanout.post(ack(4))
    room.fanout.send(newcomer, ack(5))
    other = Refused(msg_id="3", code="journal_unwritable")
    room.fanout.amend(lambda message: {"2": None, "3": other}.get(cast(Ack, message).msg_id, message))
    room.tick()
    assert first.messages() == [ack(1), other, ack(4)]
    assert late.messages() == [ack(4), ack(5)]


def test_both_encodings_tell_the_same() -> None:
    room = Room()
    binary, text = room.join()[0], room.join(JSON)[0]
    room.fanout.post(Refused(msg_id="m", code="role_may_not", values={"role": "observer"}))
    room.tick()
    assert binary.messages() == text.messages(JSON)


def test_removing_a_connection_writes_what_waits_for_it() -> None:
    room = Room()
    wire, connection = room.join()
    room.fanout.post(ack(1))
    room.fanout.remove(connection)
    room.fanout.post(ack(2))
    room.tick()
    assert wire.messages() == [ack(1)]


def test_lagging_socket_misses_presence_and_nothing_else() -> None:
    room = Room()
    wire, connection = room.join()
    wire.waiting = LAGS_ABOVE + 1
    room.fanout.post(ack(1))
    room.tick()
    room.fanout.post(presence(), presence=True)
    room.fanout.post(ack(2))
    room.tick()
    assert wire.messages() == [ack(1), ack(2)]
    wire.waiting = DRAINED_BELOW - 1
    assert connection.check_pressure(room.clock.now)
    assert not connection.check_pressure(room.clock.now)


@pytest.mark.parametrize("how", ["full", "long"])
def test_socket_that_does_not_drain_is_closed(how: str) -> None:
    room = Room()
    wire, connection = room.join()
    wire.waiting = TOO_SLOW_ABOVE + 1 if how == "full" else LAGS_ABOVE + 1
    room.fanout.post(ack(1))
    room.tick()
    if how == "long":
        room.clock.now += TOO_SLOW_AFTER + 0.1
        connection.check_pressure(room.clock.now)
    assert (connection.closed, wire.closed) == ("too_slow", (4429, "too_slow"))


def test_rate_allows_a_burst_then_a_steady_flow() -> None:
    connection = Connection("p", "d", MSGPACK, Wire(), 0.0)
    assert [connection.admit(0.0) for _ in range(int(BURST) + 1)] == [True] * int(BURST) + [False]
    assert [connection.admit(1.0) for _ in range(21)] == [True] * 20 + [False]


def test_several_fit_the_rate_together_or_are_asked_for_one_by_one() -> None:
    connection = Connection("p", "d", MSGPACK, Wire(), 0.0)
    assert connection.admit(0.0, int(BURST) - 1)
    assert not connection.admit(0.0, 2)
    assert [connection.admit(0.0), connection.admit(0.0)] == [True, False]


def test_flood_closes_the_socket() -> None:
    wire = Wire()
    connection = Connection("p", "d", MSGPACK, wire, 0.0)
    for _ in range(300):
        connection.admit(0.0)
    assert wire.closed == (1008, "flood")


def test_garbage_closes_the_socket_after_a_while() -> None:
    wire = Wire()
    connection = Connection("p", "d", MSGPACK, wire, 0.0)
    for _ in range(MALFORMED_LIMIT - 1):
        connection.malformed()
    assert wire.closed is None
    connection.malformed()
    assert wire.closed == (1007, "malformed")
