"""One live lesson of the small county, which runs in the test's own process: at any minute of the lesson, and in any
Chromium. The demonstration's lesson begins when the test does; what comes late in a lesson needs one that is old."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, ViewportSize, async_playwright

from server.auth.middleware import COOKIE, auth_key
from server.keys import counties_key, live_key, timetable_key
from server.session_plans import rehearsal_plan
from tests import services
from tests.county_server import CORE, MEMBER, SYNC, CountyServer, person_id, remote_room, running_county
from tests.e2e.classroom import WAIT, in_state

STATIC = Path(__file__).parents[2] / "server" / "static"
FAKE = next(arg for arg in services.CHROMIUM_ARGS if arg.startswith(services.FAKE_DEVICES))
ANSWERS = "--use-fake-ui-for-media-stream"
LASTS = 2400.0
PC: ViewportSize = {"width": 1366, "height": 768}
WALL: ViewportSize = {"width": 1920, "height": 1080}
PHONE: ViewportSize = {"width": 390, "height": 844}
HOST_ROOM, ROOM = remote_room(CORE), remote_room(MEMBER)


class LiveCounty:
    """The lesson's people and panels, each in a browser context of their own."""

    def __init__(self, county: CountyServer, session: str) -> None:
        self.county = county
        self.session = session
        self.errors: list[str] = []
        self._contexts: list[BrowserContext] = []

    async def host(self, browser: Browser, **options: Any) -> Page:
        """The teacher who teaches all rooms."""
        return await self._person(browser, "host_teacher", **options)

    async def assistant(self, browser: Browser, **options: Any) -> Page:
        """The teacher with the member class, on the phone."""
        return await self._person(browser, "member_teacher", viewport=PHONE, **options)

    async def patrol(self, browser: Browser, **options: Any) -> Page:
        """The bureau looks in: a page that has no camera and no microphone."""
        return await self._person(browser, "bureau_viewer", **options)

    async def panel(self, browser: Browser, unit: str = MEMBER, *, script: str = "", **options: Any) -> Page:
        """The wall panel of a school's remote room; it finds its lesson alone. `script` runs before its own."""
        context = await self.context(browser, **{"viewport": WALL, **options})
        if script:
            await context.add_init_script(script)
        await self.pair(context, unit)
        return await self.load(context, "/room")

    async def started(self, browser: Browser) -> Page:
        """The host's page, the lesson just started by it."""
        host = await self.host(browser)
        await host.click('[data-action="start-lesson"]')
        await in_state(host, "live")
        return host

    async def context(self, browser: Browser, lang: str = "zh-CN", **options: Any) -> BrowserContext:
        context = await browser.new_context(locale=lang, **options)
        await context.add_init_script(f"if (self.origin !== 'null') localStorage.setItem('tongke.lang', '{lang}')")
        self._contexts.append(context)
        return context

    async def load(self, context: BrowserContext, path: str) -> Page:
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"{path}: {error}"))
        await page.goto(self.county.base + path)
        return page

    async def pair(self, context: BrowserContext, unit: str = MEMBER) -> None:
        """Make the browser that of a school's panel."""
        token = await self.token("room", remote_room(unit))
        # one that outlives the browser, as the server gives it
        kept = time.time() + 86_400
        await context.add_cookies([{"name": COOKIE, "value": token, "url": self.county.base, "expires": kept}])

    async def _person(self, browser: Browser, name: str, *, script: str = "", **options: Any) -> Page:
        context = await self.context(browser, **{"viewport": PC, **options})
        if script:
            await context.add_init_script(script)
        token = await self.token("person", person_id(name))
        await context.add_cookies([{"name": COOKIE, "value": token, "url": self.county.base}])
        return await self.load(context, f"/classroom/{self.session}")

    async def token(self, kind: Literal["person", "room"], subject: str) -> str:
        """The login session of a person or a paired panel, as its cookie holds it."""
        return await self.county.app[auth_key].open_session(kind, subject)

    async def open(self, session: str, *, began: float = 0.0) -> None:
        """One more session of the same rooms, whose bell rang `began` seconds ago."""
        table = await self.county.app[timetable_key].newest("A")
        assert table is not None
        lesson = next(lesson for lesson in table.table.lessons if lesson.id == SYNC)
        register = await self.county.app[counties_key].now()
        plan = rehearsal_plan(register, lesson, session=session, starts=time.time() - began, seconds=LASTS)
        await self.county.app[live_key].open(plan)

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()


class Untouched:
    """A page that nobody has touched. Playwright's own way of asking a page something counts as a touch, after which
    the browser plays any sound; this one does not."""

    def __init__(self, page: Page, devtools: CDPSession) -> None:
        self.page = page
        self._devtools = devtools

    @classmethod
    async def meet(cls, page: Page) -> Untouched:
        return cls(page, await page.context.new_cdp_session(page))

    async def tell(self, expression: str) -> Any:
        """The value of an expression of the page."""
        answer = await self._devtools.send(
            "Runtime.evaluate", {"expression": expression, "userGesture": False, "returnByValue": True}
        )
        return answer["result"].get("value")

    async def becomes(self, expression: str) -> None:
        """Wait until an expression of the page is true."""
        async with asyncio.timeout(WAIT / 1000):
            while not await self.tell(expression):  # noqa: ASYNC110 - a page
                await asyncio.sleep(0.1)


async def kill_process(browser: Browser, kind: str) -> None:
    """Kill one of a Chromium's own processes, such as `video_capture.mojom.VideoCaptureService`: the browser then tells
    its pages what it tells them when a driver fails."""
    devtools = await browser.new_browser_cdp_session()
    processes = (await devtools.send("SystemInfo.getProcessInfo"))["processInfo"]
    (found,) = (process["id"] for process in processes if process["type"] == kind)
    os.kill(found, signal.SIGKILL)


@asynccontextmanager
async def live_county(
    folder: Path, empty_database: Path, *, began: float = 0.0, media: str = "127.0.0.1", client: Path = STATIC
) -> AsyncIterator[LiveCounty]:
    """A lesson whose bell rang `began` seconds ago, open to be joined; nobody has started it. `media` is the address of
    its media, `client` the built pages."""
    async with running_county(folder, empty_database, client=client, TONGKE_MEDIA_HOST=media) as county:
        opened = LiveCounty(county, "late-lesson")
        await opened.open(opened.session, began=began)
        try:
            yield opened
        finally:
            await opened.close()


@asynccontextmanager
async def chromium_with(*arguments: str, without: tuple[str, ...] = (), cameras: int = 2) -> AsyncIterator[Browser]:
    """A Chromium with `cameras` fake cameras, further `arguments`, or `without` some that make tests easy."""
    args = [arg for arg in services.CHROMIUM_ARGS if arg not in without and arg != FAKE]
    if FAKE not in without:
        args.append(f"{FAKE},device-count={cameras}")
    async with async_playwright() as playwright:
        path = services.require("chromium")
        browser = await playwright.chromium.launch(executable_path=path, args=[*args, *arguments])
        try:
            yield browser
        finally:
            await browser.close()
