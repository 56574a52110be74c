"""What is asked for in one moment is written at once: nothing acknowledged is lost, nothing refused has happened."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientError, ClientSession

from recordings.journal import Journal, read_journal
from signaling.commands import EndLesson, Hello, LinkReport, LowerHand, Mark, RaiseHand, SetTimer, StartLesson
from signaling.connection import BURST, REFUSED_LIMIT, Connection
from signaling.events import HandRaised, Marked, ReviewOpened, SessionEnded, SessionLive
from signaling.frames import MSGPACK
from signaling.media.hub import TrackInfo
from signaling.messages import Ack, Event, Links, Refused, ServerMessage, Tracks, Welcome
from signaling.session import LiveSession
from signaling.wire import Command
from tests.full_disk import full_disk, journal_of
from tests.live_lessons import HOST_UNIT, MEMBERS, classroom, plan, teacher
from tests.live_server import LiveServer, Panel
from tests.media_clients import until

ROOT = Path(__file__).parents[2]
TOGETHER = 8
"""Commands that a client sends at once."""
HOST, ROOM = "host.p-t-host", "room-yanli"


class Lesson:
    """A live lesson of a host and a classroom, whose commands come in one moment."""

    def __init__(self, session: LiveSession, host: Panel, room: Panel) -> None:
        self.session, self.host, self.room = session, host, room

    def say(self, participant: str, *commands: Command) -> None:
        self.session.receive(self.connection(participant), [msgspec.msgpack.encode(one) for one in commands])

    def connection(self, participant: str) -> Connection:
        found = self.session._roster.get(participant)
        assert found is not None
        return found

    @property
    def journal(self) -> Journal:
        return journal_of(self.session)

    def full_disk(self) -> AbstractContextManager[None]:
        return full_disk(self.session)


@pytest.fixture
async def lesson(server: LiveServer) -> Lesson:
    session = await server.service.open(plan())
    host, room = await server.join(teacher(HOST_UNIT), plan()), await server.join(classroom(MEMBERS[0]), plan())
    assert isinstance(await host.ask(StartLesson), Ack)
    return Lesson(session, host, room)


def answers(panel: Panel) -> list[tuple[str, int | str]]:
    """Message ids with the number or the code that answers them."""
    return [
        (message.msg_id, message.seq if isinstance(message, Ack) else message.code)
        for message in panel.told
        if isinstance(message, Ack | Refused)
    ][-3:]


def states(panel: Panel) -> list[str]:
    """How the line of ROOM was, as the panel was told it."""
    told = (message.links.get(ROOM) for message in panel.told if isinstance(message, Links))
    return [link.state for link in told if link is not None]


async def test_what_comes_in_one_moment_is_written_by_one_write(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    extend = lesson.journal.extend

    def counted(events: Any) -> int:
        writes.append(len(events))
        return extend(events)

    monkeypatch.setattr(lesson.journal, "extend", counted)
    first = lesson.session._history.last_seq + 1
    lesson.say(HOST, Mark(msg_id="a", note="一"), Mark(msg_id="b", note="二"))
    lesson.say(ROOM, RaiseHand(msg_id="c", seat=3), Mark(msg_id="d"))
    assert writes == []
    await until(lambda: len(answers(lesson.room)) == 2)
    assert writes == [4]
    assert answers(lesson.host)[-2:] == [("a", first), ("b", first + 1)]
    assert answers(lesson.room) == [("c", first + 2), ("d", first + 3)]
    told = [(message.seq, type(message.event)) for message in lesson.host.told if isinstance(message, Event)]
    assert told[-4:] == [(first, Marked), (first + 1, Marked), (first + 2, HandRaised), (first + 3, Marked)]


async def test_what_sets_something_off_is_written_after_what_came_before(lesson: Lesson) -> None:
    lesson.say(HOST, Mark(msg_id="a"), EndLesson(msg_id="b"))
    assert [record.event["type"] for record in lesson.journal.read()][-2:] == ["marked", "session_ended"]
    await until(lambda: any(isinstance(event, SessionEnded) for event in lesson.host.events))


async def test_a_full_disk_refuses_a_whole_moment_and_the_room_is_as_before(lesson: Lesson) -> None:
    lesson.say(ROOM, RaiseHand(msg_id="before", seat=1))
    await until(lambda: len(answers(lesson.room)) == 1)
    before, last = lesson.session.room.snapshot(), lesson.session._history.last_seq
    heard = len(lesson.host.events)
    asked = (Mark(msg_id="a"), SetTimer(msg_id="b", seconds=60), Mark(msg_id="a"))
    with lesson.full_disk():
        lesson.say(ROOM, RaiseHand(msg_id="c", seat=2), RaiseHand(msg_id="d", seat=2), LowerHand(msg_id="e"))
        lesson.say(HOST, *asked)
        assert lesson.session.room.marks == 1
        await until(lambda: len(answers(lesson.room)) == 3)
        await until(lambda: len(answers(lesson.host)) == 3)
        assert answers(lesson.room) == [(one, "journal_unwritable") for one in ("c", "d", "e")]
        assert answers(lesson.host) == [(one, "journal_unwritable") for one in ("a", "b", "a")]
        assert lesson.session.room.snapshot() == before
        assert lesson.session._history.last_seq == last
        # from here on nothing is folded before it is written
        lesson.say(HOST, Mark(msg_id="a"))
        assert lesson.session.room.snapshot() == before
        answer = lesson.session.obey(HOST, Mark(msg_id="a"))
        assert isinstance(answer, Refused)
    assert len(lesson.host.events) == heard
    lesson.say(HOST, *asked)
    lesson.say(ROOM, RaiseHand(msg_id="c", seat=2))
    await until(lambda: answers(lesson.room)[-1] == ("c", last + 3))
    assert answers(lesson.host) == [("a", last + 1), ("b", last + 2), ("a", last + 1)]
    assert lesson.session.room.marks == 1
    assert [record.seq for record in lesson.journal.read()] == list(range(1, last + 4))


async def test_a_room_whose_journal_cannot_be_read_goes_back_as_soon_as_it_can(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = lesson.journal._path
    with lesson.full_disk():
        lesson.say(HOST, Mark(msg_id="a"))
        monkeypatch.setattr(lesson.journal, "_path", tmp_path / "away")
        await until(lambda: answers(lesson.host)[-1:] == [("a", "journal_unwritable")])
    assert isinstance(lesson.session.obey(HOST, Mark(msg_id="b")), Refused)
    monkeypatch.setattr(lesson.journal, "_path", path)
    assert isinstance(lesson.session.obey(HOST, Mark(msg_id="b")), Ack)
    assert lesson.session.room.marks == 1


async def test_who_is_turned_out_leaves_although_the_disk_is_full(lesson: Lesson) -> None:
    with lesson.full_disk():
        lesson.session.dismiss(ROOM)
        assert await lesson.room.closed() == "unauthorized"
        assert lesson.session.room.present(ROOM)
    lesson.session.tick(lesson.session._clock())
    assert not lesson.session.room.present(ROOM)


async def test_a_picture_is_shown_although_nobody_can_be_told_that_it_is_recorded(lesson: Lesson) -> None:
    def told() -> int:
        return sum(isinstance(message, Tracks) for message in lesson.host.told)

    before = told()
    with lesson.full_disk():
        lesson.session.track_changed(TrackInfo("t1", "s1", ROOM, "video", "pupils"), present=True)
        await until(lambda: told() == before + 1)
        assert lesson.session.room.participants[ROOM].recording == "off"
    lesson.session.tick(lesson.session._clock())
    assert lesson.session.room.participants[ROOM].recording == "recording"


async def test_a_weak_line_is_told_although_its_minute_cannot_be_written(lesson: Lesson) -> None:
    now = lesson.session._clock()
    lesson.session.tick(now + 1)
    lesson.connection(ROOM).report = LinkReport(lost=0.5)
    with lesson.full_disk():
        lesson.session.tick(now + 62)
        await until(lambda: "weak" in states(lesson.host))


async def test_a_session_is_finished_although_its_review_cannot_be_written(lesson: Lesson, server: LiveServer) -> None:
    server.recording.stopping.clear()
    lesson.say(HOST, EndLesson(msg_id="end"))
    with lesson.full_disk():
        server.recording.stopping.set()
        assert await lesson.host.closed() == "ended"
    record = await server.store.get("s1")
    assert record is not None
    assert (record.state, record.review) == ("ended", "review-s1")
    assert record.ended_at is not None


async def test_who_is_told_of_the_review_finds_it_in_the_store(
    lesson: Lesson, server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str | None] = []
    finish = server.store.finish

    async def noted(*given: Any) -> None:
        told.append(lesson.session.room.review)
        await finish(*given)

    monkeypatch.setattr(server.store, "finish", noted)
    lesson.say(HOST, EndLesson(msg_id="end"))
    assert await lesson.host.closed() == "ended"
    assert told == [None]
    assert ReviewOpened(review="review-s1") in lesson.host.events


async def test_a_journal_that_cannot_be_closed_keeps_nobody_in_the_lesson(lesson: Lesson, server: LiveServer) -> None:
    with lesson.full_disk():
        await server.service.close()
        assert await lesson.room.closed() == "drain"


async def test_a_socket_that_was_replaced_does_nothing_any_more(lesson: Lesson) -> None:
    replaced = lesson.connection(HOST)
    replaced.close("replaced")
    lesson.session.receive(replaced, [msgspec.msgpack.encode(Mark(msg_id="late"))])
    assert lesson.session.room.marks == 0


async def test_messages_that_come_one_by_one_are_counted_once_each_above_the_rate(lesson: Lesson) -> None:
    connection = lesson.connection(ROOM)
    for _ in range(round(BURST) + REFUSED_LIMIT):
        lesson.session.receive(connection, [msgspec.msgpack.encode(LinkReport())])
    assert connection.closed is None
    for _ in range(2):
        lesson.session.receive(connection, [msgspec.msgpack.encode(LinkReport())])
    assert connection.closed == "flood"


@pytest.mark.parametrize("blow", [20, 300])
async def test_a_killed_server_has_written_all_that_it_acknowledged(tmp_path: Path, blow: int) -> None:
    # killed in the middle of many commands, started again, asked for the same once more
    every = [[f"{who}-{number}" for number in range(1000)] for who in range(3)]
    first = await run(tmp_path, every, kill_after=blow)
    assert len(first) >= blow
    written = causes(tmp_path)
    assert all(written[seq - 1] == msg_id for msg_id, seq in first.items())
    acknowledged = [[one for one in share if one in first] for share in every]
    again = await run(tmp_path, acknowledged, kill_after=len(first))
    assert again == first
    assert [one for one in causes(tmp_path) if one in first] == sorted(first, key=lambda one: first[one])


async def run(folder: Path, shares: list[list[str]], *, kill_after: int) -> dict[str, int]:
    """Start a server, let three clients send their shares of the marks, so many at once; it is killed after so many
    acknowledgements. The numbers of all that were acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.live_process", str(folder), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        said = json.loads(await process.stdout.readline())
        crowd = Crowd(f"http://127.0.0.1:{said['port']}/ws/live", kill_after)
        async with ClientSession() as http:
            given = zip(said["tokens"], shares, strict=True)
            clients = [asyncio.create_task(crowd.client(http, token, share)) for token, share in given]
            async with asyncio.timeout(30):
                await crowd.enough.wait()
            process.kill()
            for result in await asyncio.gather(*clients, return_exceptions=True):
                assert result is None or isinstance(result, ClientError | OSError), result
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return crowd.acknowledged


class Crowd:
    """Clients that send TOGETHER commands at once, and the next ones when these are acknowledged."""

    def __init__(self, url: str, wanted: int) -> None:
        self.acknowledged: dict[str, int] = {}
        self.enough = asyncio.Event()
        self._url = url
        self._wanted = wanted
        self._live = asyncio.Event()

    async def client(self, http: ClientSession, token: str, share: list[str]) -> None:
        async with http.ws_connect(self._url, protocols=[MSGPACK.subprotocol]) as socket:
            await socket.send_bytes(msgspec.msgpack.encode(Hello(token=token, device=token[-8:])))
            await socket.send_bytes(msgspec.msgpack.encode(StartLesson(msg_id="start")))
            sent, answered = 0, 0
            async for data in socket:
                message = msgspec.msgpack.decode(data.data, type=ServerMessage)
                if isinstance(message, Welcome) and message.snapshot.state == "live":
                    self._live.set()
                if isinstance(message, Event) and isinstance(message.event, SessionLive):
                    self._live.set()
                if not isinstance(message, Ack | Refused):
                    continue
                if message.msg_id == "start":
                    await self._live.wait()
                else:
                    assert isinstance(message, Ack)
                    answered += 1
                    self.acknowledged[message.msg_id] = message.seq
                if len(self.acknowledged) >= self._wanted:
                    self.enough.set()
                if answered == sent:
                    batch = share[sent : sent + TOGETHER]
                    sent += len(batch)
                    for one in batch:
                        await socket.send_bytes(msgspec.msgpack.encode(Mark(msg_id=one)))


def causes(folder: Path) -> list[str | None]:
    """The message id behind each event, as it is on the disk; no number is missing and none comes twice."""
    found = read_journal(folder / "journals" / "s1.journal")
    records = [record for _, record in found.records if record is not None]
    assert found.damage == ()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    return [record.event["cause"][1] if "cause" in record.event else None for record in records]
