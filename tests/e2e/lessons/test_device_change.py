"""Another microphone or camera, chosen in the dialog of a lesson that is running: what the other rooms hear and see
meanwhile, what is kept for the next lesson, and what follows when the chosen one is pulled out.

Chromium's fake microphones all sound alike: here each has a tone of its own (`TONES`), made by the browser and sent by
the lesson's own way. A plug is played as in `test_devices`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.classroom import WAIT, frames_advance
from tests.e2e.lessons.test_devices import PLUGS, device
from tests.e2e.live_county import LiveCounty, chromium_with, live_county

pytestmark = pytest.mark.slow

FIRST, STEP = 400, 400
"""Hz of the first microphone, and between two."""

TONES = """
    // every microphone sounds by its place among them; `slow` ms pass before one is open, as with real ones
    window.slow = 0;
    const tones = new AudioContext();
    const really = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const known = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await really(wanted);
        if (window.slow) await new Promise(done => setTimeout(done, window.slow));
        const names = (await known()).filter(one => one.kind === 'audioinput').map(one => one.label);
        for (const old of stream.getAudioTracks()) {
            const tone = tones.createOscillator(), out = tones.createMediaStreamDestination();
            tone.frequency.value = 400 + 400 * names.indexOf(old.label);
            tone.connect(out);
            tone.start();
            const [track] = out.stream.getAudioTracks(), stop = track.stop.bind(track);
            track.getSettings = () => old.getSettings();
            track.stop = () => { old.stop(); tone.stop(); stop(); };
            Object.defineProperty(track, 'label', {value: old.label});
            stream.removeTrack(old);
            stream.addTrack(track);
        }
        return stream;
    };
"""

LISTENS = """() => {
    // what this page hears, fifty times a second: the loudest tone in Hz, 0 in silence
    const context = new AudioContext(), ears = new Map();
    window.heard = [];
    setInterval(() => {
        for (const {srcObject} of document.querySelectorAll('audio')) {
            if (!srcObject || ears.has(srcObject.id)) continue;
            const ear = context.createAnalyser();
            ear.fftSize = 4096;
            ear.smoothingTimeConstant = 0;
            context.createMediaStreamSource(srcObject).connect(ear);
            ears.set(srcObject.id, ear);
        }
        let best = 0, loudest = -60;
        for (const ear of ears.values()) {
            const bins = new Float32Array(ear.frequencyBinCount);
            ear.getFloatFrequencyData(bins);
            bins.forEach((level, at) => {
                if (level > loudest) [loudest, best] = [level, at * context.sampleRate / ear.fftSize];
            });
        }
        window.heard.push([performance.now(), best]);
    }, 20);
}"""

HEARS = """([hz]) => {
    const last = window.heard.slice(-5);
    return last.length === 5 && last.every(([, one]) => Math.abs(one - hz) < 60);
}"""


CARRIES = """([id]) => {
    const picture = document.querySelector('[data-use="teacher"] video');
    return picture?.srcObject?.getVideoTracks()[0].getSettings().deviceId === id && Number(picture.dataset.frames) > 3;
}"""


@pytest.fixture
async def lesson(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[LiveCounty]:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson:
        yield lesson
        assert lesson.errors == []


async def hears(page: Page, hz: int) -> None:
    await page.wait_for_function(HEARS, arg=[hz], timeout=WAIT)


async def silence(page: Page, since: float) -> float:
    """The longest time in which nothing was heard since then, ms."""
    heard: list[tuple[float, float]] = await page.evaluate("() => window.heard")
    longest, begun = 0.0, None
    for at, hz in heard:
        if at < since:
            continue
        begun = None if hz else begun if begun is not None else at
        longest = max(longest, at - begun) if begun is not None else longest
    return longest


async def names(page: Page, use: str) -> list[str]:
    """The devices that can be chosen, by their ids."""
    found: list[str] = await page.evaluate(
        "use => [...document.querySelectorAll(`select[name=device-${use}] option`)].map(one => one.value)"
        ".filter(id => id && id !== 'off')",
        use,
    )
    return found


async def choose(page: Page, use: str, device: str) -> None:
    await page.select_option(f'select[name="device-{use}"]', device)


async def sending(page: Page, use: str) -> Any:
    return await page.input_value(f'select[name="device-{use}"]')


async def test_another_microphone_is_heard_without_a_pause_and_kept(lesson: LiveCounty) -> None:
    async with chromium_with(cameras=3) as browser:
        panel = await lesson.panel(browser)
        host = await lesson.host(browser, script=TONES)
        await host.wait_for_selector('video[data-source="teacher"]', timeout=WAIT)
        await panel.evaluate(LISTENS)
        await hears(panel, FIRST)
        await host.click('[data-action="choose-devices"]')
        await device(host, "mic", "ok")
        microphones = await names(host, "mic")
        assert len(microphones) >= 3
        await host.evaluate("() => { window.slow = 3000; }")
        since = await panel.evaluate("() => performance.now()")
        await choose(host, "mic", microphones[1])
        await hears(panel, FIRST + STEP)
        assert await silence(panel, since) < 1500  # the new one took twice as long to open
        await host.evaluate("() => { window.slow = 0; }")
        # in the next lesson, too
        await host.reload()
        await host.wait_for_selector('video[data-source="teacher"]', timeout=WAIT)
        await hears(panel, FIRST + STEP)
        await host.click('[data-action="choose-devices"]')
        await device(host, "mic", "ok")
        assert await sending(host, "mic") == microphones[1]
        await choose(host, "mic", "off")
        await device(host, "mic", "off")
        await panel.wait_for_function("() => window.heard.slice(-20).every(([, hz]) => hz === 0)", timeout=WAIT)
        await choose(host, "mic", microphones[2])
        await hears(panel, FIRST + 2 * STEP)


async def test_chosen_microphone_pulled_out_while_the_dialog_is_open_is_stood_in_for(lesson: LiveCounty) -> None:
    async with chromium_with(cameras=1) as browser:
        panel = await lesson.panel(browser)
        host = await lesson.host(browser, script=PLUGS + TONES, lang="en")
        await host.wait_for_selector('video[data-source="teacher"]', timeout=WAIT)
        await panel.evaluate(LISTENS)
        await host.click('[data-action="choose-devices"]')
        await device(host, "mic", "ok")
        last = (await names(host, "mic"))[-1]
        label = await host.inner_text(f'select[name="device-mic"] option[value="{last}"]')
        await choose(host, "mic", last)
        await hears(panel, FIRST + 2 * STEP)
        await host.evaluate("label => window.plug(label, true)", label)
        await hears(panel, FIRST)
        gone = f'[data-use="mic"] .warn-text:has-text("{label}")'
        await host.wait_for_selector(gone, timeout=WAIT)
        assert last not in await names(host, "mic")
        await host.evaluate("label => window.plug(label, false)", label)
        await hears(panel, FIRST + 2 * STEP)
        await host.wait_for_selector(gone, state="detached", timeout=WAIT)
        assert await sending(host, "mic") == last


async def test_third_camera_takes_the_place_of_one_and_leaves_the_other_alone(lesson: LiveCounty) -> None:
    async with chromium_with(cameras=3) as browser:
        panel, host = await lesson.panel(browser), await lesson.host(browser)
        await host.click('[data-action="choose-devices"]')
        for use in ("teacher", "pupils"):
            await device(host, use, "ok")
        used = [await sending(host, "teacher"), await sending(host, "pupils")]
        (third,) = set(await names(host, "teacher")) - set(used)
        await frames_advance(panel, 1)
        await choose(host, "teacher", third)
        await host.wait_for_function(CARRIES, arg=[third], timeout=WAIT)
        await frames_advance(panel, 1)
        assert [await sending(host, "teacher"), await sending(host, "pupils")] == [third, used[1]]
