"""A power cut at a wall panel: its browser is killed in the middle of a lesson and started again, touched by nobody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, Playwright, async_playwright
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tests import services
from tests.e2e.classroom import WAIT, frames_advance, in_state, tile
from tests.e2e.live_county import ROOM, WALL, LiveCounty, chromium_with, live_county
from tests.e2e.test_exercise_page import ask
from tests.e2e.test_materials import shows
from tests.material_files import pdf

pytestmark = pytest.mark.slow

BACK_WITHIN = 30.0
"""Seconds from the browser's start to the lesson on the wall, on a machine that runs all else of it, too."""
ATTEMPTS = 3
ATTACH = 10_000.0
"""Milliseconds."""


class Kiosk:
    """The browser of a panel as its machine starts it: with a profile that stays, and the address of the page."""

    def __init__(self, profile: Path, url: str) -> None:
        self._profile = profile
        self._url = url

    async def paired(self, lesson: LiveCounty) -> None:
        """The panel was paired some day and shut down in the evening: what it knows is on its disk."""
        async with async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                str(self._profile), executable_path=services.require("chromium"), args=services.CHROMIUM_ARGS
            )
            await lesson.pair(context)
            await context.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Page]:
        """Switched on; at the end its plug is pulled."""
        (self._profile / "DevToolsActivePort").unlink(missing_ok=True)
        size = f"--window-size={WALL['width']},{WALL['height']}"
        flags = [*services.CHROMIUM_ARGS, size, f"--user-data-dir={self._profile}", "--remote-debugging-port=0"]
        process = await asyncio.create_subprocess_exec(
            services.require("chromium"),
            *flags,
            "--kiosk",
            self._url,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with async_playwright() as playwright:
                browser = await self._attached(playwright)
                yield await self._page(browser)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _attached(self, playwright: Playwright) -> Browser:
        """Playwright at the browser. One that comes while the first page is about to replace the blank one waits for
        the blank one for ever, so it comes when the page is there; and once more, as soon as that was still too early.
        """
        async with asyncio.timeout(WAIT / 1000):
            port, path = await self._address()
            await self._loaded(port)
        for _ in range(ATTEMPTS):
            with contextlib.suppress(PlaywrightTimeout):
                return await playwright.chromium.connect_over_cdp(f"ws://127.0.0.1:{port}{path}", timeout=ATTACH)
        raise TimeoutError(f"{ATTEMPTS} times nobody came to the panel's browser")

    async def _address(self) -> tuple[str, str]:
        announced = self._profile / "DevToolsActivePort"
        while not (announced.exists() and len(lines := announced.read_text("utf-8").splitlines()) == 2):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return lines[0], lines[1]

    async def _loaded(self, port: str) -> None:
        """Until the browser's list, which touches no page, has one with a title of its own, not its address."""
        async with aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    pages = [target for target in await answer.json(content_type=None) if target["type"] == "page"]
                if any(page["title"] and page["title"] not in page["url"] for page in pages):
                    return
                await asyncio.sleep(0.05)

    async def _page(self, browser: Browser) -> Page:
        (context,) = browser.contexts
        return next(page for page in context.pages if page.url.startswith(self._url.rpartition("/")[0]))


async def test_panel_returns_to_the_lesson_after_a_power_cut(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        kiosk = Kiosk(tmp_path / "profile", f"{lesson.county.base}/room")
        await kiosk.paired(lesson)
        host = await lesson.host(browser)
        await host.click('[data-action="start-lesson"]')
        await in_state(host, "live")
        file = tmp_path / "练习.pdf"
        file.write_bytes(pdf(4, width=960, height=540))
        await host.click('[data-action="push-material"]')
        await host.click('[data-action="manage-materials"]')
        await host.set_input_files('[data-action="add-material"]', file)
        await host.wait_for_selector('.mlist li:last-child[data-versions="1"] b:has-text("练习")', timeout=WAIT)
        await host.keyboard.press("Escape")
        await host.click('.tray [data-action="open-material"]:has-text("练习")')

        async with kiosk.running() as panel:
            await shows(panel, 1)
            await tile(host, ROOM, "connected")
        await tile(host, ROOM, "reconnecting")

        # the class is in the dark while the lesson goes on
        await host.keyboard.press("PageDown")
        await host.keyboard.press("PageDown")
        await shows(host, 3)
        await host.click('[data-action="timer"]')
        await host.click(".timer-list button >> nth=3")

        started = time.monotonic()
        async with kiosk.running() as panel:
            await shows(panel, 3)
            back = time.monotonic() - started
            assert 230 < await panel.evaluate(COUNT_DOWN) < 300
            await tile(host, ROOM, "connected")
            await frames_advance(panel, 2)
            assert await host.locator(f'[data-room="{ROOM}"]').count() == 1
        assert back < BACK_WITHIN
        await tile(host, ROOM, "reconnecting")

        await ask(host, "choice", "入射角是 35°，反射角是多少度？", ("35°", "55°"), right=0)
        started = time.monotonic()
        async with kiosk.running() as panel:
            await panel.wait_for_selector('.wx [data-option="1"]', timeout=WAIT)
            assert time.monotonic() - started < BACK_WITHIN
            await panel.click('.wx [data-option="0"] [data-action="more-hands"]')
            await host.wait_for_selector('.xcard [data-answered="1"]', timeout=WAIT)
        assert lesson.errors == []


COUNT_DOWN = """() => {
    const [minutes, seconds] = document.querySelector('.count-down').innerText.trim().split(':').map(Number);
    return 60 * minutes + seconds;
}"""
