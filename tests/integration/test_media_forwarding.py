"""Media from one real peer to others through the hub, decoded at the far end."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from aiortc import RTCRtpSender
from aiortc.codecs import is_rtx
from aiortc.rtp import RtcpPsfbPacket

from signaling.media.errors import NothingAcceptable, UnknownResource, UnknownSlot, UnknownTrack
from signaling.media.hub import LinkQuality, MediaHub, TrackInfo
from signaling.media.keyframes import vp8_descriptor
from signaling.media.requests import KEYFRAME_INTERVAL
from tests.fault_proxy import media_only, udp_proxy
from tests.media_clients import (
    Client,
    Picture,
    Tone,
    Watcher,
    clients,
    loopback_candidates,
    media_hub,
    until,
)

NOWHERE = ("127.0.0.1", 0)
"""Of a proxy that is there before its server."""


class Recording:
    """A tap that keeps what it hears."""

    def __init__(self) -> None:
        self.packets: list[tuple[int, int, bool, bytes, float]] = []
        self.reports: list[tuple[int, int, float]] = []
        self.ended = 0

    def packet(self, sequence: int, timestamp: int, marker: bool, payload: bytes, arrival: float) -> None:
        self.packets.append((sequence, timestamp, marker, payload, arrival))

    def sender_report(self, ntp: int, rtp: int, arrival: float) -> None:
        self.reports.append((ntp, rtp, arrival))

    def closed(self) -> None:
        self.ended += 1


class Wire:
    """The RTP headers that reach a subscriber, before its jitter buffer, without what is sent again to repair or to try
    its line."""

    def __init__(self, client: Client) -> None:
        self.headers: dict[str, list[tuple[int, int]]] = {}
        self.payloads: dict[str, list[bytes]] = {}
        for transceiver in client.pc.getTransceivers():
            self._listen(str(transceiver.mid), transceiver.receiver)

    def _listen(self, mid: str, receiver: object) -> None:
        heard, payloads = self.headers.setdefault(mid, []), self.payloads.setdefault(mid, [])
        handle = receiver._handle_rtp_packet  # type: ignore[attr-defined]

        async def listen(packet: Any, arrival_time_ms: int) -> None:
            if not is_rtx(receiver._RTCRtpReceiver__codecs[packet.payload_type]):  # type: ignore[attr-defined]
                heard.append((packet.sequence_number, packet.timestamp))
                payloads.append(packet.payload)
            await handle(packet, arrival_time_ms=arrival_time_ms)

        receiver._handle_rtp_packet = listen  # type: ignore[attr-defined]


async def test_a_subscriber_sees_and_hears_the_publisher() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        present: list[tuple[TrackInfo, bool]] = []
        connections: list[tuple[str, str, str, bool]] = []
        hub.on_track = lambda track, there: present.append((track, there))
        hub.on_connection = lambda *change: connections.append(change)
        published = await host.publish(Tone(), Picture(100))
        assert [(track.kind, track.source) for track in published.tracks] == [("audio", "mic"), ("video", "teacher")]
        assert "H264" in published.sdp
        assert "VP8" not in published.sdp
        shown = await member.subscribe(host.track(0), host.track(1))
        assert shown.slots == {member.mid(0): host.track(0), member.mid(1): host.track(1)}
        await until(lambda: member.watcher(1).frames >= 10 and member.watcher(0).frames >= 20)
        assert abs(member.watcher(1).levels[-1] - 100) < 4
        assert sorted(track.source for track, there in present if there) == ["mic", "teacher"]
        assert set(connections) == {("lesson", "host", "publish", True), ("lesson", "member", "subscribe", True)}
        await until(lambda: hub.links("lesson")["host"].publish_bitrate > 0)
        links = hub.links("lesson")
        assert isinstance(links["host"], LinkQuality)
        assert links["host"].connected
        assert links["host"].audio_level is not None
        assert links["member"].connected
        hub.drop("lesson", "host")
        assert hub.tracks("lesson") == []
        assert [there for _, there in present] == [True, True, False, False]
        assert connections[-1] == ("lesson", "host", "publish", False)


async def test_two_videos_of_one_participant_are_two_tracks() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        await host.publish(Tone(), Picture(60), Picture(200))
        assert [track.source for track in hub.tracks("lesson")] == ["mic", "teacher", "pupils"]
        await member.subscribe(host.track(1), host.track(2))
        await until(lambda: member.watcher(0).frames >= 5 and member.watcher(1).frames >= 5)
        assert abs(member.watcher(0).levels[-1] - 60) < 4
        assert abs(member.watcher(1).levels[-1] - 200) < 4


async def test_renegotiation_adds_tracks_and_leaves_the_others_alone() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "a", "b", "host") as (a, b, host):
        await a.publish(Picture(60))
        await host.subscribe(a.track())
        await until(lambda: host.watcher().frames >= 5)
        resource, first = host.resource, next(iter(hub._subscriptions["lesson", "host"].slots.values()))
        number = first.ssrc, first.shift

        await b.publish(Tone(), Picture(200))
        answer = await host.subscribe(b.track(0), b.track(1))
        assert answer.resource == resource
        assert answer.slots == {host.mid(0): a.track(), host.mid(1): b.track(0), host.mid(2): b.track(1)}
        await until(lambda: host.watcher(2).frames >= 5 and host.watcher(1).frames >= 10)
        assert abs(host.watcher(2).levels[-1] - 200) < 4
        assert (first.ssrc, first.shift) == number
        before = host.watcher(0).frames
        await until(lambda: host.watcher(0).frames >= before + 5)

        # a publisher adds a track, too
        c = a.pc.addTransceiver(Picture(120), "sendonly")
        again = await a.take(hub.publish("lesson", "a", await a.offer(), {}))
        assert again.resource == a.resource
        assert [track.source for track in again.tracks] == ["teacher", "pupils"]
        await host.subscribe(a.track(1))
        await until(lambda: host.watcher(3).frames >= 5)
        assert abs(host.watcher(3).levels[-1] - 120) < 4
        assert c.mid == "1"


async def test_an_empty_slot_is_filled_by_a_switch() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        member.receive("video")
        answer = await member.take(hub.subscribe("lesson", "member", await member.offer(), {}))
        assert answer.slots == {}
        await member.connected()
        await host.publish(Picture(90))
        hub.switch("lesson", "member", "0", host.track())
        wire = Wire(member)
        await until(lambda: len(wire.headers["0"]) > 10)


async def test_switching_keeps_numbers_and_timestamps_continuous() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "a", "b", "host") as (a, b, host):
        await a.publish(Tone(), Picture(60))
        await b.publish(Tone(), Picture(200))
        await host.subscribe(a.track(0), a.track(1))
        wire = Wire(host)
        await until(lambda: host.watcher(1).frames >= 5)
        for publisher, level in ((b, 200), (a, 60), (b, 200)):
            hub.switch("lesson", "host", host.mid(0), publisher.track(0))
            hub.switch("lesson", "host", host.mid(1), publisher.track(1))
            await until(partial(_shows, host.watcher(1), level))
        for mid, rate in ((host.mid(0), 48000), (host.mid(1), 90000)):
            numbers = [number for number, _ in wire.headers[mid]]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            stamps = [stamp for _, stamp in wire.headers[mid]]
            steps = [(after - before) & 0xFFFFFFFF for before, after in pairwise(stamps)]
            assert max(steps) < rate  # neither back nor far ahead
        hub.switch("lesson", "host", host.mid(1), None)
        heard = len(wire.headers[host.mid(1)])
        audio = len(wire.headers[host.mid(0)])
        await until(lambda: len(wire.headers[host.mid(0)]) > audio + 20)
        assert len(wire.headers[host.mid(1)]) - heard <= 2  # at most what was under way


def _shows(watcher: Watcher, level: int) -> bool:
    return abs(watcher.levels[-1] - level) < 4


async def test_a_slot_refuses_what_it_cannot_show() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "a", "host") as (a, host):
        await a.publish(Tone(), Picture(60))
        await host.subscribe(a.track(1))
        with pytest.raises(UnknownTrack):
            hub.switch("lesson", "host", host.mid(0), a.track(0))
        with pytest.raises(UnknownTrack):
            hub.switch("lesson", "host", host.mid(0), "nobody's")
        with pytest.raises(UnknownSlot):
            hub.switch("lesson", "host", "9", a.track(1))
        with pytest.raises(UnknownSlot):
            hub.switch("lesson", "stranger", "0", a.track(1))
        with pytest.raises(UnknownTrack):
            hub.subscribe("another lesson", "host", await host.offer(), {"0": a.track(1)})


async def test_switching_between_vp8_tracks_counts_pictures_on() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "a", "b", "host") as (a, b, host):
        assert (await a.publish(Picture(60), codec="vp8")).tracks[0].codec == "vp8"
        await b.publish(Picture(200), codec="vp8")
        await host.subscribe(a.track())
        wire = Wire(host)
        await until(lambda: host.watcher().frames >= 5)
        for publisher, level in ((b, 200), (a, 60)):
            hub.switch("lesson", "host", "0", publisher.track())
            await until(partial(_shows, host.watcher(), level))
        pictures = [descriptor.picture for payload in wire.payloads["0"] if (descriptor := vp8_descriptor(payload))]
        assert {(after - before) & 0x7FFF for before, after in pairwise(pictures)} <= {0, 1}
        assert len(set(pictures)) >= 10


async def test_a_slot_shows_tracks_of_either_codec() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "a", "b", "host") as (a, b, host):
        await a.publish(Picture(60))
        await b.publish(Picture(200), codec="vp8")
        await host.subscribe(a.track())
        await until(lambda: host.watcher().frames >= 5)
        for publisher, level in ((b, 200), (a, 60)):
            hub.switch("lesson", "host", "0", publisher.track())
            await until(partial(_shows, host.watcher(), level))


async def test_a_slot_without_the_codec_of_a_track_stays_empty() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "a", "host") as (a, host):
        await a.publish(Picture(60))
        transceiver = host.receive("video")
        known = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([codec for codec in known if codec.name == "VP8"])
        answer = await host.take(hub.subscribe("lesson", "host", await host.offer(), {"0": a.track()}))
        assert answer.slots == {}
        with pytest.raises(NothingAcceptable):
            hub.switch("lesson", "host", "0", a.track())


async def test_one_socket_serves_both_address_families() -> None:
    public = (("::1", 0), ("127.0.0.1", 0))
    async with media_hub(host="::", public=public) as hub, clients(hub, "lesson", "host", "member") as (host, member):
        with loopback_candidates("::1"):
            await host.publish(Picture(60))
        await member.subscribe(host.track())
        await until(lambda: member.watcher().frames >= 5)
        addresses = sorted(hub._port.text(peer.ice.selected)[0] for peer in hub._peers.values())
        assert addresses == ["127.0.0.1", "::1"]


async def test_a_tap_hears_packets_and_clock_and_gets_keyframes() -> None:
    async with media_hub(tap_keyframe_interval=0.6) as hub, clients(hub, "lesson", "host") as (host,):
        await host.publish(Tone(), Picture(60))
        video, audio = Recording(), Recording()
        untap = hub.tap(host.track(1), video)
        hub.tap(host.track(0), audio)
        await until(lambda: video.reports and audio.reports and sum(p[3][0] & 31 == 24 for p in video.packets) >= 3)
        numbers = [packet[0] for packet in video.packets]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert any(marker for _, _, marker, _, _ in video.packets)
        arrivals = [packet[4] for packet in video.packets]
        assert arrivals == sorted(arrivals)
        untap()
        heard = len(video.packets)
        audio_heard = len(audio.packets)
        await until(lambda: len(audio.packets) > audio_heard + 10)
        assert len(video.packets) == heard
        hub.release(host.resource)
        assert (video.ended, audio.ended) == (0, 1)


async def test_an_exception_in_a_tap_does_not_disturb_forwarding(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Recording):
        def packet(self, *packet: object) -> None:
            super().packet(*packet)  # type: ignore[arg-type]
            raise RuntimeError("disk full")

    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        await host.publish(Picture(60))
        await member.subscribe(host.track())
        await until(lambda: member.watcher().frames >= 3)
        broken, sound = Broken(), Recording()
        with caplog.at_level(logging.ERROR, "signaling.media"):
            hub.tap(host.track(), broken)
            hub.tap(host.track(), sound)
            before = member.watcher().frames
            await until(lambda: member.watcher().frames >= before + 10 and len(sound.packets) >= 10)
        assert len(broken.packets) == 1
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("signaling.media")]
        assert ours == ["a tap failed and is removed"]
        assert hub.counters()["handler_failed"] == 0


async def test_mute_stops_forwarding_and_leaves_the_recording_alone() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        await host.publish(Tone(), Picture(60))
        await member.subscribe(host.track(0), host.track(1))
        wire, tap = Wire(member), Recording()
        hub.tap(host.track(1), tap)
        await until(lambda: member.watcher(1).frames >= 5)
        hub.mute(host.track(1), True)
        await until(lambda: len(wire.headers[member.mid(1)]) == _settled(wire, member.mid(1)))
        video, audio, tapped = len(wire.headers[member.mid(1)]), len(wire.headers[member.mid(0)]), len(tap.packets)
        await until(lambda: len(wire.headers[member.mid(0)]) >= audio + 25)
        assert len(wire.headers[member.mid(1)]) == video
        await until(lambda: len(tap.packets) > tapped + 25)
        hub.mute(host.track(1), False)
        frames = member.watcher(1).frames
        await until(lambda: member.watcher(1).frames >= frames + 5)
        numbers = [number for number, _ in wire.headers[member.mid(1)]]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _settled(wire: Wire, mid: str, _last: dict[str, int] = {}) -> int:  # noqa: B006 - the memory is the point
    before, _last[mid] = _last.get(mid, -1), len(wire.headers[mid])
    return before


@pytest.mark.parametrize("loss", [0.02, 0.05])
async def test_losses_on_the_line_leave_no_gap(loss: float) -> None:
    async with (
        udp_proxy(NOWHERE) as line,
        media_hub(public=(line.address,)) as hub,
        clients(hub, "lesson", "host", "a", "b") as (host, a, b),
    ):
        line.to = hub.address
        await host.publish(Picture(60))
        for member in (a, b):
            await member.subscribe(host.track())
        await until(lambda: a.watcher().frames >= 3 and b.watcher().frames >= 3)
        for way in (line.up, line.down):
            way.hits, way.loss = media_only, loss
        await until(
            lambda: line.up.lost + line.down.lost >= 12 and min(a.watcher().frames, b.watcher().frames) >= 120, 20
        )
        line.up.loss = line.down.loss = 0.0
        inbound = hub._track(host.track()).main
        assert inbound.requests.given_up == 0
        for member in (a, b):
            stamps = member.watcher().stamps[3:]
            steps = {after - before for before, after in pairwise(stamps)}
            assert steps == {4500}


async def test_a_new_source_port_in_mid_lesson_keeps_the_connection() -> None:
    async with (
        udp_proxy(NOWHERE) as line,
        media_hub(public=(line.address,)) as hub,
        clients(hub, "lesson", "host", "member") as (host, member),
    ):
        line.to = hub.address
        await host.publish(Picture(60))
        await member.subscribe(host.track())
        await until(lambda: member.watcher().frames >= 3)
        resources = {host.resource, member.resource}
        line.rebind()
        await until(lambda: hub.counters()["roamed"] >= 1 or _nominate(host, member), 15)
        await until(lambda: hub.counters()["roamed"] >= 2 or _nominate(host, member), 15)
        frames = member.watcher().frames
        await until(lambda: member.watcher().frames >= frames + 10)
        assert set(hub._peers) == resources


def _nominate(*peers: Client) -> bool:
    """A browser repeats USE-CANDIDATE in its checks; aioice says it once, so the test says it again."""
    for client in peers:
        connection = client.pc.getTransceivers()[0].sender.transport.transport._connection
        pair = connection._nominated[1]
        request = connection.build_request(pair, nominate=True)
        request.add_message_integrity(str(connection.remote_password).encode())
        pair.protocol.send_stun(request, pair.remote_addr)
    return False


async def test_a_reloaded_page_replaces_its_old_connection() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "host", "member") as (old, new, member):
        changes: list[tuple[str, str, str, bool]] = []
        hub.on_connection = lambda *change: changes.append(change)
        await old.publish(Picture(60))
        await member.subscribe(old.track())
        await until(lambda: member.watcher().frames >= 3)
        await new.publish(Picture(200))
        assert [track.id for track in hub.tracks("lesson")] == [new.track()]
        assert new.resource != old.resource
        with pytest.raises(UnknownResource):
            hub.release(old.resource)
        hub.switch("lesson", "member", member.mid(0), new.track())
        await until(lambda: abs(member.watcher().levels[-1] - 200) < 4)
        assert [change[1:] for change in changes] == [
            ("host", "publish", True),
            ("member", "subscribe", True),
            ("host", "publish", False),
            ("host", "publish", True),
        ]


async def test_a_peer_that_vanishes_is_closed_and_leaves_nothing() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host") as (host,):
        hub._port.ice.consent_seconds = 1.0
        gone = asyncio.Event()
        await host.publish(Picture(60))
        await host.connected()
        hub.on_connection = lambda *change: gone.set() if not change[3] else None
        connection = host.pc.getTransceivers()[0].sender.transport.transport._connection
        assert connection._query_consent_task is not None
        connection._query_consent_task.cancel()
        for protocol in connection._protocols:
            protocol.transport.abort()
        async with asyncio.timeout(6):
            await gone.wait()
        await until(lambda: not hub._port.ice.by_ufrag and not hub._port.ice.by_address)
        assert (hub._peers, hub._publications, hub.tracks("lesson")) == ({}, {}, [])


async def test_one_peers_failure_never_touches_another() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member", "broken") as (host, member, broken):
        await host.publish(Picture(60))
        await member.subscribe(host.track())
        await broken.publish(Picture(60))
        await until(lambda: member.watcher().frames >= 3 and hub.links("lesson")["broken"].connected)
        _break(hub, broken)
        frames = member.watcher().frames
        await until(lambda: member.watcher().frames >= frames + 20 and hub.counters()["handler_failed"] > 10)
        stamps = member.watcher().stamps
        assert {after - before for before, after in pairwise(stamps)} == {4500}


def _break(hub: MediaHub, client: Client) -> None:
    """Whatever this peer sends from now on meets a bug."""

    def fail(slot: int, size: int) -> None:
        raise RuntimeError("a bug")

    hub._peers[client.resource].ice.on_rtp = fail


async def test_closing_a_session_closes_every_peer_of_it_alone() -> None:
    async with (
        media_hub() as hub,
        clients(hub, "one", "host", "member") as (host, member),
        clients(hub, "two", "host") as (other,),
    ):
        await host.publish(Picture(60))
        await member.subscribe(host.track())
        await other.publish(Picture(60))
        hub.close_session("one")
        assert list(hub._peers) == [other.resource]
        assert hub.tracks("one") == []
        assert len(hub.tracks("two")) == 1


async def test_keyframes_that_many_ask_for_are_asked_of_the_publisher_twice_a_second_at_most() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "a", "b") as (host, a, b):
        await host.publish(Picture(60))
        for member in (a, b):
            await member.subscribe(host.track())
        await until(lambda: a.watcher().frames > 3 and b.watcher().frames > 3)
        stream = hub._track(host.track()).main
        slots = [hub._subscriptions["lesson", name].slots["0"] for name in ("a", "b")]
        asked, before = [slot.keyframe_requests for slot in slots], stream.requests.plis
        loop = asyncio.get_running_loop()
        began = loop.time()
        while loop.time() - began < 1.6:
            for member, slot in zip((a, b), slots, strict=True):
                receiver: Any = member.pc.getTransceivers()[0].receiver
                target = slot.ssrc.to_bytes(4, "big")
                await receiver._send_rtcp_pli(slot.ssrc)
                await receiver._send_rtcp(RtcpPsfbPacket(fmt=4, ssrc=1, media_ssrc=0, fci=target + bytes(4)))
            await asyncio.sleep(0.01)
        await until(lambda: all(slot.keyframe_requests > n + 20 for slot, n in zip(slots, asked, strict=True)))
        assert 2 <= stream.requests.plis - before <= (loop.time() - began) / KEYFRAME_INTERVAL + 1
