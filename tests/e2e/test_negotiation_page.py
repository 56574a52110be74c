"""Schools agree on a draft in real Chromium: one proposes, one objects, all agree, and a version comes of it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from server.keys import counties_key, timetable_key
from tests.county_server import CORE, MEMBER, THIRD, CountyServer, agree_on, county_table
from tests.e2e.desks import Desks
from tests.e2e.test_pages import OVERFLOW, UNTRANSLATED, WAIT

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PANEL = "/timetable?version=draft&tab=nego"
OBJECTION = "周三下午全体教师去镇上教研"


async def press(page: Page, action: str, unit: str, answer: str) -> None:
    await page.click(f'[data-action="{action}"]', timeout=WAIT)
    await page.wait_for_selector(f'[data-unit="{unit}"][data-state="{answer}"]', timeout=WAIT)


async def test_schools_agree_on_a_draft_and_it_becomes_a_version(small: CountyServer, desks: Desks) -> None:
    """Under the hardest mode, where silence is not agreement; a version is published already."""
    tables = small.app[timetable_key]
    register = (await small.app[counties_key].now()).register
    assert register.communities[0].mode == "collaborative"
    await agree_on(tables, county_table(register, "A", 2), (CORE, MEMBER, THIRD))
    published = await tables.draft("A")
    assert published is not None
    # another day of the week for the lesson of all three
    await tables.take_draft("A", county_table(register, "A", 3), author="排课", revision=published.revision)

    core = await desks.open("core_director", PANEL)
    await core.click('[data-action="propose"]', timeout=WAIT)
    await core.wait_for_selector('[data-state="proposed"]', timeout=WAIT)

    member = await desks.open("member_director", PANEL)
    await member.click('[data-action="object"]', timeout=WAIT)
    await member.fill("dialog textarea", OBJECTION)
    await member.locator("dialog select").first.select_option(index=1)
    # every slot says what it would mean
    await expect(member.locator("dialog select option[data-verdict]").first).to_be_attached(timeout=WAIT)
    await press(member, "send-objection", MEMBER, "objected")
    assert await member.evaluate(UNTRANSLATED) == []

    await core.reload()
    await core.wait_for_selector(f'[data-unit="{MEMBER}"][data-state="objected"]', timeout=WAIT)
    await expect(core.locator('[data-action="publish"]')).to_be_disabled()
    await expect(core.get_by_text(OBJECTION)).to_be_visible()

    await press(member, "agree", MEMBER, "agreed")
    await core.reload()
    await core.wait_for_selector(f'[data-unit="{MEMBER}"][data-state="agreed"]', timeout=WAIT)
    await expect(core.locator('[data-action="publish"]')).to_be_disabled()
    third = await desks.open("third_director", PANEL)
    await press(third, "agree", THIRD, "agreed")
    assert (await third.evaluate(OVERFLOW))["right"] <= 0

    await core.reload()
    await core.click('[data-action="publish"]:not([disabled])', timeout=WAIT)
    await core.click("dialog .acts .pri, dialog .dialog-acts .pri")
    await expect(core.locator('.table-page[data-status="published"]')).to_be_visible(timeout=WAIT)
    newest = await tables.newest("A")
    assert newest is not None
    assert newest.number == 2
