"""Who may watch a recording, on the pages: a colleague sees a locked review, the host shares it, and takes it back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from server.journals import FileJournals
from server.keys import answers_key, session_store_key, settings_key
from server.retention import DAY_SECONDS, REHEARSAL_DAYS, Retention
from tests.county_server import running_county
from tests.e2e.classroom import WAIT, shoot
from tests.e2e.conftest import STATIC
from tests.e2e.desks import Desks
from tests.held_lessons import Held, hold, record

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def recorded(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[Held]:
    async with running_county(tmp_path / "data", migrated_sqlite, client=STATIC) as county:
        yield await record(await hold(county))


async def release(host: Page, scope: str) -> None:
    await host.check(f'input[name="scope"][value="{scope}"]')
    await host.click('[data-action="set-release"]')
    await host.wait_for_selector(f'.rel[data-scope="{scope}"]', timeout=WAIT)


async def delete_in_its_time(recorded: Held) -> None:
    app, later = recorded.county.app, time.time() + (REHEARSAL_DAYS + 1) * DAY_SECONDS
    folder = app[settings_key].server.data_dir
    retention = Retention(
        app[session_store_key],
        app[settings_key].recordings_dir,
        app[answers_key],
        FileJournals(folder / "journals"),
        days=365,
        clock=lambda: later,
    )
    assert await retention.look() == [recorded.session]


async def test_colleague_watches_when_the_host_has_shared_and_no_longer(
    recorded: Held, shared_chromium: Browser
) -> None:
    desks = Desks(recorded.county, shared_chromium)
    page = f"/review/{recorded.id}"
    host, colleague = await desks.open("host_teacher", page), await desks.open("core_teacher", page)
    await colleague.wait_for_selector('[data-watching="not_shared"] [data-view][data-state="withheld"]', timeout=WAIT)
    await colleague.click('[data-action="who-may-watch"]')
    await colleague.wait_for_selector('.rel[data-scope="teachers"]', timeout=WAIT)
    assert await colleague.locator('[data-action="set-release"]').count() == 0
    await shoot(colleague, "review-withheld")

    await host.click('[data-action="who-may-watch"]')
    assert await host.is_disabled('[data-action="set-release"]')
    await release(host, "units")
    await shoot(host, "review-shared")
    await colleague.reload()
    await colleague.wait_for_selector('[data-watching="yes"]', timeout=WAIT)
    await colleague.click('[data-action="play"]')
    await colleague.wait_for_function(
        "() => [...document.querySelectorAll('[data-view] video')].some((video) => video.currentTime > 0.2)",
        timeout=WAIT,
    )

    await release(host, "teachers")
    await colleague.goto(recorded.county.base + "/reviews")
    await colleague.wait_for_selector('[data-review] [data-scope="teachers"]', timeout=WAIT)
    await colleague.goto(recorded.county.base + page)
    await colleague.wait_for_selector('[data-watching="not_shared"]', timeout=WAIT)
    assert await host.locator(".rel .lg li").count() == 2

    await delete_in_its_time(recorded)
    await host.reload()
    await host.wait_for_selector("[data-review] main .note", timeout=WAIT)
    assert await host.locator("[data-view]").count() == 0
    await shoot(host, "review-deleted")
    await desks.close()
