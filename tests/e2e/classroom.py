"""The pages of one live lesson in real Chromium, driven as their people would."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from tests.e2e.conftest import Demo

SHOTS = Path(__file__).with_name("shots")
FRAMES = """() => Object.fromEntries(
    [...document.querySelectorAll('video[data-participant]')]
        .map(video => [video.dataset.participant, Number(video.dataset.frames || 0)])
        .filter(([, frames]) => frames > 0))"""
ADVANCED = """([before, participants]) => {
    const moved = [...document.querySelectorAll('video[data-participant]')].filter(
        video => Number(video.dataset.frames || 0) > (before[video.dataset.participant] || 0) + 5);
    return new Set(moved.map(video => video.dataset.participant)).size >= participants;
}"""
WAIT = 30_000


class Classroom:
    """The host's page and one page for each member classroom, each a browser context of its own."""

    def __init__(self, browser: Browser, demo: Demo) -> None:
        self._browser = browser
        self._demo = demo
        self.errors: list[str] = []
        self.contexts: list[BrowserContext] = []

    async def open(
        self, url: str, name: str, *, width: int = 1366, height: int = 768, lang: str = "zh-CN", script: str = ""
    ) -> Page:
        """A page in a browser context of its own; `script` runs in it before the page's own."""
        context = await self._browser.new_context(viewport={"width": width, "height": height}, locale=lang)
        # a browser's own error pages and blank frames have no storage
        await context.add_init_script(
            "if (self.origin !== 'null' && !localStorage.getItem('tongke.lang'))"
            f" localStorage.setItem('tongke.lang', '{lang}');"
        )
        if script:
            await context.add_init_script(script)
        self.contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"{name}: {error}"))
        await page.goto(url)
        return page

    async def sign_in(self, login: str, password: str, url: str, *, lang: str = "zh-CN") -> Page:
        """A person at a computer of their own signs in and opens `url`."""
        page = await self.open(f"{self._demo.json['base_url']}/sign-in?lang={lang}", login, lang=lang)
        await page.fill('input[name="login"]', login)
        await page.fill('input[name="password"]', password)
        await page.click('button[type="submit"]')
        await page.wait_for_url(lambda address: "/sign-in" not in address, timeout=WAIT)
        await page.goto(url.partition("?")[0])
        return page

    async def host(self) -> Page:
        return await self.open(self._demo.json["lesson"]["host_url"], "host")

    async def endpoints(self) -> list[tuple[dict[str, Any], Page]]:
        """A wall panel for each member classroom, the last one in English."""
        entries = self._demo.json["lesson"]["endpoint_urls"]
        languages = ["zh-CN"] * (len(entries) - 1) + ["en"]
        pages = await asyncio.gather(
            *(
                self.open(entry["url"], entry["room"], width=1920, height=1080, lang=lang)
                for entry, lang in zip(entries, languages, strict=True)
            )
        )
        return list(zip(entries, pages, strict=True))

    async def close(self) -> None:
        for context in self.contexts:
            await context.close()


async def in_state(page: Page, state: str) -> None:
    """Wait until the page shows the session in this state."""
    await page.wait_for_selector(f'[data-session][data-state="{state}"]', timeout=WAIT)


async def tile(page: Page, room: str, state: str) -> None:
    await page.wait_for_selector(f'[data-room="{room}"][data-state="{state}"]', timeout=WAIT)


async def frames_advance(page: Page, participants: int) -> None:
    """Wait until `participants` different videos of the page show new frames."""
    await page.wait_for_function(
        """count => {
            const moving = [...document.querySelectorAll('video[data-participant]')].filter(
                video => Number(video.dataset.frames) > 0);
            return new Set(moving.map(video => video.dataset.participant)).size >= count;
        }""",
        arg=participants,
        timeout=WAIT,
    )
    before = await page.evaluate(FRAMES)
    await page.wait_for_function(ADVANCED, arg=[before, participants], timeout=WAIT)


async def shoot(page: Page, name: str) -> None:
    """A picture of the page for people to look at: in the language it shows and, by its own switch, in the other."""
    SHOTS.mkdir(exist_ok=True)
    shown = await page.evaluate("() => document.documentElement.lang")
    await page.screenshot(path=SHOTS / f"{name}.{shown}.png")
    other = page.locator('.langs button[aria-pressed="false"]')
    if await other.count() == 0:  # a wall panel has no switch
        return
    await other.click()
    await page.wait_for_function("before => document.documentElement.lang !== before", arg=shown, timeout=WAIT)
    now = await page.evaluate("() => document.documentElement.lang")
    await page.screenshot(path=SHOTS / f"{name}.{now}.png")
    await page.click(f'.langs button[lang="{shown}"]')
    await page.wait_for_function("before => document.documentElement.lang === before", arg=shown, timeout=WAIT)
