"""What classrooms are not told: nobody on a panel's wire learns who watches."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from server.auth.principal import Principal
from server.shapes.people import Grant
from signaling.commands import Leave, StartLesson
from signaling.events import Joined, Left, Reconnecting, Returned, SessionLive, Withheld
from signaling.frames import JSON, MSGPACK, Encoding
from signaling.messages import Event, Resumed
from tests.live_lessons import HOST_UNIT, MEMBERS, classroom, plan, researcher, teacher
from tests.live_server import LiveServer, Panel
from tests.media_clients import until

PLAN = plan()
WATCHER = replace(researcher(), id="p-seen-by-nobody", name="看课的人")
PATROL = Principal(kind="person", id="p-on-patrol", name="巡课的人", unit=None, grants=(Grant(role="bureau_viewer"),))
SECRETS = tuple(word for who in (WATCHER, PATROL) for word in (who.id, who.name))


def betrayed(panel: Panel) -> list[str]:
    """The words about the watchers that came to this panel."""
    return [word for word in SECRETS if word.encode() in panel.bytes]


@pytest.fixture
async def server(server: LiveServer) -> LiveServer:
    await server.service.open(PLAN)
    return server


@pytest.mark.parametrize("encoding", [MSGPACK, JSON], ids=["msgpack", "json"])
async def test_no_byte_on_a_panel_s_wire_tells_who_watches(server: LiveServer, encoding: Encoding) -> None:
    yanli, gulong, dongye = (classroom(unit) for unit in MEMBERS)
    host = await server.join(teacher(HOST_UNIT), PLAN)
    early = await server.join(yanli, PLAN, encoding=encoding)
    away = await server.join(dongye, PLAN, encoding=encoding)
    seen = away.seen
    away.cut()
    watcher = await server.join(WATCHER, PLAN, "observer")
    patrol = await server.join(PATROL, PLAN, "patrol")
    # one comes while they are there, one comes back and is told what it missed
    late = await server.join(gulong, PLAN, encoding=encoding)
    back = await server.connect(dongye, PLAN, encoding=encoding, seen=seen)
    await back.expect(Resumed)
    watcher.cut()
    await host.hears(Reconnecting(participant="observer.p-seen-by-nobody", until=server.clock.now + 60, hidden=True))
    watcher = await server.join(WATCHER, PLAN, "observer")
    await host.hears(Returned(participant="observer.p-seen-by-nobody", hidden=True))
    await watcher.ask(Leave)
    await host.hears(Left(participant="observer.p-seen-by-nobody", reason="left", hidden=True))
    await patrol.ask(Leave)
    await host.hears(Left(participant="patrol.p-on-patrol", reason="left", hidden=True))
    await host.ask(StartLesson)
    for panel in (early, late, back):
        await panel.hears(SessionLive(by="host.p-t-host"))
        assert betrayed(panel) == []
        assert Withheld() in panel.events
        numbers = [message.seq for message in panel.told if isinstance(message, Event)]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {"看课的人", "巡课的人"} <= {event.name for event in host.events if isinstance(event, Joined)}
    assert betrayed(host) != []


async def test_whoever_patrols_is_there_for_itself_alone(server: LiveServer) -> None:
    watcher = await server.join(WATCHER, PLAN, "observer")
    patrol = await server.join(PATROL, PLAN, "patrol")
    assert [who.id for who in patrol.welcome.snapshot.participants] == ["patrol.p-on-patrol"]
    await until(lambda: any(isinstance(event, Joined) and event.role == "patrol" for event in watcher.events))
    assert "p-seen-by-nobody" not in patrol.bytes.decode("latin1")
