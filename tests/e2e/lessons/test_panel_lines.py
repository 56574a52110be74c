"""What a classroom's wall shows when its own line or its own clock is bad."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page

from server.keys import media_key
from tests.e2e.classroom import WAIT, in_state, tile
from tests.e2e.lessons.test_power_cut import COUNT_DOWN
from tests.e2e.live_county import ROOM, chromium_with, live_county
from tests.fault_proxy import udp_proxy
from tests.media_clients import until

pytestmark = pytest.mark.slow

WRONG_CLOCK = """
    // the machine came up with a dead battery, and may be put right or wrong while the page is open
    const Real = Date;
    const loaded = Real.now() + %d;
    Object.defineProperty(performance, 'timeOrigin', { value: loaded - performance.now() });
    window.skew = %d;
    window.Date = class extends Real {
        constructor(...given) { given.length > 0 ? super(...given) : super(Real.now() + window.skew); }
        static now() { return Real.now() + window.skew; }
    };
"""
PATHS = """
    // media goes through the lines of the test: one for what the page sends, one for what it receives
    const take = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
        const port = answer.sdp.includes('a=sendonly') ? %d : %d;
        const sdp = answer.sdp.replace(/(a=candidate:\\S+ \\d+ udp \\d+ )\\S+ \\d+/gi, '$1127.0.0.1 ' + port);
        return take.call(this, { type: answer.type, sdp });
    };
"""
FACE = '.main video[data-participant^="host."]'
FRAMES = f"() => Number(document.querySelector('{FACE}').dataset.frames)"


async def moves(panel: Page) -> None:
    """The teacher's picture goes on."""
    before = await panel.evaluate(FRAMES)
    await panel.wait_for_function(
        f"before => Number(document.querySelector('{FACE}')?.dataset.frames) > before + 10", arg=before, timeout=WAIT
    )


def minutes_around(now: float) -> set[str]:
    """The clock's face in the county, give or take a minute."""
    here = datetime.fromtimestamp(now, ZoneInfo("Asia/Shanghai"))
    return {f"{at.hour}:{at.minute:02}" for at in (here + timedelta(minutes=n) for n in (-1, 0, 1))}


@pytest.mark.parametrize("skew", [5 * 3600, -7 * 3600])
async def test_wall_keeps_the_lessons_time_whatever_its_own_clock_says(
    tmp_path: Path, migrated_sqlite: Path, skew: int
) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host = await lesson.host(browser)
        panel = await lesson.panel(browser, script=WRONG_CLOCK % (skew * 1000, skew * 1000))
        await in_state(panel, "open")
        await host.click('[data-action="timer"]')
        await host.click(".timer-list button >> nth=3")
        await panel.wait_for_selector(".count-down", timeout=WAIT)
        for jump in (skew, 0, -skew):
            await panel.evaluate("skew => { window.skew = skew; }", jump * 1000)
            counted = await panel.evaluate(COUNT_DOWN)
            await panel.wait_for_function(f"before => ({COUNT_DOWN})() < before - 1", arg=counted, timeout=WAIT)
            assert 200 < await panel.evaluate(COUNT_DOWN) <= 300
            assert await panel.inner_text(".ls > b:last-child") in minutes_around(time.time())
        assert await panel.locator('[data-view="offline"]').count() == 0
        assert lesson.errors == []


async def test_wall_shows_what_its_line_carries_and_says_what_it_does_not(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        media = lesson.county.app[media_key]
        async with udp_proxy(media.address) as down, udp_proxy(media.address) as up:
            panel = await lesson.panel(browser, script=PATHS % (down.address[1], up.address[1]))
            host = await lesson.host(browser)
            await host.click('[data-action="start-lesson"]')
            await in_state(panel, "live")
            await tile(host, ROOM, "connected")
            await moves(panel)

            # the line up fails: the others see a still, and this room sees the teacher all the same
            up.up.rate, up.up.queue = 80_000, 0.5
            await tile(host, ROOM, "audio_only")
            await panel.wait_for_selector('[data-unseen="their_line"]', timeout=WAIT)
            assert "线路弱" in await host.inner_text(f'[data-room="{ROOM}"] .ov')
            await moves(panel)
            assert await panel.locator('[data-view="live"]').count() == 1
            # what is left of the line is the sound's
            line = next(one.uplink for (_, who), one in media._publications.items() if ROOM in who)
            await until(lambda: line.still and line.queue < 0.1, 30)
            up.up.rate = None
            await tile(host, ROOM, "connected")
            await panel.wait_for_selector("[data-unseen]", state="detached", timeout=WAIT)

            # the line down fails: sound, the last picture, and a word; the picture comes back alone
            down.down.rate, down.down.queue = 70_000, 0.5
            await panel.wait_for_selector('[data-view="audio"] .heard[data-why="own_line"]', timeout=2 * WAIT)
            await host.wait_for_selector('td[data-sees="still"]', timeout=WAIT)
            stood = await panel.evaluate(FRAMES)
            assert stood > 0
            down.down.rate = None
            await panel.wait_for_selector('[data-view="live"]', timeout=2 * WAIT)
            await moves(panel)
        assert lesson.errors == []


async def test_covered_lens_is_a_dark_picture_and_no_failing_line(tmp_path: Path, migrated_sqlite: Path) -> None:
    dark = tmp_path / "dark.y4m"
    frame = b"FRAME\n" + bytes([16]) * (640 * 360) + bytes([128]) * (640 * 360 // 2)
    dark.write_bytes(b"YUV4MPEG2 W640 H360 F15:1 Ip A1:1 C420jpeg\n" + frame * 2)
    async with (
        live_county(tmp_path / "data", migrated_sqlite) as lesson,
        chromium_with(cameras=1) as desk,
        chromium_with(f"--use-file-for-fake-video-capture={dark}", cameras=1) as wall,
    ):
        host = await lesson.host(desk)
        await lesson.panel(wall)
        await host.wait_for_selector(f'[data-room="{ROOM}"] video', timeout=WAIT)
        await host.evaluate(STATES, ROOM)
        # longer than a camera may be silent
        await host.wait_for_function(
            f"""() => Number(document.querySelector('[data-room="{ROOM}"] video')?.dataset.frames) > 120""",
            timeout=WAIT,
        )
        sent = lesson.county.app[media_key].links(lesson.session)[ROOM]
        assert 0 < sent.publish_bitrate < 60_000
        assert "audio_only" not in await host.evaluate("() => window.states")
        assert lesson.errors == []


STATES = """room => {
    const found = () => document.querySelector(`[data-room="${room}"]`).dataset.state;
    window.states = [found()];
    const watch = new MutationObserver(() => window.states.push(found()));
    watch.observe(document.body, {subtree: true, attributeFilter: ['data-state']});
}"""
