"""A snow day in real Chromium: a director closes the school, the table shows it, a lost lesson has its make-up button,
and opened again everything stands where it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from server.keys import counties_key
from tests.county_server import CountyServer
from tests.e2e.conftest import Demo
from tests.e2e.desks import Desks
from tests.e2e.test_pages import OVERFLOW, PC, UNTRANSLATED, WAIT, Desk, host_director, sign_in
from tests.e2e.test_table_page import call

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def core(demo: Demo, shared_chromium: Browser) -> AsyncIterator[Desk]:
    context = await shared_chromium.new_context(viewport=PC)
    page = await context.new_page()
    await sign_in(page, demo, host_director(demo))
    desk = Desk(context, page, demo)
    yield desk
    await context.close()
    assert desk.errors == []


async def a_lost_lesson(core: Desk, unit: str) -> tuple[dict[str, Any], int, str]:
    """A sync lesson that the school hosts, a term week in which it takes place, and its date there."""
    me = await call(core.page, "GET", "/api/me")
    view = await call(core.page, "GET", f"/api/communities/{me['communities'][0]['id']}/timetable")
    term, tomorrow = view["term"], date.fromisoformat(view["term"]["today"]) + timedelta(days=1)
    hosted = {one["id"]: one for one in view["lessons"] if one["kind"] == "sync" and one["parties"][0]["unit"] == unit}
    for week in range(max(1, term["week"]), term["weeks"] + 1):
        path = f"/api/communities/{me['communities'][0]['id']}/week?week={week}"
        for day in (await call(core.page, "GET", path))["days"]:
            if date.fromisoformat(day["date"]) > tomorrow:
                for id in day["standing"]:
                    if id in hosted:
                        return hosted[id], week, day["date"]
    pytest.fail("no sync lesson of the school is to come")


async def test_a_snow_day_is_declared_shown_made_up_for_and_taken_back(core: Desk) -> None:
    page, unit = core.page, host_director(core.demo)["unit"]
    lesson, week, day = await a_lost_lesson(core, unit)
    await page.goto(f"{core.demo.json['base_url']}/year")
    await page.click('[data-action="close-schools"]', timeout=WAIT)
    await page.fill('input[name="reason"]', "暴雪")
    await page.fill('input[name="first"]', day)
    await page.fill('input[name="last"]', day)
    await page.wait_for_selector(".dialog .counts", timeout=WAIT)
    await page.click('[data-action="confirm-closing"]')
    card = page.locator('.closing[data-state="coming"]')
    await expect(card).to_contain_text("暴雪", timeout=WAIT)
    try:
        await page.click('[data-action="plan-make-ups"]')
        await page.wait_for_selector(f'.lost[data-occurrence="{lesson["id"]}.{day}"]', timeout=WAIT)
        assert (await page.evaluate(OVERFLOW))["right"] <= 0
        assert await page.evaluate(UNTRANSLATED) == []

        await core.open(f"/timetable?week={week}")
        struck = page.locator(f'.les.is-cancelled[data-lesson="{lesson["id"]}"]')
        await expect(struck).to_be_visible(timeout=WAIT)
        await expect(page.locator(".day-note")).to_contain_text("暴雪")
        await struck.click()
        await page.click('[data-action="make-up"]', timeout=WAIT)
        await page.wait_for_selector('.dialog select[name="target"], .dialog .note', timeout=WAIT)
        await page.keyboard.press("Escape")

        await page.click('[data-action="dated"]')
        await expect(page.locator(f'.les.is-published[data-lesson="{lesson["id"]}"]')).to_be_visible(timeout=WAIT)
    finally:
        await page.goto(f"{core.demo.json['base_url']}/year")
        await page.click('[data-action="reopen"]', timeout=WAIT)
        await page.click('[data-action="confirm-reopen"]')
        await expect(page.locator(".closing").first).to_have_attribute("data-state", "reopened", timeout=WAIT)
    await core.open(f"/timetable?week={week}")
    await expect(page.locator(f'.les.is-published[data-lesson="{lesson["id"]}"]')).to_be_visible(timeout=WAIT)


async def test_the_turn_of_the_term_is_looked_at_told_and_begins_anew(small: CountyServer, desks: Desks) -> None:
    page = await desks.open("bureau_admin", "/year?part=term&lang=zh-CN")
    look, take = page.locator('[data-action="look-rollover"]'), page.locator('[data-action="take-rollover"]')
    await page.fill('input[name="name"]', "第二学期")
    first = date.fromisoformat((await small.app[counties_key].now()).register.term.last_day) + timedelta(days=1)
    monday = first + timedelta(days=-first.weekday() % 7)
    for name, day in (("first", 0), ("last", 100), ("week-one", 0)):
        await page.fill(f'input[name="{name}"]', (monday + timedelta(days=day)).isoformat())
    await page.set_checked('input[name="promote"]', False)
    await look.click()
    await expect(page.locator('[data-possible="false"] .note.bad')).to_be_visible(timeout=WAIT)
    await expect(take).to_have_attribute("aria-disabled", "true")
    await page.check('input[name="end-running"]')
    await look.click()
    await expect(page.locator('[data-possible="true"]')).to_be_visible(timeout=WAIT)
    await take.click()
    await expect(page.locator(".dialog .note.warn")).to_be_visible()
    await page.click('[data-action="confirm-rollover"]')
    await expect(page.locator("[data-turned] .note.ok")).to_contain_text("第二学期", timeout=WAIT)
    assert await page.evaluate(UNTRANSLATED) == []
    await page.locator("[data-turned] a").click()
    await expect(page.locator(".table-page")).to_be_visible(timeout=WAIT)
    # who may not build is led to no build
    await page.goto(f"{small.base}/")
    await expect(page.locator('[data-need="table_missing"]')).to_be_visible(timeout=WAIT)
    await expect(page.locator('[data-need="table_missing"] a')).to_have_count(0)
