"""Makes the pictures of the README: a whole lesson of the running demo, in Chromium, with drawn cameras.

./run demo --port 0 --data data/pictures &
.venv/bin/python -m docs.screenshots data/pictures [--lang zh-CN|en] [--out docs/screenshots]

Pictures are `<name>.png` in Chinese and `<name>.en.png` in English. They need CJK fonts. Look at them before
committing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]
FLAGS += ["--allow-loopback-in-peer-connection", "--no-first-run", "--force-color-profile=srgb"]
PC: ViewportSize = {"width": 1366, "height": 768}
PANEL: ViewportSize = {"width": 1920, "height": 1080}
PHONE: ViewportSize = {"width": 390, "height": 844}
WALLS = ["#e9e2d3", "#dde6e0", "#e4dfe8", "#e8e4da"]
REMARKS = {
    "zh-CN": ["演礼的孩子先猜后试，说得出理由。", "这里可以再等三秒，让远端也想一想。"],
    "en": [
        "They guessed first, then tried, and gave reasons.",
        "Wait three seconds here, so that the far room can think too.",
    ],
}
STEPS = ["想一想", "试一试", "说一说"]
"""What stands on the blackboard below the lesson's topic."""
WAIT_MS = 60_000.0
LESSON_SECONDS = 20.0
"""What the review then has to play."""


class Photographer:
    """One run: the demo's addresses, the browser, and where the pictures go."""

    def __init__(self, browser: Browser, demo: dict[str, Any], lang: str, out: Path) -> None:
        self._browser = browser
        self._demo = demo
        self._lang = lang
        self._out = out
        self._pages: AsyncExitStack = AsyncExitStack()

    async def run(self) -> None:
        """Take every picture."""
        async with self._pages:
            await self._desk()
            await self._lesson()

    async def _desk(self) -> None:
        """What a director sees: the day and the table."""
        desk = await self._page(PC)
        base, user = self._demo["base_url"], self._director()
        await desk.goto(f"{base}/sign-in")
        await desk.fill("input[name=login]", user["login"])
        await desk.fill("input[name=password]", user["password"])
        await desk.press("input[name=password]", "Enter")
        await desk.wait_for_url(f"{base}/")
        await desk.wait_for_load_state("networkidle")
        await self._take(desk, "home")
        await desk.goto(f"{base}/timetable?view=clock")
        await desk.click(f'[data-lesson="{self._demo["lesson"]["id"]}"] >> nth=0')
        await self._take(desk, "timetable")
        await desk.context.close()

    async def _lesson(self) -> None:
        """A lesson from the greeting to its review."""
        lesson = self._demo["lesson"]
        host = await self._page(PC, scene="teacher", wall=WALLS[0], talks=True)
        await host.goto(lesson["host_url"])
        rooms = []
        for number, endpoint in enumerate(lesson["endpoint_urls"], 1):
            room = await self._page(PANEL, scene="pupils", wall=WALLS[number % len(WALLS)], seed=number, talks=True)
            await room.goto(endpoint["url"])
            rooms.append(room)
        for endpoint in lesson["endpoint_urls"]:
            await host.wait_for_selector(f'[data-room="{endpoint["room"]}"][data-state="connected"]')
        await host.click('[data-action="start-lesson"]')
        await host.wait_for_selector('[data-role="host"][data-state="live"]')
        phone = await self._page(PHONE)
        await phone.goto(lesson["assistant_url"])
        await phone.wait_for_selector('[data-role="assistant"]')
        await asyncio.gather(*(self._sees_pictures(page) for page in (host, *rooms)))
        await rooms[1].click('[data-action="raise-hand"]')
        await rooms[2].click('[data-action="raise-hand"]')
        await host.wait_for_selector('[data-hands="1"] >> nth=1')
        await self._sees_pictures(host)
        await self._take(host, "host")
        await self._take(phone, "assistant")
        called = lesson["endpoint_urls"][1]["room"]
        await host.click(f'[data-room="{called}"] [data-action="call-on"] >> nth=0')
        await rooms[1].wait_for_timeout(3000)
        await self._take(rooms[1], "classroom")
        await host.click('[data-action="mark-point"]')
        await host.wait_for_timeout(LESSON_SECONDS * 1000)
        await host.click('[data-action="end-lesson"]')
        if await host.query_selector('[data-action="end-lesson"][data-confirm="true"]'):
            await host.click('[data-action="end-lesson"]')
        review = host.locator('a[href^="/review/"]')
        await review.wait_for()
        for page in (*rooms, phone):
            await page.context.close()
        await review.click()
        await self._review(host, lesson["endpoint_urls"][1]["unit"])

    async def _review(self, page: Page, called: str) -> None:
        """The review with the room that was called on beside the host, and two remarks."""
        await page.wait_for_selector("[data-view]")
        small = page.locator(f'.th[data-unit="{called}"] [data-action="enlarge"]')
        if await small.count():
            await small.first.click()
        for remark in REMARKS[self._lang]:
            # from point to point: the hands, the call, the mark
            for _ in range(2):
                await page.keyboard.press(".")
            await page.keyboard.press("l")
            await page.click('[data-action="compose"]')
            await page.fill("textarea", remark)
            await page.click('[data-action="add-comment"]')
            await page.wait_for_function("text => document.body.innerText.includes(text)", arg=remark)
            await page.keyboard.press("Escape")
            await page.evaluate("document.activeElement.blur()")
        large = '.vw:not(.th)[data-state="playing"]'
        await page.wait_for_function(
            """large => {
                const shown = [...document.querySelectorAll(large)];
                return shown.length === 2 && shown.every((view) =>
                    [...view.querySelectorAll('video')].some((video) => video.videoWidth > 0 && !video.seeking));
            }""",
            arg=large,
        )
        await self._take(page, "review")

    async def _page(self, size: ViewportSize, **scene: Any) -> Page:
        """A page of its own login session, in the language wanted."""
        context: BrowserContext = await self._browser.new_context(viewport=size, locale=self._lang)
        context.set_default_timeout(WAIT_MS)
        self._pages.push_async_callback(context.close)
        await context.add_init_script(f"localStorage.setItem('tongke.lang', {json.dumps(self._lang)})")
        if scene:
            drawn = {"scene": "pupils", "board": self._board(), "wall": WALLS[0], "seed": 0, "talks": False} | scene
            await context.add_init_script(f"window.drawnScene = {json.dumps(drawn)}")
            await context.add_init_script((HERE / "drawn_camera.js").read_text("utf-8"))
        return await context.new_page()

    async def _sees_pictures(self, page: Page) -> None:
        """Wait until every video that is shown has a picture, and none stands still for want of time."""
        await page.wait_for_function(
            """() => {
                const shown = [...document.querySelectorAll('video')].filter((v) => v.offsetParent !== null);
                const moves = shown.length > 0 && shown.every((v) => v.videoWidth > 0 && v.readyState >= 2);
                return moves && document.querySelector('.still, .facts td.z') === null;
            }"""
        )

    async def _take(self, page: Page, name: str) -> None:
        await page.bring_to_front()
        await page.evaluate("document.fonts.ready")
        # what moves has come to rest
        await page.wait_for_timeout(1500)
        suffix = "" if self._lang == "zh-CN" else f".{self._lang}"
        path = self._out / f"{name}{suffix}.png"
        await page.screenshot(path=path, animations="disabled")
        await _shrink(path)
        print(path)

    def _director(self) -> dict[str, str]:
        """The director of a school that takes part in the demo lesson."""
        users: list[dict[str, str]] = self._demo["users"]
        unit = self._demo["lesson"]["endpoint_urls"][0]["unit"]
        return next(user for user in users if (user["role"], user["unit"]) == ("academic_director", unit))

    def _board(self) -> list[str]:
        topic = self._demo["lesson"]["title"].rpartition("·")[2].strip()
        return [topic, *STEPS]


async def _shrink(path: Path) -> None:
    """Fewer colours, where ImageMagick is there: pictures stay in the history of the repository for good."""
    convert = shutil.which("convert")
    if convert is not None:
        tool = await asyncio.create_subprocess_exec(convert, path, "+dither", "-colors", "160", f"PNG8:{path}")
        await tool.wait()


async def photograph(demo: dict[str, Any], lang: str, out: Path) -> None:
    """Take the pictures of a demo, which its demo.json describes."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            await Photographer(browser, demo, lang, out).run()
        finally:
            await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the pictures of the README from a running demo.")
    parser.add_argument("data", type=Path, help="the demo's data folder")
    parser.add_argument("--lang", choices=["zh-CN", "en"], default="zh-CN")
    parser.add_argument("--out", type=Path, default=HERE / "screenshots")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    described = json.loads((arguments.data / "demo.json").read_text("utf-8"))
    asyncio.run(photograph(described, arguments.lang, arguments.out))
