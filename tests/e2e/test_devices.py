"""Cameras, microphones and loudspeakers as schools have them: chosen, denied, missing, pulled out, silenced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, async_playwright

from tests import services
from tests.e2e.classroom import WAIT, Classroom, frames_advance, tile
from tests.e2e.conftest import Demo

pytestmark = pytest.mark.slow

FAKE = "--use-fake-device-for-media-stream"
ANSWERS = "--use-fake-ui-for-media-stream"
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

SILENCED = """
    // the browser's policy before a first touch; the test's own driver counts as one, so it is played here
    window.touched = false;
    addEventListener('pointerdown', () => { window.touched = true; }, true);
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
        if (this instanceof HTMLVideoElement || window.touched) return play.call(this);
        this.pause();
        return Promise.reject(new DOMException('touch first', 'NotAllowedError'));
    };
"""


@asynccontextmanager
async def browser(demo: Demo, *, without: tuple[str, ...] = (), cameras: int = 2) -> AsyncIterator[Classroom]:
    """A Chromium with `cameras` fake cameras, or `without` some of the switches that make tests easy."""
    arguments = [arg for arg in services.CHROMIUM_ARGS if arg not in without and arg != FAKE]
    if FAKE not in without:
        arguments.append(f"{FAKE}=device-count={cameras}")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=services.require("chromium"), args=arguments)
        classroom = Classroom(launched, demo)
        try:
            yield classroom
        finally:
            await classroom.close()
            await launched.close()


async def panel(classroom: Classroom, demo: Demo, *, script: str = "", lang: str = "zh-CN") -> Page:
    """The wall panel of the first member classroom."""
    url = demo.json["lesson"]["endpoint_urls"][0]["url"]
    page = await classroom.open(url, "panel", width=1920, height=1080, lang=lang, script=script)
    await page.wait_for_selector('[data-role="endpoint"]', timeout=WAIT)
    return page


def room(demo: Demo) -> str:
    return str(demo.json["lesson"]["endpoint_urls"][0]["room"])


async def device(page: Page, use: str, state: str) -> None:
    await page.wait_for_selector(f'[data-use="{use}"][data-state="{state}"]', timeout=WAIT)


async def test_devices_are_chosen_and_remembered(demo: Demo) -> None:
    async with browser(demo) as classroom:
        host = await classroom.host()
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
        assert classroom.errors == []


async def test_camera_pulled_out_is_replaced_and_taken_again_when_it_is_back(demo: Demo) -> None:
    async with browser(demo, cameras=1) as classroom:
        host = await classroom.host()
        page = await panel(classroom, demo, script=PLUGS)
        await frames_advance(page, 2)
        await page.evaluate("() => window.plug('fake_device_0', true)")
        await page.wait_for_selector("footer .note", timeout=WAIT)
        assert "镜头被拔掉了" in await page.inner_text("footer .note")
        await tile(host, room(demo), "audio_only")
        await page.evaluate("() => window.plug('fake_device_0', false)")
        await page.wait_for_selector("footer .note", state="detached", timeout=WAIT)
        await tile(host, room(demo), "connected")
        await frames_advance(page, 2)
        assert classroom.errors == []


async def test_second_camera_stands_in_for_the_one_pulled_out(demo: Demo) -> None:
    async with browser(demo) as classroom:
        page = await panel(classroom, demo, script=PLUGS, lang="en")
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
        assert classroom.errors == []


async def test_lesson_goes_on_without_any_device(demo: Demo) -> None:
    async with browser(demo) as hosts, browser(demo, without=(FAKE,)) as classroom:
        host = await hosts.host()
        page = await panel(classroom, demo)
        await page.wait_for_selector('footer [data-action="retry-devices"]', timeout=WAIT)
        await tile(host, room(demo), "connected")
        await host.wait_for_selector(f'[data-room="{room(demo)}"] [data-gives="listens"]', timeout=WAIT)
        await frames_advance(page, 1)
        await page.click('[data-action="choose-devices"]')
        await device(page, "mic", "missing")
        await device(page, "pupils", "missing")
        assert hosts.errors + classroom.errors == []


async def test_denied_devices_are_explained_and_open_once_they_are_allowed(demo: Demo) -> None:
    async with browser(demo, without=(ANSWERS,)) as classroom:
        host = await classroom.host()
        await host.wait_for_selector('.own [data-action="retry-devices"]', timeout=WAIT)
        assert "浏览器没有允许" in await host.inner_text(".own .note")
        await host.context.grant_permissions(["camera", "microphone"])
        await host.wait_for_selector(".own .note", state="detached", timeout=WAIT)
        await frames_advance(host, 1)
        assert classroom.errors == []


BUSY = """
    // another program holds the devices until `released`
    window.released = false;
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wanted) =>
        window.released ? open(wanted) : Promise.reject(new DOMException('held', 'NotReadableError'));
"""


async def test_devices_that_another_program_holds_are_named_and_tried_again(demo: Demo) -> None:
    async with browser(demo) as classroom:
        page = await panel(classroom, demo, script=BUSY, lang="en")
        await page.wait_for_selector("footer .note", timeout=WAIT)
        assert "Another program" in await page.inner_text("footer .note")
        await page.evaluate("() => { window.released = true; }")
        await page.click('footer [data-action="retry-devices"]')
        await page.wait_for_selector("footer .note", state="detached", timeout=WAIT)
        assert classroom.errors == []


async def test_silenced_page_sounds_after_a_touch_anywhere(demo: Demo) -> None:
    async with browser(demo) as classroom:
        await classroom.host()
        observer = await classroom.open(demo.json["lesson"]["observer_url"], "observer", script=SILENCED)
        await observer.wait_for_selector('[data-action="play-sound"]', timeout=WAIT)
        await observer.click("header")
        await observer.wait_for_selector('[data-action="play-sound"]', state="detached", timeout=WAIT)
        await observer.wait_for_function(
            "() => [...document.querySelectorAll('audio')].some(voice => !voice.paused)", timeout=WAIT
        )
        assert classroom.errors == []
