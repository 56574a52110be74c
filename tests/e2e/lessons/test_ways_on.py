"""Nobody is left at a dead end: beside an exercise, after a lesson, and at an address where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.e2e.classroom import WAIT
from tests.e2e.live_county import chromium_with, live_county
from tests.e2e.test_exercise_page import ask

pytestmark = pytest.mark.slow


async def ways(page: Page) -> set[str]:
    """Where the links of a dead end lead, without what stands behind the pages' names."""
    await page.wait_for_selector("[data-ways]", timeout=WAIT)
    links = await page.eval_on_selector_all("[data-ways] a", "links => links.map(link => link.pathname)")
    return {link.split("/")[1] for link in links}


async def test_host_finds_the_rooms_beside_an_exercise_and_the_way_on_after_the_lesson(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host = await lesson.started(browser)
        # what a key or a press opens is used and closed by keys, which then stand where they were
        await host.keyboard.press("t")
        await host.wait_for_selector(".timer-list button:focus", timeout=WAIT)
        await host.keyboard.press("Escape")
        await host.wait_for_selector('[data-action="timer"][aria-expanded="false"]:focus', timeout=WAIT)
        await host.click('[data-action="chat"]')
        await host.wait_for_selector('input[name="say"]:focus', timeout=WAIT)
        await host.keyboard.type("快十分钟了")
        await host.keyboard.press("Enter")
        await host.wait_for_selector('[data-message]:has-text("快十分钟了")', timeout=WAIT)
        await host.keyboard.press("Escape")
        await host.wait_for_selector('[data-action="chat"][aria-expanded="false"]:focus', timeout=WAIT)
        await ask(host, "number", "入射角是 35°，反射角是多少度？")
        assert await host.locator('[data-action="open-access"]').count() == 0
        await host.click('[data-action="show-rooms"]')
        await host.click('[data-action="open-access"]')
        await host.wait_for_selector('dialog [data-action="give-guest"]', timeout=WAIT)
        await host.keyboard.press("Escape")
        await host.click('[data-action="show-answers"]')
        await host.wait_for_selector(".xcard", timeout=WAIT)
        await host.click('[data-action="end-lesson"]')
        await host.click('[data-action="end-lesson"][data-confirm="true"]')
        await host.wait_for_selector('[data-ways] [data-action="open-review"]', timeout=WAIT)
        over = {"review", "report", "lessons", "timetable"}
        assert await ways(host) == over
        for address in ("classroom", "lesson"):
            page = await lesson.load(host.context, f"/{address}/{lesson.session}")
            await page.wait_for_selector('[data-ways] [data-action="open-review"]', timeout=WAIT)
            assert await ways(page) == over
        for address in ("classroom", "lesson", "report"):
            page = await lesson.load(host.context, f"/{address}/nowhere")
            assert await ways(page) == {"lessons", "timetable"}
            assert await page.locator('[data-action="retry"]').count() == 0
        assert lesson.errors == []
