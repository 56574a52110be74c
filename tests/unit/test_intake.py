"""When lines are read: at once in quiet, together while many speak."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from server.sockets.intake import GATHER_SECONDS, Intake


class Loop:
    """An event loop that turns when the test says so."""

    def __init__(self) -> None:
        self.readers: dict[int, Callable[[], None]] = {}
        self.soon: list[Callable[[], object]] = []
        self.later: list[Callable[[], object]] = []

    def add_reader(self, fd: int, callback: Callable[[], None]) -> None:
        self.readers[fd] = callback

    def remove_reader(self, fd: int) -> None:
        del self.readers[fd]

    def call_soon(self, work: Callable[[], object]) -> None:
        self.soon.append(work)

    def call_later(self, seconds: float, work: Callable[[], object]) -> None:
        assert seconds == GATHER_SECONDS
        self.later.append(work)

    def turn(self) -> int:
        """How many readers were called."""
        ready = select.select(list(self.readers), [], [], 0)[0]
        for fd in ready:
            self.readers[fd]()
        return len(ready)

    def gathered(self) -> None:
        """GATHER_SECONDS are over."""
        (work,), self.later = self.later, []
        work()


class Speaker:
    """A line whose every byte is a message."""

    def __init__(self, intake: Intake, heard: list[Any], then: Callable[[], None] = lambda: None) -> None:
        self._far, self._near = socket.socketpair()
        self._near.setblocking(False)
        self._heard = heard
        self._then = then
        self.fd = self._near.fileno()
        intake.add(self.fd, self)

    def say(self, words: bytes) -> None:
        self._far.send(words)

    def read(self) -> int:
        data = self._near.recv(100)
        self._heard.append(data)
        self._then()
        return len(data)

    def close(self) -> None:
        self._far.close()
        self._near.close()


class Table:
    """An intake and what it heard, in order."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.intake = Intake(cast(asyncio.AbstractEventLoop, self.loop))
        self.heard: list[Any] = []
        self.speakers: list[Speaker] = []

    def speaker(self, **options: Any) -> Speaker:
        self.speakers.append(Speaker(self.intake, self.heard, **options))
        return self.speakers[-1]


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    yield table
    for speaker in table.speakers:
        table.intake.remove(speaker.fd)
        speaker.close()
    table.intake.close()
    assert table.loop.readers == {}


def test_in_quiet_a_line_is_read_at_once(table: Table) -> None:
    one, other = table.speaker(), table.speaker()
    for speaker, words in ((one, b"a"), (other, b"b"), (one, b"c")):
        speaker.say(words)
        assert table.loop.turn() == 1
        assert table.heard[-1] == words
    assert table.loop.later == []
    assert table.loop.turn() == 0


def test_while_many_speak_what_comes_is_read_together(table: Table) -> None:
    one, other = table.speaker(), table.speaker()
    one.say(b"aa")
    table.loop.turn()
    assert table.heard == [b"aa"]
    one.say(b"b")
    assert table.loop.turn() == 1
    # nothing wakes the loop any more until the time is over
    other.say(b"c")
    one.say(b"d")
    assert table.loop.turn() == 0
    assert table.heard == [b"aa"]
    table.loop.gathered()
    assert sorted(table.heard[1:]) == [b"bd", b"c"]
    # and then one alone: it waits for once, and it is quiet again
    for words, waits in ((b"e", True), (b"f", False)):
        one.say(words)
        assert table.loop.turn() == 1
        if waits:
            table.loop.gathered()
        assert table.heard[-1] == words
    assert table.loop.later == []


def test_what_is_to_be_done_soon_is_done_after_all_are_read(table: Table) -> None:
    def ask() -> None:
        table.intake.soon(lambda: table.heard.append("done"))

    one, other = table.speaker(then=ask), table.speaker()
    one.say(b"a")
    other.say(b"b")
    table.loop.turn()
    assert sorted(table.heard[:2]) == [b"a", b"b"]
    assert table.heard[2:] == ["done"]
    # nobody is being read: the event loop does it
    ask()
    assert len(table.loop.soon) == 1


def test_a_line_may_end_another_one(table: Table) -> None:
    def end_all() -> None:
        for speaker in table.speakers:
            table.intake.remove(speaker.fd)

    for speaker in (table.speaker(then=end_all), table.speaker(then=end_all)):
        speaker.say(b"a")
    table.loop.turn()
    assert table.heard == [b"a"]
    assert table.loop.turn() == 0


def test_a_fault_in_one_line_leaves_the_others_alone(table: Table) -> None:
    def fail() -> None:
        table.intake.soon(lambda: 1 / 0)
        table.intake.soon(lambda: table.heard.append("done"))
        raise RuntimeError

    for speaker in (table.speaker(then=fail), table.speaker()):
        speaker.say(b"a")
    table.loop.turn()
    assert table.heard == [b"a", b"a", "done"]


def test_closed_while_it_gathers(table: Table) -> None:
    one = table.speaker()
    for _ in range(2):
        one.say(b"aa")
        table.loop.turn()
    table.intake.close()
    table.loop.gathered()
    assert table.heard == [b"aa"]
    one.close()
    table.speakers.clear()
