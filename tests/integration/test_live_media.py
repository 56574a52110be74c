"""Sound and picture in a live session: negotiated on the socket, muted by the room, recorded from the start, and
published and watched by programs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from signaling.commands import CallOn, EndLesson, Publish, StartLesson, Subscribe, Switch
from signaling.events import LineMeasured, RecordingChanged
from signaling.media.hub import Answer
from signaling.messages import Ack, Event, Links, MediaAnswer, Tracks
from signaling.room_state import Link
from tests.fault_proxy import media_only, udp_proxy
from tests.live_lessons import HOST_UNIT, MEMBERS, classroom, plan, researcher, teacher
from tests.live_server import LiveServer, Panel
from tests.media_clients import Client, Picture, Tone, Watcher, clients, until

PLAN = plan()
HOST = teacher(HOST_UNIT)
YANLI, GULONG = (classroom(unit) for unit in MEMBERS[:2])


@pytest.fixture
async def server(server: LiveServer) -> LiveServer:
    await server.service.open(PLAN)
    return server


@contextlib.asynccontextmanager
async def peers(server: LiveServer, *names: str) -> AsyncIterator[list[Client]]:
    async with clients(server.hub, "s1", *names) as found:
        yield found


async def publish(panel: Panel, client: Client, **sources: Any) -> MediaAnswer:
    """Publish by the socket what the client's peer connection offers."""
    for track in sources.values():
        client.pc.addTransceiver(track, "sendonly")
    offer = await client.offer()
    mids = [str(transceiver.mid) for transceiver in client.pc.getTransceivers()]
    answer = await panel.ask(Publish, sdp=offer, sources=dict(zip(mids, sources, strict=True)))
    assert isinstance(answer, MediaAnswer)
    await client.take(Answer("", answer.sdp, ""))
    return answer


async def subscribe(panel: Panel, client: Client, *tracks: tuple[str, str]) -> MediaAnswer:
    """Receive tracks, given as (kind, id), by the socket."""
    for kind, _ in tracks:
        client.receive(kind)
    offer = await client.offer()
    mids = [str(transceiver.mid) for transceiver in client.pc.getTransceivers()]
    slots = {mid: track for mid, (_, track) in zip(mids, tracks, strict=True)}
    answer = await panel.ask(Subscribe, sdp=offer, slots=slots)
    assert isinstance(answer, MediaAnswer)
    await client.take(Answer("", answer.sdp, "", slots=answer.slots))
    watch(client, mids)
    return answer


def watch(client: Client, mids: list[str]) -> None:
    for mid, transceiver in zip(mids, client.pc.getTransceivers(), strict=True):
        client.watchers[mid] = Watcher(transceiver.receiver.track)


async def tracks_of(panel: Panel, participant: str, count: int) -> dict[str, str]:
    """Source to track id, once `participant` publishes `count` tracks."""

    def found() -> dict[str, str]:
        told = [message for message in panel.told if isinstance(message, Tracks)]
        known = told[-1].tracks if told else panel.welcome.tracks
        return {track.source: track.id for track in known if track.participant == participant}

    await until(lambda: len(found()) == count)
    return found()


async def test_host_and_classroom_see_and_hear_each_other(server: LiveServer) -> None:
    host, room = await server.join(HOST, PLAN), await server.join(YANLI, PLAN)
    host_id, room_id = host.welcome.participant, room.welcome.participant
    async with peers(server, host_id, host_id, room_id, room_id) as (host_up, host_down, room_up, room_down):
        await publish(host, host_up, mic=Tone(), teacher=Picture())
        await publish(room, room_up, mic=Tone(), pupils=Picture())
        from_host = await tracks_of(room, host_id, 2)
        from_room = await tracks_of(host, room_id, 2)
        assert (set(from_host), set(from_room)) == ({"mic", "teacher"}, {"mic", "pupils"})
        await subscribe(room, room_down, ("audio", from_host["mic"]), ("video", from_host["teacher"]))
        await subscribe(host, host_down, ("audio", from_room["mic"]), ("video", from_room["pupils"]))
        await until(lambda: room_down.watcher(0).frames > 5 and room_down.watcher(1).frames > 5)
        await until(lambda: host_down.watcher(1).frames > 5)
        assert host_down.watcher(0).frames == 0  # nobody has called on the room
        await host.ask(StartLesson)
        await host.ask(CallOn, participant=room_id)
        await until(lambda: host_down.watcher(0).frames > 5)


async def test_reloaded_page_publishes_again_and_the_others_hear_of_it(server: LiveServer) -> None:
    host, room = await server.join(HOST, PLAN), await server.join(YANLI, PLAN)
    host_id = host.welcome.participant
    async with peers(server, host_id, host_id) as (before, after):
        await publish(host, before, mic=Tone())
        first = await tracks_of(room, host_id, 1)
        again = await server.join(HOST, PLAN, device="reloaded")
        await publish(again, after, mic=Tone())
        await until(lambda: [track.id for track in server.hub.tracks("s1")] not in ([], [first["mic"]]))
        assert await tracks_of(room, host_id, 1) == {"mic": server.hub.tracks("s1")[0].id}


async def _holds(notes: list[tuple[str, ...]], since: int, wanted: set[tuple[str, ...]]) -> None:
    await until(lambda: wanted <= set(notes[since:]))


async def test_page_that_publishes_twice_is_one_publisher(server: LiveServer) -> None:
    """It comes back while its old connection still sends: the newer takes over at once, here and in the recording."""
    host, room = await server.join(HOST, PLAN), await server.join(YANLI, PLAN)
    host_id = host.welcome.participant
    async with peers(server, host_id, host_id, host_id) as connections:
        await host.ask(StartLesson)
        attached: set[tuple[str, ...]] = {("attach", host_id, "mic"), ("attach", host_id, "teacher")}
        for up in connections:
            before = len(server.recording.notes)
            await publish(host, up, mic=Tone(), teacher=Picture())
            await _holds(server.recording.notes, before, attached)
            assert sorted(track.source for track in server.hub.tracks("s1")) == ["mic", "teacher"]
        for told in (message for message in room.told if isinstance(message, Tracks)):
            assert len({(track.participant, track.source) for track in told.tracks}) == len(told.tracks)
    recorded: set[str] = set()
    for note, *rest in server.recording.notes:
        if note == "attach":
            assert rest[-1] not in recorded  # the old piece has ended before the new one begins
            recorded.add(rest[-1])
        elif note == "detach":
            recorded.discard(rest[-1])


async def test_switch_shows_another_track_in_the_same_slot(server: LiveServer) -> None:
    host, room = await server.join(HOST, PLAN), await server.join(YANLI, PLAN)
    host_id = host.welcome.participant
    async with peers(server, host_id, room.welcome.participant) as (up, down):
        await publish(host, up, teacher=Picture(level=60), pupils=Picture(level=200))
        tracks = await tracks_of(room, host_id, 2)
        await subscribe(room, down, ("video", tracks["teacher"]))
        await until(lambda: down.watcher().levels and abs(down.watcher().levels[-1] - 60) < 20)
        assert isinstance(await room.ask(Switch, mid=down.mid(0), track=tracks["pupils"]), Ack)
        await until(lambda: abs(down.watcher().levels[-1] - 200) < 20)
        assert await room.refusal(Switch, mid=down.mid(0), track="nothing") == ("unknown_track", {})


async def test_bad_offer_and_wrong_role_are_refused(server: LiveServer) -> None:
    observer, room = await server.join(researcher(), PLAN), await server.join(YANLI, PLAN)
    assert await room.refusal(Publish, sdp="nonsense") == ("bad_offer", {})
    assert await observer.refusal(Publish, sdp="v=0") == ("role_may_not", {"role": "observer"})


async def test_media_outlives_a_torn_socket(server: LiveServer) -> None:
    host, room = await server.join(HOST, PLAN), await server.join(YANLI, PLAN)
    host_id = host.welcome.participant
    async with peers(server, host_id, room.welcome.participant) as (up, down):
        await publish(host, up, mic=Tone())
        tracks = await tracks_of(room, host_id, 1)
        await subscribe(room, down, ("audio", tracks["mic"]))
        await until(lambda: down.watcher().frames > 5)
        host.cut()
        await until(lambda: server.room().participants[host_id].presence == "reconnecting")
        heard = down.watcher().frames
        await until(lambda: down.watcher().frames > heard + 20)
        server.pass_time(60)
        await until(lambda: not server.hub.tracks("s1"))


async def test_links_tell_who_is_heard(server: LiveServer) -> None:
    host = await server.join(HOST, PLAN)
    host_id = host.welcome.participant
    async with peers(server, host_id) as (up,):
        await publish(host, up, mic=Tone())
        await up.connected()

        def link() -> Link | None:
            server.pass_time(0.5)
            told = [message.links[host_id] for message in host.told if isinstance(message, Links) and message.links]
            return next((link for link in told if link.speaking), None)

        found = await until(link)
        assert (found.state, found.level < 60) == ("connected", True)


async def test_recording_is_attached_when_live_and_detached_with_its_track(server: LiveServer) -> None:
    host = await server.join(HOST, PLAN)
    host_id = host.welcome.participant
    async with peers(server, host_id) as (up,):
        await publish(host, up, mic=Tone(), teacher=Picture())
        await up.connected()
        await host.ask(StartLesson)
        await host.hears(RecordingChanged(participant=host_id, state="recording"))
        attached = {("attach", host_id, "mic"), ("attach", host_id, "teacher")}
        await until(lambda: len(server.recording.notes) == 3)
        assert (server.recording.notes[0], set(server.recording.notes[1:])) == (("start", "s1"), attached)
        server.recording.on_state("s1", host_id, "paused")
        await host.hears(RecordingChanged(participant=host_id, state="paused"))
        server.hub.drop("s1", host_id)
        await host.hears(RecordingChanged(participant=host_id, state="off"))
        await host.ask(EndLesson)
        await until(lambda: not server.service.sessions)
        assert ("stop", "s1", "ended") in server.recording.notes
        assert server.hub.tracks("s1") == []


# programs


class Program:
    """A WHIP or WHEP client: one POST, one DELETE."""

    def __init__(self, server: LiveServer, http: ClientSession, token: str) -> None:
        self.server, self.http = server, http
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        self.location = ""

    async def post(self, path: str, offer: str) -> Answer:
        async with self.http.post(self.server.web.make_url(path), data=offer, headers=self.headers) as response:
            assert response.status == 201, await response.text()
            assert response.headers["Content-Type"] == "application/sdp"
            self.location = response.headers["Location"]
            return Answer("", await response.text(), response.headers["ETag"])

    async def status(self, method: str, path: str, **options: Any) -> int:
        headers = self.headers | options.pop("headers", {})
        async with self.http.request(method, self.server.web.make_url(path), headers=headers, **options) as response:
            return response.status


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def test_encoder_publishes_and_a_player_watches(server: LiveServer, http: ClientSession) -> None:
    host = await server.join(HOST, PLAN)
    encoder = Program(server, http, server.service.admission.invite_encoder(PLAN, 3600.0)[0])
    player = Program(server, http, server.service.admission.invite_player(PLAN, 3600.0)[0])
    async with peers(server, "encoder", "player") as (up, down):
        down.receive("audio")
        down.receive("video")
        await down.take(await player.post("/whep/music-1.1", await down.offer()))
        watch(down, ["0", "1"])
        up.pc.addTransceiver(Tone(), "sendonly")
        up.pc.addTransceiver(Picture(), "sendonly")
        await up.take(await encoder.post("/whip/s1", await up.offer()))
        await until(lambda: down.watchers["0"].frames > 5 and down.watchers["1"].frames > 5)
        shown = {who.role: who.hidden for who in server.room().participants.values()}
        assert shown == {"host": False, "observer": True, "encoder": False}
        assert await encoder.status("PATCH", player.location, data="") == 404
        assert await encoder.status("DELETE", player.location) == 404
        assert await encoder.status("DELETE", encoder.location) == 200
        await until(lambda: server.room().participants["encoder.core"].presence == "offline")
        assert await player.status("DELETE", player.location) == 200
        await until(lambda: set(server.room().participants) == {host.welcome.participant, "encoder.core"})


async def test_program_that_vanishes_leaves(server: LiveServer, http: ClientSession) -> None:
    encoder = Program(server, http, server.service.admission.invite_encoder(PLAN, 3600.0)[0])
    async with peers(server, "encoder") as (up,):
        up.pc.addTransceiver(Tone(), "sendonly")
        await up.take(await encoder.post("/whip/s1", await up.offer()))
        await up.connected()
        server.hub.drop("s1", "encoder.core")
        await until(lambda: server.pass_time(0.25) or server.room().participants["encoder.core"].presence == "offline")


@pytest.mark.parametrize("token", ["", "x", "live"])
async def test_program_without_its_token_is_refused(server: LiveServer, http: ClientSession, token: str) -> None:
    held = server.service.admission.invite(HOST, PLAN)[0] if token == "live" else token
    program = Program(server, http, held)
    assert await program.status("POST", "/whip/s1", data="v=0") == 401
    assert await program.status("POST", "/whep/s1", data="v=0") == 401


async def test_player_may_not_publish_and_bad_offers_leave_nobody(server: LiveServer, http: ClientSession) -> None:
    player = Program(server, http, server.service.admission.invite_player(PLAN, 3600.0)[0])
    assert await player.status("POST", "/whip/s1", data="v=0") == 403
    assert await player.status("POST", "/whep/s1", data="v=0") == 400
    assert await player.status("POST", "/whep/other", data="v=0") == 404
    server.pass_time(0.25)
    assert server.room().participants == {}


async def test_report_of_the_lines_tells_the_loss_that_there_was(server: LiveServer) -> None:
    """A tenth is lost on the host's way up and on the room's way down, and each way takes 40 ms more."""
    host, room = await server.join(HOST, PLAN), await server.join(YANLI, PLAN)
    host_id, room_id = host.welcome.participant, room.welcome.participant
    async with (
        peers(server, host_id, room_id) as (host_up, room_down),
        udp_proxy(server.hub.address) as up,
        udp_proxy(server.hub.address) as down,
    ):
        host_up.reroute, room_down.reroute = up.reroute, down.reroute
        for line in (up, down):  # from the first on: round trips are measured every few seconds, and smoothed
            line.up.delay = line.down.delay = 0.02
        await publish(host, host_up, mic=Tone(), teacher=Picture())
        sent = await tracks_of(room, host_id, 2)
        await subscribe(room, room_down, ("audio", sent["mic"]), ("video", sent["teacher"]))
        await until(lambda: room_down.watcher(1).frames > 5)
        for lossy in (up.up, down.down):
            lossy.hits, lossy.loss = media_only, 0.1
        await until(lambda: (server.hub.links("s1")[host_id].publish_rtt or 0.0) > 0.03)
        await until(lambda: (server.hub.links("s1")[room_id].subscribe_rtt or 0.0) > 0.03)
        await until(lambda: server.hub.links("s1")[host_id].publish_loss > 0.03)
        await until(lambda: server.hub.links("s1")[room_id].subscribe_loss > 0.03)
        await host.ask(StartLesson)
        before = up.up.lost, down.down.lost
        await until(
            lambda: server.pass_time(0.1) or (up.up.lost > before[0] + 30 and down.down.lost > before[1] + 30), 40
        )
        await host.ask(EndLesson)
        measured = {
            found.participant: found
            for message in host.told
            if isinstance(message, Event) and isinstance(found := message.event, LineMeasured)
        }
        for who in (host_id, room_id):
            assert 0.05 < measured[who].loss < 0.2
            assert measured[who].loss <= measured[who].worst_loss < 0.5
            assert 30 <= measured[who].rtt_ms < 300
            assert measured[who].weak > 0.5
