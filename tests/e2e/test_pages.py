"""The pages of paper in real Chromium: both languages, PC and phone, nothing cut off, and what they lead to works."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, ViewportSize, expect

from tests.e2e.conftest import Demo

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SHOTS = Path(__file__).with_name("shots")
WAIT = 20_000
PC: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}
PAGES = {
    "home": "/",
    "clock-week": "/timetable",
    "clock-day": "/timetable?view=day",
    "periods": "/timetable?view=class",
    "lessons": "/lessons",
    "reviews": "/reviews",
    "rooms": "/rooms",
    "people": "/people",
    "import": "/import",
    "year-term": "/year?part=term",
    "year-members": "/year?part=members",
    "pair": "/pair?code=12345678",
}
ONE_SCREEN = {"home", "clock-week", "clock-day", "periods"}
OVERFLOW = """() => ({
    right: document.documentElement.scrollWidth - innerWidth,
    below: document.documentElement.scrollHeight - innerHeight,
})"""
UNTRANSLATED = """() => [...document.body.querySelectorAll('*')]
    .flatMap(node => [...node.childNodes].filter(child => child.nodeType === 3).map(child => child.data.trim()))
    .filter(text => /^[a-z_]+(\\.[a-z_]+)+$/.test(text) || /\\{[a-z_]+\\}/.test(text))"""


def account(demo: Demo, role: str) -> dict[str, Any]:
    """The first account of a role."""
    return next(user for user in demo.json["users"] if user["role"] == role)


def host_director(demo: Demo) -> dict[str, Any]:
    """The academic director of the school that hosts the demonstration's lesson."""
    lesson = demo.json["lesson"]["id"]
    directors = (user for user in demo.json["users"] if user["role"] == "academic_director")
    return next(user for user in directors if lesson.startswith(f"{user['unit']}."))


async def sign_in(page: Page, demo: Demo, user: dict[str, Any]) -> None:
    await page.goto(f"{demo.json['base_url']}/sign-in")
    await page.fill('input[name="login"]', user["login"])
    await page.fill('input[name="password"]', user["password"])
    await page.click('button[type="submit"]')
    await page.wait_for_url(f"{demo.json['base_url']}/", timeout=WAIT)
    await page.wait_for_selector("main.home", timeout=WAIT)


class Desk:
    """One signed-in person's browser, with everything that went wrong in it."""

    def __init__(self, context: BrowserContext, page: Page, demo: Demo) -> None:
        self.context = context
        self.page = page
        self.demo = demo
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)

    async def open(self, path: str, lang: str | None = None) -> None:
        address = self.demo.json["base_url"] + path
        if lang is not None:
            address += ("&" if "?" in path else "?") + f"lang={lang}"
        await self.page.goto(address)
        await self.page.wait_for_selector(".sheet-page .card, main.home, .week .half, table.pt", timeout=WAIT)


@pytest_asyncio.fixture(loop_scope="module")
async def director(demo: Demo, shared_chromium: Browser) -> AsyncIterator[Desk]:
    """The academic director of the host school, signed in."""
    user = host_director(demo)
    context = await shared_chromium.new_context(viewport=PC)
    page = await context.new_page()
    await sign_in(page, demo, user)
    desk = Desk(context, page, demo)
    yield desk
    await context.close()
    assert desk.errors == []


async def test_wrong_password_is_said_on_the_page(demo: Demo, shared_chromium: Browser) -> None:
    context = await shared_chromium.new_context(viewport=PC)
    page = await context.new_page()
    await page.goto(f"{demo.json['base_url']}/sign-in?lang=en")
    await page.fill('input[name="login"]', account(demo, "principal")["login"])
    await page.fill('input[name="password"]', "not the password")
    await page.click('button[type="submit"]')
    alert = await page.wait_for_selector('[role="alert"]', timeout=WAIT)
    assert alert is not None
    assert "wrong" in await alert.inner_text()
    assert page.url.startswith(f"{demo.json['base_url']}/sign-in")
    await context.close()


async def test_stranger_is_led_to_sign_in_and_back(demo: Demo, shared_chromium: Browser) -> None:
    context = await shared_chromium.new_context(viewport=PC)
    page = await context.new_page()
    await page.goto(f"{demo.json['base_url']}/timetable?view=day")
    await page.wait_for_url(re.compile(r"/sign-in\?next="), timeout=WAIT)
    user = account(demo, "academic_director")
    await page.fill('input[name="login"]', user["login"])
    await page.fill('input[name="password"]', user["password"])
    await page.click('button[type="submit"]')
    await page.wait_for_url(re.compile(r"/timetable\?view=day"), timeout=WAIT)
    await context.close()


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
async def test_pages_fit_a_small_pc_screen(director: Desk, lang: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    for name, path in PAGES.items():
        await director.open(path, lang)
        over = await director.page.evaluate(OVERFLOW)
        assert over["right"] <= 0, name
        if name in ONE_SCREEN:
            assert over["below"] <= 0, name
        assert await director.page.evaluate(UNTRANSLATED) == [], name
        await director.page.screenshot(path=SHOTS / f"{name}.{lang}.png")


async def test_pages_fit_a_phone(director: Desk) -> None:
    await director.page.set_viewport_size(PHONE)
    for name, path in PAGES.items():
        await director.open(path)
        assert (await director.page.evaluate(OVERFLOW))["right"] <= 0, name


async def test_language_is_remembered(director: Desk) -> None:
    await director.open("/timetable", "en")
    assert await director.page.inner_text(".nav a[aria-current]") == "Timetable"
    await director.open("/lessons")
    assert await director.page.evaluate("document.documentElement.lang") == "en"
    await director.page.click('.langs button[lang="zh-CN"]')
    await director.page.wait_for_function("() => document.documentElement.lang === 'zh-CN'")
    assert await director.page.inner_text(".nav a[aria-current]") == "课堂"


async def test_language_is_remembered_by_who_does_not_wait_for_the_page(demo: Demo, shared_chromium: Browser) -> None:
    context = await shared_chromium.new_context(viewport=PC)
    page = await context.new_page()
    await page.route("**/assets/*", _late_catalogue)
    await page.goto(f"{demo.json['base_url']}/sign-in?lang=en")
    await page.wait_for_function("() => localStorage.getItem('tongke.lang') === 'en'", timeout=WAIT)
    await page.unroute("**/assets/*")
    await page.goto(f"{demo.json['base_url']}/sign-in")
    await page.wait_for_function("() => document.documentElement.lang === 'en'", timeout=WAIT)
    await context.close()


async def _late_catalogue(route: Route) -> None:
    """The texts of a language never arrive; everything else does."""
    if "/en-" not in route.request.url:
        await route.continue_()


async def test_lesson_shows_how_the_bells_overlap(director: Desk) -> None:
    await director.open("/timetable?show=all")
    lesson = director.demo.json["lesson"]["id"]
    await director.page.click(f'button[data-lesson="{lesson}"]')
    await director.page.wait_for_selector(f'.panel [data-lesson="{lesson}"] .lens', timeout=WAIT)
    rows = director.page.locator(".panel .lens .lr:not(.hd)")
    assert await rows.count() == 1 + len(director.demo.json["lesson"]["endpoint_urls"])
    assert f"lesson={lesson}" in director.page.url


async def test_grid_is_moved_through_by_keyboard(director: Desk) -> None:
    await director.open("/timetable")
    page = director.page
    assert await page.locator('[data-lesson][data-column][tabindex="0"]').count() == 1
    await page.focus('[data-lesson][data-column][tabindex="0"]')
    before = await page.evaluate("document.activeElement.dataset.lesson")
    await page.keyboard.press("ArrowRight")
    after = await page.evaluate("document.activeElement.dataset.lesson")
    assert after != before
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f'.panel [data-lesson="{after}"]', timeout=WAIT)


async def test_published_table_names_its_version(director: Desk) -> None:
    await director.open("/timetable?tab=versions", "en")
    assert await director.page.get_attribute(".table-page", "data-status") == "published"
    await expect(director.page.locator(".panel")).to_contain_text("Version 1", timeout=WAIT)


async def test_calendar_address_works_and_is_shown_once(director: Desk) -> None:
    page = director.page
    await director.open("/timetable?view=class&by=class")
    await page.click(".subbar .btn")
    await page.fill("dialog .input", "test")
    await page.click("dialog form .btn.pri")
    shown = await page.wait_for_selector(".feed-url", timeout=WAIT)
    assert shown is not None
    reply = await director.context.request.get(await shown.inner_text())
    assert reply.headers["content-type"].startswith("text/calendar")
    assert (await reply.body()).startswith(b"BEGIN:VCALENDAR")
    await page.click("dialog .feed-list .btn.bad")
    await page.wait_for_selector("dialog .feed-list", state="detached", timeout=WAIT)


async def test_panel_is_paired_by_its_code(director: Desk, shared_chromium: Browser) -> None:
    wall = await shared_chromium.new_context(viewport={"width": 1920, "height": 1080})
    panel = await wall.new_page()
    await panel.goto(f"{director.demo.json['base_url']}/room")
    shown = await panel.wait_for_selector("[data-code]", timeout=WAIT)
    assert shown is not None
    code = await shown.get_attribute("data-code")
    await director.open(f"/pair?code={code}")
    await director.page.wait_for_selector('select[name="room"] option[value*="remote"]', state="attached", timeout=WAIT)
    rooms = director.page.locator('select[name="room"] option')
    taken = {entry["room"] for entry in director.demo.json["lesson"]["endpoint_urls"]}
    ids = [await rooms.nth(n).get_attribute("value") for n in range(await rooms.count())]
    free = next(id for id in reversed(ids) if id and id not in taken)
    await director.page.select_option('select[name="room"]', free)
    await director.page.click('[data-action="confirm-pairing"]')
    await director.page.wait_for_selector(".note.ok", timeout=WAIT)
    await panel.wait_for_selector('[data-view="pairing"]', state="detached", timeout=WAIT)
    await wall.close()
