"""Schools agree on a new draft in real Chromium: one proposes, one objects, all agree, and a version comes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import Demo
from tests.e2e.test_pages import OVERFLOW, PC, UNTRANSLATED, WAIT, sign_in
from tests.e2e.test_table_page import a_draft, call

pytestmark = pytest.mark.slow

PANEL = "/timetable?version=draft&tab=nego"


@asynccontextmanager
async def desk_of(demo: Demo, browser: Browser, user: dict[str, Any]) -> AsyncIterator[Page]:
    """A director at a computer of their own."""
    context = await browser.new_context(viewport=PC)
    page = await context.new_page()
    await sign_in(page, demo, user)
    yield page
    await context.close()


async def test_schools_agree_on_a_draft_and_it_becomes_a_version(demo: Demo, chromium: Browser) -> None:
    """Under the hardest mode, where silence is not agreement."""
    directors = {user["unit"]: user for user in demo.json["users"] if user["role"] == "academic_director"}
    admin = next(user for user in demo.json["users"] if user["role"] == "bureau_admin")
    communities = await _communities(demo, chromium, admin)
    # not the community of the demonstration's lesson: its table is for the other tests
    community = [one for one in communities if one["mode"] == "collaborative"][-1]
    async with desk_of(demo, chromium, admin) as page:
        core_unit, *members = [unit["id"] for unit in (await _table(page, community["id"], ""))["units"]]
    async with AsyncExitStack() as desks:
        core = await desks.enter_async_context(desk_of(demo, chromium, directors[core_unit]))
        before = (await _table(core, community["id"], ""))["version"]
        await a_draft(core)
        await core.goto(demo.json["base_url"] + PANEL)
        await core.click('[data-action="propose"]')
        await core.wait_for_selector('[data-state="proposed"]', timeout=WAIT)

        first = await desks.enter_async_context(desk_of(demo, chromium, directors[members[0]]))
        await first.goto(demo.json["base_url"] + PANEL)
        await first.click('[data-action="object"]')
        await first.fill("dialog textarea", "周三下午全体教师去镇上教研")
        await first.click('[data-action="send-objection"]')
        await first.wait_for_selector(f'[data-unit="{members[0]}"][data-state="objected"]', timeout=WAIT)
        assert await first.evaluate(UNTRANSLATED) == []

        await core.reload()
        await core.wait_for_selector(f'[data-unit="{members[0]}"][data-state="objected"]', timeout=WAIT)
        await expect(core.locator('[data-action="publish"]')).to_be_disabled()
        await expect(core.get_by_text("周三下午全体教师去镇上教研")).to_be_visible()

        await first.click('[data-action="agree"]')
        await first.wait_for_selector(f'[data-unit="{members[0]}"][data-state="agreed"]', timeout=WAIT)
        for unit in members[1:]:
            async with desk_of(demo, chromium, directors[unit]) as page:
                await page.goto(demo.json["base_url"] + PANEL)
                await page.wait_for_selector(f'[data-unit="{unit}"]', timeout=WAIT)
                if await page.locator(f'[data-unit="{unit}"][data-state="unaffected"]').count():
                    continue
                await page.click('[data-action="agree"]')
                await page.wait_for_selector(f'[data-unit="{unit}"][data-state="agreed"]', timeout=WAIT)
                assert (await page.evaluate(OVERFLOW))["right"] <= 0

        await core.reload()
        await core.click('[data-action="publish"]:not([disabled])', timeout=WAIT)
        await core.click("dialog .acts .pri, dialog .dialog-acts .pri")
        await core.wait_for_function(
            """async ([community, before]) => {
                const answer = await fetch(`/api/communities/${community}/timetable`);
                return (await answer.json()).version === before + 1;
            }""",
            arg=[community["id"], before],
            timeout=WAIT,
        )
        assert (await _table(core, community["id"], ""))["status"] == "published"


async def _communities(demo: Demo, browser: Browser, admin: dict[str, Any]) -> list[dict[str, Any]]:
    async with desk_of(demo, browser, admin) as page:
        return list((await call(page, "GET", "/api/me"))["communities"])


async def _table(page: Page, community: str, version: str) -> Any:
    return await call(page, "GET", f"/api/communities/{community}/timetable?version={version}")
