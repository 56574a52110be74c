"""The pages of a live lesson, each as its own person meets it: phone, observer, a panel without a camera."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.classroom import WAIT, Classroom, frames_advance, in_state, tile
from tests.e2e.conftest import Demo

pytestmark = pytest.mark.slow

OVERFLOW = """() => ({
    down: document.documentElement.scrollHeight - innerHeight,
    right: document.documentElement.scrollWidth - innerWidth,
})"""
COVERED = """() => [...document.querySelectorAll('header button, .dock button')].filter(button => {
    const { x, y, width, height } = button.getBoundingClientRect();
    return !button.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}).map(button => button.textContent)"""
UNNAMED = """() => [...document.querySelectorAll('button, a, input, select, textarea')].filter(element => {
    const label = element.getAttribute('aria-label') || element.textContent || element.labels?.[0]?.textContent || '';
    return element.offsetParent !== null && label.trim() === '';
}).map(element => element.outerHTML.slice(0, 120))"""


@pytest.fixture
async def classroom(demo: Demo, chromium: Browser) -> AsyncIterator[Classroom]:
    opened = Classroom(chromium, demo)
    yield opened
    await opened.close()


async def started(classroom: Classroom) -> Page:
    """The host's page of a lesson that is live."""
    host = await classroom.host()
    await host.wait_for_selector('[data-action="start-lesson"], [data-action="end-lesson"]', timeout=WAIT)
    if await host.query_selector('[data-action="start-lesson"]'):
        await host.click('[data-action="start-lesson"]')
    await in_state(host, "live")
    return host


async def ended(host: Page) -> None:
    await host.click('[data-action="end-lesson"]')
    sure = host.locator('[data-action="end-lesson"][data-confirm="true"]')
    shown = await sure.bounding_box()
    assert shown is not None
    assert shown["x"] + shown["width"] <= await host.evaluate("() => innerWidth"), "the question is cut off"
    await sure.click()
    await host.wait_for_selector('[data-state="ended"]', timeout=WAIT)


async def test_assistant_helps_from_the_phone(demo: Demo, classroom: Classroom) -> None:
    lesson = demo.json["lesson"]
    host = await started(classroom)
    phone = await classroom.open(lesson["assistant_url"], "assistant", width=390, height=844)
    await in_state(phone, "live")
    unit = lesson["endpoint_urls"][0]
    await classroom.open(unit["url"], "endpoint", width=1920, height=1080)
    room = unit["room"]
    await tile(host, room, "connected")

    await phone.wait_for_selector(f'[data-room="{room}"][data-state="connected"]', timeout=WAIT)
    await phone.click("button.seat")
    await phone.click('[data-action="raise-hand"][data-seat="12"]')
    await host.wait_for_selector(f'[data-room="{room}"][data-hands="1"]', timeout=WAIT)
    await phone.click('[data-action="signal"][data-kind="slower"]')
    await host.wait_for_selector(f'[data-room="{room}"] .ask', timeout=WAIT)

    await phone.click('[data-tab="attendance"]')
    await phone.click('[data-seat="4"]')
    await phone.click('[data-action="take-attendance"]')
    await phone.wait_for_selector('[data-action="take-attendance"][data-state="taken"]', timeout=WAIT)
    await phone.click('[data-tab="lesson"]')

    await host.click(f'[data-room="{room}"] [data-action="call-on"]')
    await phone.wait_for_selector('.call[role="alert"]', timeout=WAIT)
    assert (await phone.evaluate(OVERFLOW))["right"] <= 0
    assert await phone.evaluate(UNNAMED) == []
    await ended(host)
    await phone.wait_for_selector('[data-state="ended"]', timeout=WAIT)
    assert classroom.errors == []


async def test_observer_watches_and_is_not_seen(demo: Demo, classroom: Classroom) -> None:
    host = await started(classroom)
    tiles = await host.locator(".tile[data-room]").count()
    observer = await classroom.open(demo.json["lesson"]["observer_url"], "observer")
    await in_state(observer, "live")
    await frames_advance(observer, 1)
    assert await host.locator(".tile[data-room]").count() == tiles
    forbidden = ["call-on", "mute", "spotlight", "start-lesson", "end-lesson", "raise-hand", "mark-point"]
    assert [action for action in forbidden if await observer.locator(f'[data-action="{action}"]').count()] == []
    await observer.set_viewport_size({"width": 390, "height": 844})
    assert await observer.evaluate(COVERED) == []
    await observer.click('[data-action="leave"]')
    await observer.wait_for_selector('[data-action="join"]', timeout=WAIT)
    await ended(host)
    assert classroom.errors == []


async def test_patrol_sees_all_rooms_and_is_not_seen(demo: Demo, classroom: Classroom) -> None:
    host = await started(classroom)
    session = await host.get_attribute("[data-session]", "data-session")
    viewer = next(user for user in demo.json["users"] if user["role"] == "bureau_viewer")
    url = f"{demo.json['base_url']}/classroom/{session}"
    patrol = await classroom.sign_in(viewer["login"], viewer["password"], url)
    await patrol.wait_for_selector('[data-role="patrol"]', timeout=WAIT)
    rooms = [entry["room"] for entry in demo.json["lesson"]["endpoint_urls"]]
    assert {await tile.get_attribute("data-room") for tile in await patrol.locator(".strip .tile").all()} >= set(rooms)
    forbidden = ["call-on", "mute", "spotlight", "start-lesson", "end-lesson", "raise-hand", "mark-point", "chat"]
    assert [action for action in forbidden if await patrol.locator(f'[data-action="{action}"]').count()] == []
    assert await host.locator(".tile").count() == len(rooms) + 1
    await ended(host)
    assert classroom.errors == []


async def test_panel_without_camera_joins_and_says_so(demo: Demo, classroom: Classroom) -> None:
    host = await started(classroom)
    entry = demo.json["lesson"]["endpoint_urls"][1]
    await classroom.open("about:blank", "endpoint", width=1920, height=1080)
    context = classroom.contexts[-1]
    await context.add_init_script(
        """navigator.mediaDevices.getUserMedia = () =>
            Promise.reject(new DOMException("no device", "NotFoundError"));"""
    )
    panel = context.pages[0]
    await panel.goto(entry["url"])
    await in_state(panel, "live")
    await tile(host, entry["room"], "connected")
    await panel.wait_for_selector('[data-action="retry-devices"]', timeout=WAIT)
    await frames_advance(panel, 1)
    assert await panel.evaluate(OVERFLOW) == {"down": 0, "right": 0}
    await ended(host)
    assert classroom.errors == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)])
async def test_host_page_fits_the_screen(
    demo: Demo, classroom: Classroom, language: str, width: int, height: int
) -> None:
    host = await classroom.open(demo.json["lesson"]["host_url"], "host", width=width, height=height)
    await host.wait_for_selector("[data-session]", timeout=WAIT)
    await host.click(f'.langs button[lang="{language}"]')
    await host.wait_for_selector(f'html[lang="{language}"]', timeout=WAIT)
    assert await host.evaluate(OVERFLOW) == {"down": 0, "right": 0}
    assert await host.evaluate(UNNAMED) == []
    assert classroom.errors == []


async def test_host_keys_work_and_can_be_switched_off(classroom: Classroom) -> None:
    host = await started(classroom)
    marks = host.locator('[data-action="mark-point"]')
    before = int(await marks.get_attribute("data-marks") or 0)
    await host.keyboard.press("m")
    await host.wait_for_selector(f'[data-action="mark-point"][data-marks="{before + 1}"]', timeout=WAIT)
    await host.keyboard.press("t")
    await host.wait_for_selector('[data-action="timer"][aria-expanded="true"]', timeout=WAIT)
    await host.keyboard.press("t")
    await host.click('button[aria-pressed="true"].quiet')
    await host.keyboard.press("t")
    assert await host.get_attribute('[data-action="timer"]', "aria-expanded") == "false"
    await ended(host)
    assert classroom.errors == []
