"""Cameras, microphones and loudspeakers as schools have them: chosen, denied, missing, pulled out, silenced.

Real here: Chromium's own fake devices, which a permission or a dead capture process takes away as a plug does (the
track ends by itself); its refusal of a camera, of a microphone and of sound before a touch. Played here, for want of a
way to pull a plug of a headless browser: a device missing from its list afterwards (`PLUGS`), one that another program
holds (`BUSY`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, expect

from tests.e2e.classroom import WAIT, frames_advance, tile
from tests.e2e.live_county import (
    ANSWERS,
    FAKE,
    ROOM,
    LiveCounty,
    Untouched,
    chromium_with,
    kill_process,
    live_county,
)

pytestmark = pytest.mark.slow

SILENT = "--autoplay-policy=document-user-activation-required"
SOUNDING = "--autoplay-policy=no-user-gesture-required"

PLUGS = """
    // what is in `unplugged` (labels) is gone for the page, as if somebody had pulled its plug
    window.unplugged = new Set();
    const devices = navigator.mediaDevices;
    const [list, open] = [devices.enumerateDevices.bind(devices), devices.getUserMedia.bind(devices)];
    const here = async () => (await list()).filter(device => !window.unplugged.has(device.label));
    devices.enumerateDevices = here;
    devices.getUserMedia = async (wanted) => {
        const stream = await open(wanted);
        if (stream.getTracks().some(track => window.unplugged.has(track.label))) {
            stream.getTracks().forEach(track => track.stop());
            const [kind] = Object.keys(wanted);
            const other = (await here()).find(device => device.kind === `${kind}input`);
            if (!other || wanted[kind].deviceId?.exact) throw new DOMException('gone', 'NotFoundError');
            return open({[kind]: {deviceId: {exact: other.deviceId}}});
        }
        return stream;
    };
    window.plug = (label, pulled) => {
        window.unplugged[pulled ? 'add' : 'delete'](label);
        devices.dispatchEvent(new Event('devicechange'));
    };
"""

MICROPHONES = """async pulled => {
    window.microphones ??= (await navigator.mediaDevices.enumerateDevices())
        .filter(device => device.kind === 'audioinput').map(device => device.label);
    for (const label of window.microphones) window.plug(label, pulled);
}"""

ENDS = """
    // how many tracks the browser has ended by itself
    window.ended = 0;
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await ask(wanted);
        for (const track of stream.getTracks()) track.addEventListener('ended', () => { window.ended += 1; });
        return stream;
    };
"""


@pytest.fixture
async def lesson(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[LiveCounty]:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson:
        yield lesson
        assert lesson.errors == []


async def device(page: Page, use: str, state: str) -> None:
    await page.wait_for_selector(f'[data-use="{use}"][data-state="{state}"]', timeout=WAIT)


async def no_note(page: Page) -> None:
    await page.wait_for_selector("footer .note", state="detached", timeout=WAIT)


FALLS = 5
"""Now and then Chromium itself falls when its camera process is killed, which says nothing about the panel."""


async def test_devices_are_chosen_and_remembered(lesson: LiveCounty) -> None:
    async with chromium_with() as browser:
        host = await lesson.host(browser)
        await host.wait_for_selector('video[data-source="teacher"]', timeout=WAIT)
        await host.click('[data-action="choose-devices"]')
        for use in ("teacher", "pupils", "mic"):
            await device(host, use, "ok")
        chosen = 'select[name="device-teacher"]'
        before = await host.input_value(chosen)
        other = await host.input_value('select[name="device-pupils"]')
        assert before != other
        await host.select_option(chosen, other)
        await host.wait_for_function(
            "([teacher, pupils]) => document.querySelector('select[name=device-teacher]').value === teacher"
            " && document.querySelector('select[name=device-pupils]').value === pupils",
            arg=[other, before],
            timeout=WAIT,
        )
        await host.select_option('select[name="device-mic"]', "off")
        await device(host, "mic", "off")
        await host.click('[data-use="speaker"] [data-action="try-speaker"]')
        await host.wait_for_selector(
            ", ".join(f'[data-use="speaker"][data-state="{state}"]' for state in ("ok", "played")), timeout=WAIT
        )
        await host.reload()
        await host.wait_for_selector('video[data-source="teacher"]', timeout=WAIT)
        await host.click('[data-action="choose-devices"]')
        await device(host, "mic", "off")
        await device(host, "teacher", "ok")
        assert await host.input_value(chosen) == other


async def test_camera_pulled_out_is_replaced_and_taken_again_when_it_is_back(lesson: LiveCounty) -> None:
    async with chromium_with(cameras=1) as browser:
        host = await lesson.host(browser)
        page = await lesson.panel(browser, script=PLUGS)
        await frames_advance(page, 2)
        await page.evaluate("() => window.plug('fake_device_0', true)")
        await page.wait_for_selector("footer .note", timeout=WAIT)
        assert "镜头被拔掉了" in await page.inner_text("footer .note")
        await tile(host, ROOM, "audio_only")
        assert "镜头被拔掉" in await host.inner_text(f'[data-room="{ROOM}"] .ov')
        assert await page.locator("[data-unseen]").count() == 0
        await page.evaluate("() => window.plug('fake_device_0', false)")
        await no_note(page)
        await tile(host, ROOM, "connected")
        await frames_advance(page, 2)


async def test_microphone_pulled_out_is_told_though_a_loudspeaker_has_its_id(lesson: LiveCounty) -> None:
    async with chromium_with(cameras=1) as browser:
        page = await lesson.panel(browser, script=PLUGS)
        await page.wait_for_selector('video[data-source="pupils"]', timeout=WAIT)
        told = page.locator('footer .note:has-text("话筒")')
        for pulled in (True, False):
            await page.evaluate(MICROPHONES, pulled)
            await expect(told).to_have_count(int(pulled), timeout=WAIT)


async def test_second_camera_stands_in_for_the_one_pulled_out(lesson: LiveCounty) -> None:
    async with chromium_with() as browser:
        page = await lesson.panel(browser, script=PLUGS, lang="en")
        # until it has found its lesson, the panel shows its day, which has a dialog of its own
        await page.wait_for_selector('video[data-source="pupils"]', timeout=WAIT)
        await page.click('[data-action="choose-devices"]')
        await device(page, "pupils", "ok")
        await device(page, "teacher", "ok")
        await page.evaluate("() => window.plug('fake_device_0', true)")
        await page.wait_for_function(
            "() => document.querySelector('[data-use=pupils]').innerText.includes('\"fake_device_0\" is gone')",
            timeout=WAIT,
        )
        await device(page, "pupils", "ok")
        await page.evaluate("() => window.plug('fake_device_0', false)")
        await page.wait_for_function(
            "() => !document.querySelector('[data-use=pupils]').innerText.includes('is gone')", timeout=WAIT
        )
        await device(page, "teacher", "ok")


async def test_lesson_goes_on_without_any_device(lesson: LiveCounty) -> None:
    async with chromium_with(cameras=1) as hosts, chromium_with(without=(FAKE,)) as browser:
        host = await lesson.host(hosts)
        page = await lesson.panel(browser)
        await page.wait_for_selector('footer [data-action="retry-devices"]', timeout=WAIT)
        await tile(host, ROOM, "connected")
        await host.wait_for_selector(f'[data-room="{ROOM}"] [data-gives="listens"]', timeout=WAIT)
        await frames_advance(page, 1)
        await page.click('[data-action="choose-devices"]')
        await device(page, "mic", "missing")
        await device(page, "pupils", "missing")


TO_BE_TOUCHED = """(selector) => {
    const button = document.querySelector(selector);
    const { x, y, width, height } = button.getBoundingClientRect();
    return button.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""


async def test_denied_devices_are_explained_and_open_once_they_are_allowed(lesson: LiveCounty) -> None:
    async with chromium_with(without=(ANSWERS,)) as browser:
        host = await lesson.host(browser)
        await host.wait_for_selector('.own [data-action="retry-devices"]', timeout=WAIT)
        assert "浏览器没有允许" in await host.inner_text(".own .note")
        assert await host.evaluate(TO_BE_TOUCHED, '.own [data-action="retry-devices"]'), "the way out is not on screen"
        await host.context.grant_permissions(["camera", "microphone"])
        await host.wait_for_selector(".own .note", state="detached", timeout=WAIT)
        await frames_advance(host, 1)


BUSY = """
    // another program holds the devices until `released`
    window.released = false;
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wanted) =>
        window.released ? open(wanted) : Promise.reject(new DOMException('held', 'NotReadableError'));
"""


async def test_devices_that_another_program_holds_are_named_and_tried_again(lesson: LiveCounty) -> None:
    async with chromium_with() as browser:
        page = await lesson.panel(browser, script=BUSY, lang="en")
        await page.wait_for_selector("footer .note", timeout=WAIT)
        assert "Another program" in await page.inner_text("footer .note")
        await page.evaluate("() => { window.released = true; }")
        await page.click('footer [data-action="retry-devices"]')
        await no_note(page)


async def test_failed_camera_driver_costs_a_moment_of_picture(lesson: LiveCounty) -> None:
    """The process that reads the cameras dies: their tracks end for good, and the panel opens the cameras again."""
    for _ in range(FALLS):
        async with chromium_with(cameras=1) as browser:
            host = await lesson.host(browser)
            page = await lesson.panel(browser, script=ENDS)
            await frames_advance(page, 2)
            await kill_process(browser, "video_capture.mojom.VideoCaptureService")
            try:
                await page.wait_for_function("() => window.ended === 1", timeout=WAIT)
            except PlaywrightError:
                if browser.is_connected():
                    raise
                continue
            await frames_advance(page, 2)
            await tile(host, ROOM, "connected")
            await no_note(page)
            return
    pytest.fail("Chromium fell with its camera process every time")


async def test_camera_forbidden_in_mid_lesson_is_told_and_taken_back_when_allowed(lesson: LiveCounty) -> None:
    async with chromium_with(without=(ANSWERS,), cameras=1) as browser:
        page = await lesson.panel(browser, script=ENDS, permissions=["camera", "microphone"])
        await page.wait_for_selector('video[data-source="pupils"]', timeout=WAIT)
        devtools = await browser.new_browser_cdp_session()
        (context,) = (await devtools.send("Target.getBrowserContexts"))["browserContextIds"]
        camera = {"permission": {"name": "camera"}, "origin": lesson.county.base, "browserContextId": context}
        await devtools.send("Browser.setPermission", camera | {"setting": "denied"})
        await page.wait_for_function("() => window.ended >= 1", timeout=WAIT)
        await page.wait_for_selector('footer .note:has-text("没有允许用镜头")', timeout=WAIT)
        assert "话筒" not in await page.inner_text("footer .note")
        await devtools.send("Browser.setPermission", camera | {"setting": "granted"})
        await no_note(page)
        await frames_advance(page, 1)


async def test_panel_without_a_camera_is_heard(lesson: LiveCounty) -> None:
    async with chromium_with(cameras=0) as browser:
        host = await lesson.host(browser)
        page = await lesson.panel(browser, lang="en")
        await page.wait_for_selector("footer .note", timeout=WAIT)
        assert "camera" in (await page.inner_text("footer .note")).lower()
        await host.wait_for_selector(f'[data-room="{ROOM}"] [data-gives="sound_only"]', timeout=WAIT)
        await page.click('[data-action="choose-devices"]')
        await device(page, "mic", "ok")
        await device(page, "pupils", "missing")


HEARD = "[...document.querySelectorAll('audio')].some(voice => voice.currentTime > 0.5)"
BUTTON = "document.querySelector('[data-action=play-sound]') !== null"


@pytest.mark.parametrize("where", ["patrol", "panel"])
async def test_silenced_page_sounds_after_one_touch(lesson: LiveCounty, where: str) -> None:
    """The browser's real refusal, on pages that have no devices of their own."""
    async with chromium_with(cameras=1) as hosts, chromium_with(SILENT, without=(SOUNDING, FAKE)) as browser:
        await lesson.host(hosts)
        page = await Untouched.meet(await getattr(lesson, where)(browser, has_touch=True))
        await page.becomes(BUTTON)
        assert await page.tell("navigator.userActivation.hasBeenActive") is False
        assert not await page.tell(HEARD)
        # where no button is: nobody needs to find one
        await page.page.touchscreen.tap(400, 30)
        await page.becomes(f"!({BUTTON})")
        await page.becomes(HEARD)


async def test_panel_with_a_microphone_sounds_untouched(lesson: LiveCounty) -> None:
    """Chromium refuses no sound to a page that has a microphone open, however late it opens it."""
    async with chromium_with(cameras=1) as hosts, chromium_with(SILENT, without=(SOUNDING,)) as browser:
        await frames_advance(await lesson.host(hosts), 1)
        page = await Untouched.meet(await lesson.panel(browser))
        await page.becomes(HEARD)
        await page.becomes(f"!({BUTTON})")
        assert await page.tell("navigator.userActivation.hasBeenActive") is False
