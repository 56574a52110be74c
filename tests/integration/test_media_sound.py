"""Sound on lines that lose packets: asked for again on both ways, and protected by the publisher's encoder."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.fault_proxy import media_only, udp_proxy
from tests.integration.test_media_chromium import page_server
from tests.integration.test_media_forwarding import NOWHERE, Recording
from tests.media_clients import Picture, Tone, clients, media_hub, until


async def test_lost_sound_of_a_publisher_is_sent_again() -> None:
    async with (
        udp_proxy(NOWHERE) as line,
        media_hub() as hub,
        clients(hub, "lesson", "host") as (host,),
    ):
        line.to = hub.address
        host.reroute = line.reroute
        await host.publish(Tone())
        tap = Recording()
        hub.tap(host.track(), tap)
        await until(lambda: len(tap.packets) > 10)
        line.up.hits, line.up.loss = media_only, 0.1
        await until(lambda: line.up.lost >= 15, 30)
        line.up.loss = 0.0
        heard = len(tap.packets)
        await until(lambda: len(tap.packets) >= heard + 20)
        numbers = sorted(packet[0] for packet in tap.packets)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert hub._track(host.track()).main.recovered >= 10  # the rest were reports


async def test_a_publisher_is_told_of_the_worst_line_to_its_listeners() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "a", "b") as (host, a, b):
        await host.publish(Tone(), Picture(60))
        for member in (a, b):
            await member.subscribe(*[track.id for track in hub.tracks("lesson")])
        stream = hub._track(host.track(0)).main
        await until(lambda: len(stream.outs) == 2)
        fine, bad = stream.outs
        fine.losses.loss, bad.losses.loss = 0.0, 0.2
        await until(lambda: stream.receiver_report().fraction_lost > 0.15 * 256)  # type: ignore[union-attr]
        picture = hub._track(host.track(1)).main
        await until(lambda: len(picture.outs) == 2)
        picture.outs[0].losses.loss = 0.2
        report = picture.receiver_report()
        assert report is not None
        assert report.fraction_lost == 0  # a browser would make the picture smaller for everybody


async def _received(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("() => received('0')")
    return found


async def _heard_well(page: Page, concealed: float, seconds: float) -> None:
    """Wait for five seconds in which no more than that share of the sound was made up. A machine that stands still
    meanwhile proves nothing: the next seconds may."""
    async with asyncio.timeout(seconds):
        while True:
            before = await _received(page)
            await asyncio.sleep(5)
            after = await _received(page)
            made_up = after["concealedSamples"] - before["concealedSamples"]
            if made_up <= concealed * (after["totalSamplesReceived"] - before["totalSamplesReceived"]):
                return


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "concealed"), [(0.05, 0.01), (0.1, 0.02)])
async def test_chromium_hears_a_chromium_over_two_lines_that_lose_packets(
    chromium: Browser, loss: float, concealed: float
) -> None:
    """Unrepaired, twice the loss of one line would be made up."""
    async with (
        media_hub() as hub,
        udp_proxy(hub.address) as up,
        udp_proxy(hub.address) as down,
        page_server(hub, down.reroute, up.reroute) as url,
    ):
        page = await chromium.new_page()
        await page.goto(url)
        tracks = await page.evaluate("publish('a', 160)")
        await page.evaluate("track => watch(track)", tracks[0])
        await until(lambda: hub.links("lesson")["watcher"].subscribe_bitrate > 0, 20)
        for line in (up.up, up.down, down.up, down.down):
            line.hits, line.delay, line.loss = media_only, 0.02, loss
        await _heard_well(page, concealed, 60)
        await until(lambda: hub.links("lesson")["watcher"].subscribe_loss > 0.02, 20)
        stream, slot = hub._track(tracks[0]["id"]).main, hub._subscriptions["lesson", "watcher"].slots["0"]
        assert stream.recovered > 0
        assert slot.resent > 0
        up.up.loss = up.down.loss = 0.0
        async with asyncio.timeout(20):
            while not (await page.evaluate("() => foretold('a')") or 0) > loss / 4:  # noqa: ASYNC110 - the browser's state
                await asyncio.sleep(0.2)
        await page.close()


async def _packets_a_second(page: Page, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    before, began = await _received(page), loop.time()
    await asyncio.sleep(seconds)
    return float(((await _received(page))["packetsReceived"] - before["packetsReceived"]) / (loop.time() - began))


@pytest.mark.slow
async def test_a_chromium_in_silence_sends_next_to_nothing_and_is_heard_at_once_when_it_speaks(
    chromium: Browser,
) -> None:
    """Opus DTX: eight rooms of which one speaks do not fill their lines with the silence of seven."""
    async with media_hub() as hub, page_server(hub) as url:
        page = await chromium.new_page()
        await page.goto(url)
        tracks = await page.evaluate("publish('a', 160)")
        await page.evaluate("track => watch(track)", tracks[0])
        stream = hub._track(tracks[0]["id"]).main
        await until(lambda: hub.links("lesson")["watcher"].subscribe_bitrate > 0, 20)
        async with asyncio.timeout(20):
            while await _packets_a_second(page, 1) < 40:
                pass
        await page.evaluate("() => { peers.a.getSenders()[0].track.enabled = false; }")
        async with asyncio.timeout(20):
            while not 0 < await _packets_a_second(page, 2) < 10:
                pass
        assert stream.flowing(stream._clock())
        assert hub.links("lesson")["a"].publish_loss == 0
        before = await _received(page)
        await page.evaluate("() => { peers.a.getSenders()[0].track.enabled = true; }")
        async with asyncio.timeout(20):
            while await _packets_a_second(page, 1) < 40:
                pass
        after = await _received(page)
        made_up = after["concealedSamples"] - before["concealedSamples"]
        assert made_up <= 0.05 * (after["totalSamplesReceived"] - before["totalSamplesReceived"])
        await page.close()
