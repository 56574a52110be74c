"""Page turns in step: eight panels in real Chromium, and how far apart they show the page that is turned to.

Server, host and panels share this machine and one clock. Cameras are denied, so that what is measured is the turning
and not eight video encoders on a few cores; the pages are real ones, full of writing, and come over HTTP as they do in
a lesson. Then the lines of two rooms, each with one queue for sockets and pages, fall to 300 kbit/s, and there is
material that nobody has fetched yet.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from statistics import quantiles

from aiohttp import ClientSession, FormData, web
from PIL import Image, ImageDraw, ImageFont
from playwright.async_api import Browser, Page, async_playwright

from config.settings import load
from server.app import create_app
from server.auth.middleware import COOKIE, auth_key, origins_key
from tests import services
from tests.bench.runner import Figure
from tests.county_server import SYNC, enrol, furnish, person_id, remote_room
from tests.fault_proxy import Line, tcp_proxy

ROOMS = 8
TURNS = 20
TURNS_FULL = 60
PAGES = 12
WEAK_ROOMS = 2
WEAK_DELAY = 0.06
"""Seconds, in each direction."""
WEAK_DOWN, WEAK_UP = 300_000, 100_000
"""bit/s of everything that a room gets and sends."""
SEGMENT = 1460
"""Octets that travel together there."""
DWELL_SECONDS = 4.0
"""How long a class looks at a page, at least."""
SKEW_GOAL = 0.1
WAIT = 60_000
DENIED = """navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));"""
SAME_WAY = """
    const direct = window.fetch;
    window.fetch = async (address, options) => {
        const response = await direct(address, options);
        if (!/[/]join([?]|$)/.test(address) || !response.ok) return response;
        const ticket = await response.json();
        ticket.socketUrl = ticket.socketUrl.replace(/[/][/][^/]+/, `//${location.host}`);
        return new Response(JSON.stringify(ticket), { status: 200, headers: { "Content-Type": "application/json" } });
    };
"""
"""The server tells its own address; the socket of a weak room takes the room's line like everything else."""
WATCH = """
    window.shownAt = {};
    const key = (sheet) => `${sheet.dataset.material}/${sheet.dataset.page}`;
    const look = () => {
        const sheet = document.querySelector(".sheet");
        if (!sheet || sheet.dataset.picture !== "large" || window.shownAt.page === key(sheet)) return;
        const page = key(sheet);
        window.shownAt = { page };
        requestAnimationFrame(() => setTimeout(() => {
            window.shownAt = { page, at: performance.timeOrigin + performance.now() };
        }));
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
"""
"""The frame after the change, painted: a task after an animation frame runs when it has been handed over."""
SHOWN = """page => {
    const sheet = document.querySelector(".sheet");
    if (sheet === null || sheet.dataset.page !== page || window.shownAt.at === undefined) return false;
    return window.shownAt.page === `${sheet.dataset.material}/${page}`;
}"""


def figures(full: bool) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        skews, delays, weak = asyncio.run(_measure(Path(folder), TURNS_FULL if full else TURNS))
    yield _figure("page-turn skew between 8 rooms, p95", _p95(skews), SKEW_GOAL)
    yield _figure("page-turn skew between 8 rooms, worst", max(skews), None)
    yield _figure("the same, 2 rooms at 300 kbit/s and 60 ms, p95", _p95(weak), None)
    yield _figure("from the host's key to the last room, p95", _p95(delays), None)


async def _measure(folder: Path, turns: int) -> tuple[list[float], list[float], list[float]]:
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
    weak = [(Line(seed=1), Line(seed=2)) for _ in range(WEAK_ROOMS)]
    async with AsyncExitStack() as stack:
        proxies = [
            await stack.enter_async_context(tcp_proxy(("127.0.0.1", port), up=up, down=down, chunk=SEGMENT))
            for up, down in weak
        ]
        bases = [f"http://127.0.0.1:{proxy.address[1]}" for proxy in proxies]
        app[origins_key] = frozenset({base, *bases})
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await enrol(app)
        await furnish(app, schools=ROOMS + 1)
        host = await app[auth_key].open_session("person", person_id("host_teacher"))
        session = await _lesson(base, host)
        panels = [await app[auth_key].open_session("room", remote_room(f"A{number}")) for number in range(1, ROOMS + 1)]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=services.CHROMIUM, args=services.CHROMIUM_ARGS)
            teacher = await _enter(browser, base, f"/classroom/{session}?as=host", host)
            bases += [base] * (ROOMS - WEAK_ROOMS)
            rooms = [await _enter(browser, at, "/room", token) for at, token in zip(bases, panels, strict=True)]
            await _open(teacher, rooms, "first")
            skews, delays = await _turn(teacher, rooms, turns)
            for up, down in weak:
                up.delay = down.delay = WEAK_DELAY
                up.rate, down.rate = WEAK_UP, WEAK_DOWN
            await _open(teacher, rooms, "second")
            weak_skews, _ = await _turn(teacher, rooms, PAGES - 1, dwell=DWELL_SECONDS)
            await browser.close()
            return skews, delays, weak_skews


async def _lesson(base: str, host: str) -> str:
    """A rehearsal of the lesson with two materials."""
    async with ClientSession(base, headers={"X-Tongke": "1", "Cookie": f"{COOKIE}={host}"}) as http:
        opened = await (await http.post("/api/sessions", json={"lesson": SYNC})).json()
        for title in ("first", "second"):
            form = FormData()
            for number in range(PAGES):
                form.add_field("file", BytesIO(_written(f"{title} {number}")), filename=f"{number}.png")
            query = {"kind": "teaching_resource", "title": title, "weekly": "1"}
            added = await http.post(f"/api/sessions/{opened['id']}/materials", params=query, data=form)
            added.raise_for_status()
        return str(opened["id"])


def _written(name: str) -> bytes:
    """A page full of writing."""
    rng = random.Random(name)
    page = Image.new("L", (1600, 900), 255)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(26)
    for line in range(24):
        words = " ".join("".join(rng.choices("aeioumnrstlkd", k=rng.randint(2, 9))) for _ in range(18))
        pen.text((40, 30 + 35 * line), words, font=font, fill=20)
    made = BytesIO()
    page.save(made, "PNG")
    return made.getvalue()


async def _enter(browser: Browser, base: str, path: str, token: str) -> Page:
    context = await browser.new_context(viewport={"width": 1366, "height": 768})
    await context.add_cookies([{"name": COOKIE, "value": token, "url": base}])
    await context.add_init_script(DENIED + SAME_WAY + WATCH)
    page = await context.new_page()
    await page.goto(base + path)
    return page


async def _open(host: Page, rooms: list[Page], title: str) -> None:
    for page in rooms:
        await page.wait_for_selector("[data-session]", timeout=WAIT)
    await host.wait_for_selector('[data-action="push-material"]', timeout=WAIT)
    await host.click('[data-action="push-material"]')
    await host.click(f'[data-action="open-material"]:has-text("{title}")')
    await _all_show(rooms, 1)


async def _turn(host: Page, rooms: list[Page], turns: int, dwell: float = 0.0) -> tuple[list[float], list[float]]:
    """How far apart the rooms showed each page, and how long after the host's key the last one did, in seconds."""
    skews, delays = [], []
    number = 1
    for turn in range(turns):
        step = "PageDown" if turn // (PAGES - 1) % 2 == 0 else "PageUp"
        number += 1 if step == "PageDown" else -1
        await asyncio.sleep(dwell)
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
