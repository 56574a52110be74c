"""Two layers of one camera: who gets which, over which line, and what the publisher is asked for."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from signaling.media.burst import Finding
from signaling.media.congestion import Downlink
from signaling.media.hub import Layer, Limits, MediaHub
from signaling.media.keyframes import vp8_descriptor
from signaling.media.layers import HIGH_RATE, LOW_RATE, RECORDED_RATE
from tests.fault_proxy import udp_proxy
from tests.integration.test_media_chromium import page_server
from tests.integration.test_media_forwarding import Recording, Wire
from tests.media_clients import Client, Coded, Picture, Shuttered, Tone, Watcher, clients, media_hub, until

HIGH, LOW = 200, 60
"""Grey levels that tell which layer is seen."""
LAYERS: tuple[Layer, ...] = ("high", "high", "low")
SOURCES = ("mic", "teacher", "teacher")


async def publish(host: Client, codec: str | None = None) -> str:
    """A microphone and a camera in two layers; the camera's track."""
    await host.publish(Tone(), Picture(HIGH), Picture(LOW), codec=codec, sources=SOURCES, layers=LAYERS)
    return host.track(1)


def shows(watcher: Watcher, level: int) -> bool:
    return bool(watcher.levels) and abs(watcher.levels[-1] - level) < 6


async def test_two_layers_are_one_track() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host") as (host,):
        await publish(host)
        assert [(track.kind, track.source) for track in hub.tracks("lesson")] == [
            ("audio", "mic"),
            ("video", "teacher"),
        ]


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_the_size_of_a_picture_decides_its_layer_and_the_numbers_go_on(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.media.publication.GROWN_AFTER", 0.0)  # these pictures do not grow
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        camera = await publish(host, codec)
        await member.subscribe(camera)
        wire, watcher = Wire(member), member.watcher()
        await until(partial(shows, watcher, HIGH))
        ssrc = hub._subscriptions["lesson", "member"].slots["0"].ssrc
        for height, level in ((180, LOW), (540, HIGH), (180, LOW)):
            hub.view("lesson", "member", {camera: height})
            await until(partial(shows, watcher, level))
        assert hub._subscriptions["lesson", "member"].slots["0"].ssrc == ssrc
        numbers = [number for number, _ in wire.headers["0"]]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        steps = [(after - before) & 0xFFFFFFFF for (_, before), (_, after) in pairwise(wire.headers["0"])]
        assert max(steps) < 90000
        if codec == "vp8":
            found = [vp8_descriptor(payload) for payload in wire.payloads["0"]]
            pictures = [descriptor.picture for descriptor in found if descriptor is not None]
            assert {(after - before) & 0x7FFF for before, after in pairwise(pictures)} <= {0, 1}


async def test_what_is_not_seen_is_not_forwarded() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        camera = await publish(host)
        await member.subscribe(host.track(0), camera)
        wire = Wire(member)
        await until(lambda: member.watcher(1).frames >= 3)
        hub.view("lesson", "member", {})
        forwarded = len(wire.headers[member.mid(1)])
        heard = len(wire.headers[member.mid(0)])
        await until(lambda: len(wire.headers[member.mid(0)]) >= heard + 25)
        assert len(wire.headers[member.mid(1)]) - forwarded <= 4  # what was under way
        hub.view("lesson", "member", {camera: 180})
        frames = member.watcher(1).frames
        await until(lambda: member.watcher(1).frames >= frames + 3)


async def test_the_recorder_hears_the_high_layer_alone() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        camera = await publish(host)
        tap = Recording()
        hub.tap(camera, tap)
        await member.subscribe(camera)
        hub.view("lesson", "member", {camera: 180})
        await until(lambda: shows(member.watcher(), LOW) and len(tap.packets) > 20)
        numbers = [packet[0] for packet in tap.packets]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert hub._track(camera).layers["low"].taps.listening == []


async def test_a_publisher_is_told_what_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.media.publication.REST_AFTER", 0.5)
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        told: list[tuple[str, dict[str, Limits]]] = []
        hub.on_limits = lambda session, participant, limits: told.append((participant, limits))
        camera = await publish(host)
        # told no rest before it has begun: nobody would tap a camera that sends nothing
        await until(lambda: [limits["teacher"] for _, limits in told] == [Limits(RECORDED_RATE, 0), Limits(0, 0)])
        await member.subscribe(camera)
        hub.view("lesson", "member", {camera: 180})
        await until(lambda: hub.limits("lesson", "host") == {"teacher": Limits(0, LOW_RATE)})
        hub.view("lesson", "member", {camera: 720})
        await until(lambda: hub.limits("lesson", "host") == {"teacher": Limits(HIGH_RATE, LOW_RATE)})
        untap = hub.tap(camera, Recording())
        hub.view("lesson", "member", {camera: 180})
        await until(lambda: hub.limits("lesson", "host") == {"teacher": Limits(RECORDED_RATE, LOW_RATE)})
        untap()
        hub.drop("lesson", "member")
        await until(lambda: hub.limits("lesson", "host") == {"teacher": Limits(0, 0)})
        assert hub.links("lesson")["host"].resting
        assert told[-1] == ("host", {"teacher": Limits(0, 0)})


async def test_a_broken_listener_to_limits_does_not_stop_the_reports() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):

        def fail(*told: Any) -> None:
            raise RuntimeError("a bug")

        hub.on_limits = fail
        camera = await publish(host)
        await member.subscribe(camera)
        await until(lambda: hub.links("lesson")["host"].publish_bitrate > 0)
        assert shows(member.watcher(), HIGH) or await until(partial(shows, member.watcher(), HIGH))


async def coded(host: Client) -> tuple[str, str, Coded]:
    """A microphone and a camera whose layers have known bitrates: the tracks of both, and the camera's low layer."""
    low = Coded(160, 96, 80_000, LOW)
    await host.publish(Tone(), Coded(480, 270, 600_000, HIGH), low, sources=SOURCES, layers=LAYERS)
    return host.track(0), host.track(1), low


def _level(hub: MediaHub, camera: str) -> str:
    return hub.links("lesson")["member"].levels.get(camera, "")


@pytest.mark.slow
async def test_a_line_that_carries_no_picture_keeps_the_sound_and_the_last_picture() -> None:
    async with (
        media_hub() as hub,
        clients(hub, "lesson", "host", "member", "other") as (host, member, other),
        udp_proxy(hub.address) as line,
    ):
        member.reroute = line.reroute
        sound, camera, _ = await coded(host)
        await member.subscribe(sound, camera)
        await other.subscribe(camera)
        wire = Wire(member)
        await until(lambda: member.watcher(1).frames > 10, 20)
        line.down.rate, line.down.queue = 110_000, 0.5
        await until(lambda: _level(hub, camera) == "still", 30)
        await until(lambda: not hub._subscriptions["lesson", "member"]._probe.running)
        heard = len(wire.headers[member.mid(0)])
        await until(lambda: len(wire.headers[member.mid(0)]) >= heard + 100, 15)
        assert hub.links("lesson")["other"].levels == {camera: "high"}
        line.down.rate = None
        await until(lambda: _level(hub, camera) != "still", 60)


async def _watch(page: Page, *tracks: str) -> None:
    kinds = ("audio", "video")
    wanted = [{"id": track, "kind": kind} for track, kind in zip(tracks, kinds, strict=True)]
    await page.evaluate("tracks => watch(...tracks)", wanted)


async def _stats(page: Page, mid: str) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("mid => received(mid)", mid)
    return found


async def _good_seconds(
    page: Page, hub: MediaHub, camera: Coded, *, concealed: float, frames: float, seconds: float
) -> None:
    """Wait until Chromium has made up no more than that share of the sound of some seconds, and decoded at least that
    share of the pictures that were sent. A machine that stands still meanwhile proves nothing: the next seconds may."""
    met: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                sound, picture, sent = await _stats(page, "0"), await _stats(page, "1"), camera.sent
                await asyncio.sleep(4)
                heard, seen = await _stats(page, "0"), await _stats(page, "1")
                made_up = heard["concealedSamples"] - sound["concealedSamples"]
                samples = heard["totalSamplesReceived"] - sound["totalSamplesReceived"]
                decoded = seen["framesDecoded"] - picture["framesDecoded"]
                met.append(
                    f"made up {made_up}/{samples}, decoded {decoded}/{camera.sent - sent}, {hub.links('lesson')}"
                )
                if made_up <= concealed * samples and decoded >= frames * (camera.sent - sent):
                    return
    except TimeoutError:
        raise AssertionError("\n".join(met)) from None


async def _width(page: Page, width: int, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while (await _stats(page, "1")).get("frameWidth") != width:  # noqa: ASYNC110 - the browser's state
            await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_chromium_on_a_weak_line_hears_all_and_sees_the_low_layer_then_the_high_one_again(
    chromium: Browser,
) -> None:
    async with (
        media_hub() as hub,
        clients(hub, "lesson", "host") as (host,),
        udp_proxy(hub.address) as line,
        page_server(hub, line.reroute) as url,
    ):
        *tracks, low = await coded(host)
        page = await chromium.new_page()
        await page.goto(url)
        await _watch(page, *tracks)
        await _width(page, 480, 20)
        line.down.rate, line.down.queue = 300_000, 0.5
        await _width(page, 160, 20)
        await _good_seconds(page, hub, low, concealed=0.02, frames=0.9, seconds=60)
        line.down.rate = None
        await _width(page, 480, 60)
        await page.close()


@pytest.mark.slow
async def test_no_queue_before_chromium_is_so_deep_that_a_narrow_line_looks_wide(
    chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.media.congestion.BACKOFF", 0.5)
    monkeypatch.setattr("signaling.media.congestion.LONGEST_BACKOFF", 0.5)
    found: list[Finding] = []
    probed = Downlink.probed

    def listen(line: Downlink, rate: int, finding: Finding, now: float) -> None:
        found.append(finding)
        probed(line, rate, finding, now)

    monkeypatch.setattr(Downlink, "probed", listen)
    async with (
        media_hub() as hub,
        clients(hub, "lesson", "host") as (host,),
        udp_proxy(hub.address) as line,
        page_server(hub, line.reroute) as url,
    ):
        *tracks, _ = await coded(host)
        line.down.rate, line.down.queue = 300_000, 2.0
        page = await chromium.new_page()
        await page.goto(url)
        await _watch(page, *tracks)
        await _width(page, 160, 20)
        await until(lambda: found.count("queues") >= 4, 60)
        assert "carries" not in found
        assert (await _stats(page, "1"))["frameWidth"] == 160
        line.down.rate = None
        await _width(page, 480, 60)
        await page.close()


@pytest.mark.slow
async def test_chromium_loses_neither_sound_nor_pictures_to_five_percent_loss(chromium: Browser) -> None:
    async with (
        media_hub() as hub,
        clients(hub, "lesson", "host") as (host,),
        udp_proxy(hub.address) as up,
        udp_proxy(hub.address) as down,
        page_server(hub, down.reroute) as url,
    ):
        host.reroute = up.reroute
        *tracks, low = await coded(host)
        page = await chromium.new_page()
        await page.goto(url)
        await _watch(page, *tracks)
        hub.view("lesson", "watcher", {tracks[1]: 180})
        await _width(page, 160, 20)
        for line in (up.up, up.down, down.up, down.down):
            line.delay, line.loss = 0.02, 0.05
        await _good_seconds(page, hub, low, concealed=0.02, frames=0.95, seconds=60)
        await page.close()


@pytest.mark.slow
async def test_the_picture_comes_back_on_a_way_that_has_become_longer(chromium: Browser) -> None:
    """Another way of the operator's: nothing stands in line there, it takes longer for good."""
    async with (
        media_hub() as hub,
        clients(hub, "lesson", "host") as (host,),
        udp_proxy(hub.address) as line,
        page_server(hub, line.reroute) as url,
    ):
        *tracks, _ = await coded(host)
        page = await chromium.new_page()
        await page.goto(url)
        await _watch(page, *tracks)
        await _width(page, 480, 20)
        line.up.delay = line.down.delay = 0.04
        line.down.rate, line.down.queue = 100_000, 1.0
        await until(lambda: hub.links("lesson")["watcher"].levels == {tracks[1]: "still"}, 30)
        line.down.rate = None
        await until(lambda: hub.links("lesson")["watcher"].levels == {tracks[1]: "high"}, 50)
        await page.close()


@pytest.mark.slow
async def test_what_is_lost_on_the_way_up_is_not_laid_to_the_line_down(chromium: Browser) -> None:
    """A listener asks for it, too, while it is already on its way."""
    async with (
        media_hub() as hub,
        clients(hub, "lesson", "host") as (host,),
        udp_proxy(hub.address) as up,
        udp_proxy(hub.address) as down,
        page_server(hub, down.reroute) as url,
    ):
        host.reroute = up.reroute
        *tracks, _ = await coded(host)
        page = await chromium.new_page()
        await page.goto(url)
        await _watch(page, *tracks)
        await _width(page, 480, 20)
        for line in (up.up, up.down, down.up, down.down):
            line.delay = 0.02
        up.up.loss = 0.15
        await until(lambda: hub.links("lesson")["host"].publish_loss > 0.1)
        slots = hub._subscriptions["lesson", "watcher"].slots.values()
        before = [(slot.losses.packets, slot.losses.lost) for slot in slots]

        def told() -> tuple[int, int]:
            now = [(slot.losses.packets, slot.losses.lost) for slot in slots]
            packets, lost = (sum(last[i] - first[i] for last, first in zip(now, before, strict=True)) for i in (0, 1))
            return packets, lost

        packets, lost = await until(lambda: told() if told()[0] >= 1200 else None, 60)
        assert lost <= 0.07 * packets  # a report may count what has not come again yet
        await page.close()


async def test_a_picture_that_nobody_sends_is_not_laid_to_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.media.subscription.UNSENT_AFTER", 0.5)
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        picture = Shuttered(shut=True)
        await host.publish(Tone(), picture, sources=("mic", "teacher"))
        camera = host.track(1)
        await member.subscribe(host.track(0), camera)
        await until(lambda: hub.links("lesson")["member"].levels.get(camera))
        assert _level(hub, camera) == "unsent"
        picture.opened.set()
        await until(lambda: _level(hub, camera) == "high")
        picture.opened.clear()
        await until(lambda: _level(hub, camera) == "unsent")
        assert not hub.links("lesson")["host"].up_still


async def test_the_one_layer_that_a_weak_line_up_carries_is_seen_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pictures, too, go on in the layer that is left."""
    monkeypatch.setattr("signaling.media.congestion.GROWTH", 1.0)
    async with media_hub() as hub, clients(hub, "lesson", "host", "wall", "desk") as (host, wall, desk):
        fine, coarse = Shuttered(HIGH), Shuttered(LOW)
        pictures = {"high": fine, "low": coarse}

        def obey(session: str, participant: str, told: dict[str, Limits]) -> None:
            for layer, picture in pictures.items():
                (picture.opened.set if getattr(told["teacher"], layer) else picture.opened.clear)()

        hub.on_limits = obey
        await host.publish(Tone(), fine, coarse, sources=SOURCES, layers=LAYERS)
        camera = host.track(1)
        await wall.subscribe(camera)
        await desk.subscribe(camera)
        hub.view("lesson", "wall", {camera: 720})
        hub.view("lesson", "desk", {camera: 180})
        await until(lambda: shows(wall.watcher(), HIGH) and shows(desk.watcher(), LOW))
        hub._publications["lesson", "host"].uplink.rate = 300_000
        await until(lambda: not coarse.opened.is_set())
        await until(lambda: shows(desk.watcher(), HIGH))
        hub._publications["lesson", "host"].uplink.rate = None
        await until(lambda: shows(desk.watcher(), LOW))


async def test_a_picture_is_weighed_as_it_will_be_when_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is only recorded it is small: a line that carries just that much would choke on the whole of it, and the
    sound with it."""
    monkeypatch.setattr("signaling.media.publication.GROWN_AFTER", 0.5)
    monkeypatch.setattr("signaling.media.publication.REST_AFTER", 0.5)
    monkeypatch.setattr("signaling.media.congestion.Downlink.wants_probe", lambda self, missing, now: False)
    async with media_hub() as hub, clients(hub, "lesson", "host", "member", "other") as (host, member, other):
        camera = await publish(host)
        hub.tap(camera, Recording())
        await member.subscribe(host.track(0), camera)
        hub.view("lesson", "member", {camera: 720})
        await until(lambda: hub.limits("lesson", "host") == {"teacher": Limits(RECORDED_RATE, LOW_RATE)})
        await until(lambda: shows(member.watcher(1), LOW))
        # once somebody's line has carried the whole of it, it is known
        await other.subscribe(camera)
        hub._subscriptions["lesson", "other"].line.rate = 2_000_000
        await until(lambda: shows(member.watcher(1), HIGH))


async def test_a_heavy_picture_without_layers_is_tried_at_once() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        await host.publish(Coded(480, 270, 1_500_000, HIGH))
        await until(lambda: hub.links("lesson")["host"].publish_bitrate > 1_000_000)
        await member.subscribe(host.track())
        assert hub._subscriptions["lesson", "member"].slots["0"].pending is not None
        await until(partial(shows, member.watcher(), HIGH))


async def test_a_weak_uplink_is_asked_for_one_layer() -> None:
    async with (
        media_hub() as hub,
        clients(hub, "lesson", "host", "member") as (host, member),
        udp_proxy(hub.address) as line,
    ):
        host.reroute = line.reroute
        _, camera, _ = await coded(host)
        await member.subscribe(camera)
        await until(lambda: member.watcher().frames > 5)
        await until(lambda: hub.limits("lesson", "host") == {"teacher": Limits(HIGH_RATE, LOW_RATE)}, 20)
        line.up.rate, line.up.queue = 300_000, 0.6
        await until(lambda: hub.limits("lesson", "host") == {"teacher": Limits(HIGH_RATE, 0)}, 20)
        rate = hub._publications["lesson", "host"].uplink.rate
        assert rate is not None
        assert rate < 450_000
