"""What only happens late: nobody came to teach, and a lesson that does not end."""

from __future__ import annotations

from pathlib import Path

import pytest

from signaling.rules import ASSISTANT_STARTS_AFTER, ENDS_AFTER
from tests.e2e.classroom import WAIT, frames_advance, in_state, tile
from tests.e2e.live_county import LASTS, ROOM, chromium_with, live_county

pytestmark = pytest.mark.slow


async def test_assistant_begins_and_ends_the_lesson_that_no_host_came_to(tmp_path: Path, migrated_sqlite: Path) -> None:
    began = ASSISTANT_STARTS_AFTER + 1
    async with (
        live_county(tmp_path / "data", migrated_sqlite, began=began) as lesson,
        chromium_with(cameras=1) as browser,
    ):
        panel, phone = await lesson.panel(browser), await lesson.assistant(browser, lang="en")
        await in_state(panel, "open")
        await phone.click('[data-action="start-lesson"]')
        await in_state(phone, "live")
        await in_state(panel, "live")
        await panel.click('[data-action="raise-hand"]')
        await phone.wait_for_selector('[data-hands="1"]', timeout=WAIT)
        await phone.click('[data-action="end-lesson"]')
        await phone.click('[data-action="end-lesson"][data-confirm="true"]')
        await phone.wait_for_selector('[data-state="ended"]', timeout=WAIT)
        await panel.wait_for_selector('[data-view="over"], [data-view="idle"]', timeout=WAIT)
        # what stands instead of a lesson speaks both languages
        unknown = await lesson.load(phone.context, "/classroom/nobody-knows")
        for page, words in ((phone, "本课已结束"), (unknown, "没有这节课")):
            await page.click('.gate .langs [lang="zh-CN"]')
            await page.wait_for_selector(f'.gate h1:has-text("{words}")', timeout=WAIT)
        assert lesson.errors == []


async def test_host_who_comes_late_takes_the_lesson_over(tmp_path: Path, migrated_sqlite: Path) -> None:
    began = ASSISTANT_STARTS_AFTER + 1
    async with (
        live_county(tmp_path / "data", migrated_sqlite, began=began) as lesson,
        chromium_with(cameras=1) as browser,
    ):
        phone = await lesson.assistant(browser)
        await phone.click('[data-action="start-lesson"]')
        await phone.wait_for_selector('[data-action="end-lesson"]', timeout=WAIT)
        host = await lesson.host(browser)
        await in_state(host, "live")
        await phone.wait_for_selector('[data-action="end-lesson"]', state="detached", timeout=WAIT)
        await host.click('[data-action="end-lesson"]')
        await host.click('[data-action="end-lesson"][data-confirm="true"]')
        await phone.wait_for_selector('[data-state="ended"]', timeout=WAIT)
        assert lesson.errors == []


async def test_early_assistant_has_nothing_to_start(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        phone = await lesson.assistant(browser)
        await in_state(phone, "open")
        await phone.wait_for_selector(".wait", timeout=WAIT)
        assert await phone.locator('[data-action="start-lesson"]').count() == 0
        assert lesson.errors == []


async def test_lesson_that_overruns_says_when_it_ends(tmp_path: Path, migrated_sqlite: Path) -> None:
    """A minute and a half before the server ends it: everybody is told how long there is."""
    began = LASTS + ENDS_AFTER - 90
    async with (
        live_county(tmp_path / "data", migrated_sqlite, began=began) as lesson,
        chromium_with(cameras=1) as browser,
    ):
        host, phone = await lesson.host(browser), await lesson.assistant(browser, lang="en")
        panel = await lesson.panel(browser)
        await in_state(panel, "open")
        await host.click('[data-action="start-lesson"]')
        for page, words in ((host, "分后自动下课"), (phone, "min")):
            await in_state(page, "overrun")
            warning = page.locator('[data-overrun][role="alert"]')
            await warning.wait_for(timeout=WAIT)
            assert words in await warning.inner_text()
        await in_state(panel, "overrun")
        assert "后自动结束" in await panel.inner_text(".ls .over")
        # hands and all else go on
        await panel.click('[data-action="raise-hand"]')
        await phone.wait_for_selector('[data-hands="1"]', timeout=WAIT)
        assert lesson.errors == []


async def test_wall_goes_on_to_its_next_lesson_while_the_last_one_overruns(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with (
        live_county(tmp_path / "data", migrated_sqlite, began=LASTS + 1) as lesson,
        chromium_with(cameras=1) as browser,
    ):
        host, panel = await lesson.host(browser), await lesson.panel(browser)
        await host.click('[data-action="start-lesson"]')
        await panel.wait_for_selector(f'[data-session="{lesson.session}"][data-state="overrun"]', timeout=WAIT)
        await lesson.open("next-lesson")
        next_host = await lesson.load(host.context, "/classroom/next-lesson")
        await next_host.click('[data-action="start-lesson"]')
        await panel.wait_for_selector('[data-session="next-lesson"][data-state="live"]', timeout=WAIT)
        await tile(host, ROOM, "offline")
        await tile(next_host, ROOM, "connected")
        await frames_advance(panel, 2)
        assert lesson.errors == []
