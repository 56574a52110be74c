"""Page turns in step: eight panels in real Chromium, and how far apart they show the page that is turned to.

Server, host and panels share this machine and one clock. Cameras are denied, so that what is measured is the turning
and not eight video encoders on a few cores; the pages are real ones and come over HTTP as they do in a lesson.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from aiohttp import ClientSession, FormData, web
from playwright.async_api import Browser, Page, async_playwright

from config.settings import load
from server.app import create_app
from server.auth.middleware import COOKIE, auth_key
from tests import services
from tests.bench.runner import Figure
from tests.county_server import SYNC, enrol, furnish, person_id, remote_room
from tests.material_files import pdf

ROOMS = 8
TURNS = 20
TURNS_FULL = 60
PAGES = 12
SKEW_GOAL = 0.1
WAIT = 60_000
DENIED = """navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));"""
WATCH = """
    window.shownAt = {};
    const look = () => {
        const sheet = document.querySelector(".sheet");
        if (!sheet || sheet.dataset.picture !== "large" || window.shownAt.page === sheet.dataset.page) return;
        const page = sheet.dataset.page;
        window.shownAt = { page };
        requestAnimationFrame(() => setTimeout(() => {
            window.shownAt = { page, at: performance.timeOrigin + performance.now() };
        }));
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
"""
"""The frame after the change, painted: a task after an animation frame runs when it has been handed over."""
SHOWN = "page => window.shownAt.page === page && window.shownAt.at !== undefined"


def figures(full: bool) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        skews, delays = asyncio.run(_measure(Path(folder), TURNS_FULL if full else TURNS))
    yield _figure("page-turn skew between 8 rooms, p95", _p95(skews), SKEW_GOAL)
    yield _figure("page-turn skew between 8 rooms, worst", max(skews), None)
    yield _figure("from the host's key to the last room, p95", _p95(delays), None)


async def _measure(folder: Path, turns: int) -> tuple[list[float], list[float]]:
    port = services.free_port()
    base = f"http://127.0.0.1:{port}"
    app = create_app(
        load(
            None,
            {
                "TONGKE_SERVER_DATA_DIR": str(folder),
                "TONGKE_SERVER_PORT": str(port),
                "TONGKE_MEDIA_PORT": "0",
                "TONGKE_MEDIA_TCP_PORT": "-1",
            },
        )
    )
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await enrol(app)
        await furnish(app, schools=ROOMS + 1)
        host = await app[auth_key].open_session("person", person_id("host_teacher"))
        session = await _lesson(base, host)
        panels = [await app[auth_key].open_session("room", remote_room(f"A{number}")) for number in range(1, ROOMS + 1)]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=services.CHROMIUM, args=services.CHROMIUM_ARGS)
            teacher = await _enter(browser, base, f"/classroom/{session}?as=host", host)
            rooms = [await _enter(browser, base, "/room", token) for token in panels]
            found = await _turn(teacher, rooms, turns)
            await browser.close()
            return found
    finally:
        await runner.cleanup()


async def _lesson(base: str, host: str) -> str:
    """A rehearsal of the lesson with one material."""
    async with ClientSession(base, headers={"X-Tongke": "1", "Cookie": f"{COOKIE}={host}"}) as http:
        opened = await (await http.post("/api/sessions", json={"lesson": SYNC})).json()
        form = FormData()
        form.add_field("file", pdf(PAGES, width=960, height=540), filename="slides.pdf")
        query = {"kind": "teaching_resource", "title": "slides", "weekly": "1"}
        added = await http.post(f"/api/sessions/{opened['id']}/materials", params=query, data=form)
        added.raise_for_status()
        return str(opened["id"])


async def _enter(browser: Browser, base: str, path: str, token: str) -> Page:
    context = await browser.new_context(viewport={"width": 1366, "height": 768})
    await context.add_cookies([{"name": COOKIE, "value": token, "url": base}])
    await context.add_init_script(DENIED + WATCH)
    page = await context.new_page()
    await page.goto(base + path)
    return page


async def _turn(host: Page, rooms: list[Page], turns: int) -> tuple[list[float], list[float]]:
    for page in rooms:
        await page.wait_for_selector("[data-session]", timeout=WAIT)
    await host.wait_for_selector('[data-action="push-material"]', timeout=WAIT)
    await host.click('[data-action="push-material"]')
    await host.click('[data-action="open-material"][data-kind="teaching_resource"]')
    skews, delays = [], []
    number = 1
    await _all_show(rooms, number)
    for turn in range(turns):
        step = "PageDown" if turn // (PAGES - 1) % 2 == 0 else "PageUp"
        number += 1 if step == "PageDown" else -1
        pressed = time.time()
        await host.keyboard.press(step)
        shown = await _all_show(rooms, number)
        skews.append(max(shown) - min(shown))
        delays.append(max(shown) - pressed)
    return skews, delays


async def _all_show(rooms: list[Page], number: int) -> list[float]:
    """When each room showed the page, unix seconds."""
    for page in rooms:
        await page.wait_for_function(SHOWN, arg=str(number), timeout=WAIT)
    return [float(await page.evaluate("() => window.shownAt.at")) / 1000 for page in rooms]


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def _figure(name: str, seconds: float, goal: float | None) -> Figure:
    return Figure(
        figure=name,
        value=round(seconds * 1000, 1),
        unit="ms",
        peer=None,
        peer_value=None,
        ratio=None,
        goal=None if goal is None else f"at most {goal * 1000:g} ms",
        met=None if goal is None else seconds <= goal,
    )
