"""A lesson over real sockets: joining, commands, resuming, trouble, and a server that is killed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError
from msgspec.structs import replace

from server.journals import FileJournals
from server.sockets import live as live_socket
from signaling.commands import CallOn, EndLesson, Hello, Leave, LinkReport, Mute, RaiseHand, Spotlight, StartLesson
from signaling.errors import NotInLesson, SessionNotOpen, SessionOver
from signaling.events import (
    CalledOn,
    HandRaised,
    Joined,
    Left,
    Reconnecting,
    Returned,
    ReviewOpened,
    SessionEnded,
    SessionLive,
    SessionOverrun,
)
from signaling.frames import JSON
from signaling.messages import Ack, Closing, Event, Refused, Resumed, Welcome
from signaling.service import RETURN_SPACING
from tests.live_lessons import HOST_UNIT, MEMBERS, classroom, plan, researcher, teacher
from tests.live_server import LiveServer, Panel
from tests.media_clients import until

PLAN = plan()
HOST = teacher(HOST_UNIT)
YANLI, GULONG, DONGYE = (classroom(unit) for unit in MEMBERS)


@pytest.fixture
async def opened(server: LiveServer) -> LiveServer:
    await server.service.open(PLAN)
    return server


class Taught:
    """A live lesson with its host and two classrooms."""

    def __init__(self, server: LiveServer, host: Panel, yanli: Panel, gulong: Panel) -> None:
        self.server, self.host, self.yanli, self.gulong = server, host, yanli, gulong


@pytest.fixture
async def taught(opened: LiveServer) -> Taught:
    panels = [await opened.join(asker, PLAN) for asker in (HOST, YANLI, GULONG)]
    answer = await panels[0].ask(StartLesson)
    assert isinstance(answer, Ack)
    return Taught(opened, *panels)


def journal_of(tmp_path: Path, session: str = "s1") -> list[dict[str, Any]]:
    from recordings.journal import read_journal

    found = read_journal(FileJournals(tmp_path / "journals").path(f"{session}.journal"))
    return [record.event for _, record in found.records if record is not None]


# coming in


async def test_everybody_is_welcomed_with_the_whole_room(opened: LiveServer) -> None:
    await opened.join(HOST, PLAN)
    panel = await opened.join(YANLI, PLAN)
    assert (panel.welcome.participant, panel.welcome.role) == ("room-yanli", "endpoint")
    snapshot = panel.welcome.snapshot
    assert (snapshot.session, snapshot.state) == ("s1", "open")
    assert [who.id for who in snapshot.participants] == ["host.p-t-host", "room-yanli"]


async def test_others_hear_of_a_newcomer(opened: LiveServer) -> None:
    host = await opened.join(HOST, PLAN)
    await opened.join(YANLI, PLAN)
    await until(lambda: any(isinstance(e, Joined) and e.participant == "room-yanli" for e in host.events))


async def test_json_tells_the_same(opened: LiveServer) -> None:
    binary = await opened.join(HOST, PLAN)
    text = await opened.join(YANLI, PLAN, encoding=JSON)
    assert isinstance(await binary.ask(StartLesson), Ack)
    live = SessionLive(by="host.p-t-host")
    await binary.hears(live)
    await text.hears(live)
    assert isinstance(await text.ask(RaiseHand, seat=1), Ack)


async def test_observer_is_hidden_and_commands_nothing(opened: LiveServer) -> None:
    observer = await opened.join(researcher(), PLAN)
    assert [who.hidden for who in observer.welcome.snapshot.participants] == [True]
    assert await observer.refusal(RaiseHand) == ("role_may_not", {"role": "observer"})


async def test_strangers_get_no_token(opened: LiveServer) -> None:
    with pytest.raises(NotInLesson):
        opened.service.admission.invite(classroom("elsewhere"), PLAN)
    with pytest.raises(NotInLesson):
        opened.service.admission.invite(YANLI, PLAN, "host")


async def test_a_session_opens_a_quarter_of_an_hour_before_the_lesson(server: LiveServer) -> None:
    later = plan("s2", starts=server.clock.now + 901)
    with pytest.raises(SessionNotOpen):
        await server.service.open(later)
    server.clock.now += 1
    session = await server.service.open(later)
    assert session.room.state == "open"


@pytest.mark.parametrize(
    ("break_token", "code"),
    [
        (lambda token: token[:-4] + "AAAA", "token_invalid"),
        (lambda token: "", "token_invalid"),
    ],
)
async def test_bad_token_is_turned_away(opened: LiveServer, break_token: Any, code: str) -> None:
    token, _ = opened.service.admission.invite(YANLI, PLAN)
    panel = await opened.dial()
    await panel.send(Hello(token=break_token(token), device="d"))
    assert await panel.expect(Refused) == Refused(msg_id="", code=code)
    assert (await panel.closed(), panel.socket.close_code) == ("unauthorized", 4401)


async def test_old_token_is_turned_away(opened: LiveServer) -> None:
    token, _ = opened.service.admission.invite(YANLI, PLAN)
    opened.clock.now += 301
    panel = await opened.connect(YANLI, PLAN, token=token)
    assert (await panel.expect(Refused)).code == "token_expired"


async def test_token_lets_one_device_in(opened: LiveServer) -> None:
    token, _ = opened.service.admission.invite(YANLI, PLAN)
    first = await opened.connect(YANLI, PLAN, token=token, device="panel")
    await first.expect(Welcome)
    thief = await opened.connect(YANLI, PLAN, token=token, device="other")
    assert (await thief.expect(Refused)).code == "token_used"
    again = await opened.connect(YANLI, PLAN, token=token, device="panel")
    await again.expect(Welcome)


async def test_foreign_origin_is_refused(opened: LiveServer) -> None:
    with pytest.raises(WSServerHandshakeError) as caught:
        await opened.dial(headers={"Origin": "http://evil.test"})
    assert caught.value.status == 403


async def test_unknown_subprotocol_is_refused(opened: LiveServer) -> None:
    with pytest.raises(WSServerHandshakeError) as caught:
        await opened.dial(protocols=["something.else"])
    assert caught.value.status == 400


async def test_socket_that_says_nothing_is_closed(opened: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_socket, "HELLO_SECONDS", 0.05)
    panel = await opened.dial()
    assert (await panel.expect(Refused)).code == "hello_missing"
    assert await panel.closed() == "unauthorized"


async def test_first_message_must_be_hello(opened: LiveServer) -> None:
    panel = await opened.dial()
    await panel.send(RaiseHand(msg_id="1"))
    assert (await panel.expect(Refused)).code == "hello_missing"


# commands


async def test_a_command_is_acknowledged_after_its_events(taught: Taught) -> None:
    ack = await taught.yanli.ask(RaiseHand, seat=7)
    assert isinstance(ack, Ack)
    told = [m for m in taught.yanli.told if isinstance(m, Event | Ack)][-2:]
    assert isinstance(told[0], Event)
    assert isinstance(told[0].event, HandRaised)
    assert told[1] == replace(ack, seq=told[0].seq)
    await until(lambda: told[0].event in taught.host.events)


async def test_a_repeated_command_is_answered_alike_and_done_once(taught: Taught) -> None:
    first = await taught.yanli.ask(RaiseHand, seat=7, msg_id="same")
    await taught.host.ask(CallOn, participant="room-yanli")
    assert await taught.yanli.ask(RaiseHand, seat=7, msg_id="same") == first
    assert taught.server.room().participants["room-yanli"].hands == ()


async def test_everybody_gets_every_event_in_the_same_order(taught: Taught) -> None:
    for number in range(10):
        await asyncio.gather(
            taught.yanli.ask(RaiseHand, seat=number + 1),
            taught.gulong.ask(RaiseHand, seat=number + 1),
            taught.host.ask(CallOn, participant="room-yanli" if number % 2 else "room-gulong"),
        )
    last = max(panel.seen for panel in (taught.host, taught.yanli, taught.gulong))
    await until(lambda: all(p.seen == last for p in (taught.host, taught.yanli, taught.gulong)))
    runs = [[m for m in p.told if isinstance(m, Event)] for p in (taught.host, taught.yanli, taught.gulong)]
    for run in runs:
        assert run == runs[0][-len(run) :]
        assert [m.seq for m in run] == list(range(run[0].seq, run[-1].seq + 1))


async def test_malformed_messages_stay_between_the_two(taught: Taught) -> None:
    for garbage in (b"", b"\xc1", b"\x80", b"\x91" * 1000, b"\x81\xa1t\xa5hello"):
        await taught.yanli.send_bytes(garbage)
    await until(lambda: [m.code for m in taught.yanli.told if isinstance(m, Refused)] == ["malformed_message"] * 5)
    assert isinstance(await taught.yanli.ask(RaiseHand), Ack)
    for _ in range(5):
        await taught.yanli.send_bytes(b"\xc1")
    assert await taught.yanli.closed() == "malformed"
    assert isinstance(await taught.host.ask(CallOn, participant="room-gulong"), Ack)


async def test_oversized_message_closes_its_socket_only(taught: Taught) -> None:
    await taught.yanli.send_bytes(b"x" * 70_000)
    await until(lambda: taught.yanli.socket.closed)
    assert taught.yanli.socket.close_code == 1009
    assert isinstance(await taught.host.ask(CallOn, participant="room-gulong"), Ack)


async def test_flood_is_refused_then_closed(taught: Taught) -> None:
    for _ in range(300):
        await taught.yanli.send(LinkReport())
    assert await taught.yanli.closed() == "flood"
    assert isinstance(await taught.host.ask(Mute, muted=True), Ack)


async def test_second_hello_is_refused(taught: Taught) -> None:
    await taught.yanli.send(Hello(token="x", device="d"))
    assert (await taught.yanli.expect(Refused)).code == "already_joined"


# going and coming back


async def test_torn_line_keeps_the_place_and_resumes_with_what_was_missed(taught: Taught) -> None:
    seen = taught.yanli.seen
    taught.yanli.cut()
    await until(lambda: any(isinstance(e, Reconnecting) for e in taught.host.events))
    assert taught.server.room().participants["room-yanli"].presence == "reconnecting"
    await taught.host.ask(CallOn, participant="room-gulong")
    taught.server.pass_time(59)
    back = await taught.server.connect(YANLI, PLAN, seen=seen)
    resumed = await back.expect(Resumed)
    await back.hears(Returned(participant="room-yanli"))
    missed = [m for m in back.told if isinstance(m, Event)]
    assert [m.seq for m in missed] == list(range(seen[1] + 1, resumed.seq + 1))
    assert CalledOn(participant="room-gulong", turn=1) in back.events
    assert len(taught.server.room().participants) == 3


async def test_resuming_with_everything_seen_brings_the_return_alone(taught: Taught) -> None:
    seen = taught.yanli.seen
    taught.yanli.cut()
    await until(lambda: any(isinstance(e, Reconnecting) for e in taught.host.events))
    back = await taught.server.connect(YANLI, PLAN, seen=seen)
    await back.expect(Resumed)
    await until(lambda: back.events == [taught.host.events[-2], Returned(participant="room-yanli")])


async def test_new_socket_replaces_the_old_one_and_its_late_end_removes_nobody(taught: Taught) -> None:
    back = await taught.server.join(YANLI, PLAN, device="another")
    assert await taught.yanli.closed() == "replaced"
    assert taught.yanli.socket.close_code == 4409
    assert taught.server.room().participants["room-yanli"].presence == "connected"
    assert not any(isinstance(e, Reconnecting | Left) for e in taught.host.events)
    assert isinstance(await back.ask(RaiseHand), Ack)


async def test_place_is_given_up_after_a_minute(taught: Taught) -> None:
    taught.yanli.cut()
    await until(lambda: taught.server.room().participants["room-yanli"].presence == "reconnecting")
    taught.server.pass_time(60)
    await taught.host.hears(Left(participant="room-yanli", reason="lost"))
    assert taught.server.room().participants["room-yanli"].presence == "offline"


async def test_leaving_is_acknowledged_and_closes_the_socket(taught: Taught) -> None:
    assert isinstance(await taught.yanli.ask(Leave), Ack)
    assert await taught.yanli.closed() == "left"
    await taught.host.hears(Left(participant="room-yanli", reason="left"))
    assert not any(isinstance(e, Reconnecting) for e in taught.host.events)


async def test_client_ahead_of_the_server_gets_a_snapshot(opened: LiveServer) -> None:
    panel = await opened.connect(YANLI, PLAN, seen=(1, 999))
    await panel.expect(Welcome)


# the end


async def test_end_opens_the_review_and_lets_everybody_go(taught: Taught) -> None:
    assert isinstance(await taught.host.ask(EndLesson), Ack)
    for panel in (taught.host, taught.yanli):
        assert await panel.closed() == "ended"
        assert panel.events[-2:] == [
            SessionEnded(reason="host", by="host.p-t-host"),
            ReviewOpened(review="review-s1"),
        ]
    await until(lambda: not taught.server.service.sessions)
    record = await taught.server.store.get("s1")
    assert record is not None
    assert (record.state, record.review, record.ended_at) == ("ended", "review-s1", taught.server.clock.now)
    assert taught.server.recording.notes == [("start", "s1"), ("stop", "s1", "ended")]
    with pytest.raises(SessionOver):
        await taught.server.service.open(PLAN)


async def test_who_comes_while_it_ends_is_turned_away(taught: Taught) -> None:
    taught.server.recording.stopping.clear()
    await taught.host.ask(EndLesson)
    late = await taught.server.connect(DONGYE, PLAN)
    assert (await late.expect(Refused)).code == "session_over"
    assert await late.closed() == "ended"
    taught.server.recording.stopping.set()


async def test_store_follows_the_state(taught: Taught) -> None:
    await taught.server.state_becomes("live")
    taught.server.pass_time(2400)
    await taught.host.hears(SessionOverrun(ends_in=600.0))
    await taught.server.state_becomes("overrun")
    taught.server.pass_time(600)
    await taught.host.hears(SessionEnded(reason="time"))
    await taught.server.state_becomes("ended")


# a server that is killed


async def test_killed_server_comes_back_with_everything_acknowledged(taught: Taught, tmp_path: Path) -> None:
    await taught.yanli.ask(RaiseHand, seat=7)
    await taught.host.ask(CallOn, participant="room-gulong")
    before = taught.server.room().snapshot()
    seen = taught.yanli.seen
    await taught.server.restart()
    room = taught.server.room()
    assert (room.state, room.called) == ("live", "room-gulong")
    assert [who.turns for who in room.participants.values()] == [who.turns for who in before.participants]
    taught.server.pass_time(1)
    assert {who.presence for who in room.participants.values()} == {"reconnecting"}
    back = await taught.server.connect(YANLI, PLAN, seen=seen)
    welcome = await back.expect(Welcome)
    assert welcome.epoch > seen[0]
    assert welcome.seq > seen[1]
    assert [hand.seat for hand in room.participants["room-yanli"].hands] == [7]
    assert room.participants["room-yanli"].presence == "connected"
    taught.server.pass_time(60)
    assert [w.presence for w in room.participants.values()] == ["offline", "connected", "offline"]


async def test_command_repeated_after_a_kill_is_recognised(taught: Taught) -> None:
    ack = await taught.yanli.ask(RaiseHand, seat=7, msg_id="same")
    await taught.server.restart()
    back = await taught.server.join(YANLI, PLAN)
    assert await back.ask(RaiseHand, seat=7, msg_id="same") == ack
    assert len(taught.server.room().participants["room-yanli"].hands) == 1


async def test_session_killed_while_it_ends_is_ended_after_the_start(taught: Taught) -> None:
    taught.server.recording.stopping.clear()
    await taught.host.ask(EndLesson)
    await taught.server.restart()
    taught.server.recording.stopping.set()
    await until(lambda: not taught.server.service.sessions)
    record = await taught.server.store.get("s1")
    assert record is not None
    assert record.review == "review-s1"


async def test_journal_holds_every_event_once(taught: Taught, tmp_path: Path) -> None:
    await taught.host.ask(Spotlight, participant="room-yanli")
    kinds = [event["type"] for event in journal_of(tmp_path)]
    assert kinds == ["session_opened", "joined", "joined", "joined", "session_live", "spotlight_set"]


async def test_draining_server_says_so(taught: Taught) -> None:
    await taught.server.service.close()
    assert (await taught.host.closed(), taught.host.socket.close_code) == ("drain", 1012)
    rooms = [panel for panel in taught.server._panels if panel is not taught.host]
    told = [(await panel.expect(Closing)).retry_in for panel in (taught.host, *rooms)]
    assert told == [round(RETURN_SPACING * position, 3) for position in range(len(told))]
    late = await taught.server.connect(DONGYE, PLAN)
    assert await late.closed() == "drain"
