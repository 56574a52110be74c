"""A whole lesson in real Chromium against the demonstration: how long people wait at its start and after its end.

Host and three classrooms run on the same machine as the server, software encoders and all, so these are upper bounds.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.async_api import async_playwright

from tests import services
from tests.bench.runner import Figure
from tests.e2e.classroom import Classroom, frames_advance, in_state, tile
from tests.e2e.conftest import Demo

GOALS = {
    "cold start of the demonstration": 120.0,
    "warm start of the demonstration": 10.0,
    "a classroom opens until every picture moves": 10.0,
    "the host ends until both sides play in the review": 10.0,
}
LESSON_SECONDS = 15.0


def figures(full: bool) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder) / "data")
        yield _figure("cold start of the demonstration", _timed(demo.start))
        demo.stop()
        yield _figure("warm start of the demonstration", _timed(demo.start))
        try:
            for name, seconds in asyncio.run(_lesson(demo)).items():
                yield _figure(name, seconds)
        finally:
            demo.stop()


async def _lesson(demo: Demo) -> dict[str, float]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=services.CHROMIUM, args=[*services.CHROMIUM_ARGS, services.FAKE_DEVICES]
        )
        classroom = Classroom(browser, demo)
        host = await classroom.host()
        await in_state(host, "open")
        entries = demo.json["lesson"]["endpoint_urls"]
        began = time.monotonic()
        first = await classroom.open(entries[0]["url"], entries[0]["room"])
        await frames_advance(first, 2)
        opened = time.monotonic() - began
        for entry in entries[1:]:
            await classroom.open(entry["url"], entry["room"])
        for entry in entries:
            await tile(host, entry["room"], "connected")
        await host.click('[data-action="start-lesson"]')
        await in_state(host, "live")
        await frames_advance(host, len(entries) + 1)
        await asyncio.sleep(LESSON_SECONDS)  # the length of the lesson that is measured, not a wait for anything
        await host.click('[data-action="end-lesson"]')
        began = time.monotonic()
        await host.click('[data-action="end-lesson"][data-confirm="true"]')
        await host.click('[data-action="open-review"]')
        await host.wait_for_selector("[data-review]")
        await host.click('[data-action="play"]')
        await frames_advance(host, 2)
        ended = time.monotonic() - began
        await classroom.close()
        await browser.close()
    return {
        "a classroom opens until every picture moves": opened,
        "the host ends until both sides play in the review": ended,
    }


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _figure(name: str, seconds: float) -> Figure:
    return Figure(
        figure=name,
        value=round(seconds, 1),
        unit="s",
        peer=None,
        peer_value=None,
        ratio=None,
        goal=f"at most {GOALS[name]:g} s",
        met=seconds <= GOALS[name],
    )
