"""Pages that turn in all rooms at once, over real sockets: what the server says of the instant."""

from __future__ import annotations

import pytest

from signaling.clock import MARGIN, AskTime, TimeTold
from signaling.events import Reconnecting
from signaling.frames import JSON, MSGPACK, Encoding
from signaling.materials import BLANK, MaterialOpened, OpenMaterial, PageTurned, TurnPage
from signaling.messages import Refused
from tests.live_lessons import HOST_UNIT, MEMBERS, classroom, plan, researcher, teacher
from tests.live_server import LiveServer, Panel

PLAN = plan()


@pytest.fixture
async def server(server: LiveServer) -> LiveServer:
    await server.service.open(PLAN)
    return server


async def tell(panel: Panel, behind: float | None) -> TimeTold:
    """The server's answer to a page that says how late it hears of things."""
    before = len(panel.told)
    await panel.send(AskTime(sent=12.5, behind=behind))
    return await panel.expect(TimeTold, before)


@pytest.mark.parametrize("encoding", [MSGPACK, JSON], ids=["msgpack", "json"])
async def test_a_turn_waits_as_long_as_the_slowest_room_needs(server: LiveServer, encoding: Encoding) -> None:
    host = await server.join(teacher(HOST_UNIT), PLAN, encoding=encoding)
    rooms = [await server.join(classroom(unit), PLAN, encoding=encoding) for unit in MEMBERS]
    watcher = await server.join(researcher(), PLAN, "observer")
    server.clock.now += 3.0
    assert await tell(rooms[0], None) == TimeTold(sent=12.5, server_time=server.clock.now)

    # nobody knows yet how late the rooms are
    await host.ask(OpenMaterial, version=BLANK.version)
    await rooms[0].hears(MaterialOpened(by="host.p-t-host", page=1, material=BLANK))

    for room, behind in zip(rooms, (0.02, 0.21, 7.0), strict=True):
        await tell(room, behind)
    await tell(watcher, 0.3)
    await tell(host, 0.3)
    await host.ask(TurnPage, version=BLANK.version, page=2)
    for panel in (*rooms, host, watcher):
        await panel.hears(PageTurned(by="host.p-t-host", page=2, lead=0.21 + MARGIN))

    # whoever is away is not waited for
    rooms[1].cut()
    await host.hears(Reconnecting(participant="room-gulong", until=server.clock.now + 60))
    await host.ask(TurnPage, version=BLANK.version, page=3)
    await rooms[0].hears(PageTurned(by="host.p-t-host", page=3, lead=0.02 + MARGIN))


async def test_a_delay_that_cannot_be_is_refused(server: LiveServer) -> None:
    panel = await server.join(classroom("yanli"), PLAN)
    await panel.send(AskTime(sent=1.0, behind=-1.0))
    assert (await panel.expect(Refused)).code == "malformed_message"
    assert await tell(panel, 0.1) == TimeTold(sent=12.5, server_time=server.clock.now)
