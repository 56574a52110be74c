"""What a closing took of one school, made up from the page to the table, by itself or asked for by the convenor; and
what is planned of joins and leaves, withdrawn; in real Chromium."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from server.keys import counties_key, importing_key, timetable_key
from tests.county_server import CORE, MEMBER, THIRD, CountyServer, agree_on, running_county
from tests.e2e.conftest import STATIC
from tests.e2e.desks import Desks
from tests.e2e.test_pages import OVERFLOW, PHONE, UNTRANSLATED, WAIT
from tests.integration.test_api_amendments import HERE, day
from tests.integration.test_api_closings import led_by_another
from timetable.solving.solver import solve

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SEARCH = 60_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def county(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    """The school with lessons of its own is a member here, and every school must agree."""
    folder = tmp_path_factory.mktemp("own") / "data"
    async with running_county(folder, migrated_sqlite, publish=False, client=STATIC) as county:
        await county.app[importing_key].edit(lambda register: led_by_another(register, "collaborative"), "tests")
        register = (await county.app[counties_key].now()).register
        table = (await asyncio.to_thread(solve, register, "A", seconds=30, workers=1, improve_until=0)).table
        assert table is not None
        await agree_on(county.app[timetable_key], table, (MEMBER, CORE, THIRD))
        yield county


@pytest_asyncio.fixture(loop_scope="module")
async def desks(county: CountyServer, shared_chromium: Browser) -> AsyncIterator[Desks]:
    desks = Desks(county, shared_chromium)
    yield desks
    await desks.close()


@pytest_asyncio.fixture(loop_scope="module")
async def closed(county: CountyServer, desks: Desks) -> AsyncIterator[Page]:
    """The school's director has shut it for a whole week, by the page."""
    page = await desks.open("core_director", "/year?lang=en")
    await page.click('[data-action="close-schools"]', timeout=WAIT)
    await page.fill('input[name="reason"]', "暴雪")
    await page.fill('input[name="first"]', day(2))
    await page.fill('input[name="last"]', day(8))
    await page.wait_for_selector(".dialog .counts", timeout=WAIT)
    await page.click('[data-action="confirm-closing"]')
    await expect(page.locator('.closing[data-state="coming"]')).to_be_visible(timeout=WAIT)
    yield page
    director = await county.person("core_director")
    (closing,) = [one for one in (await director.get("/api/closings")).json["closings"] if one["mayReopen"]]
    await director.post(f"/api/closings/{closing['id']}/reopen", {"revision": closing["revision"]})


async def fits(page: Page) -> None:
    assert await page.evaluate(UNTRANSLATED) == []
    assert (await page.evaluate(OVERFLOW))["right"] <= 0


async def open_plan(page: Page) -> str:
    """The school's plan with its first class open; the first lost lesson."""
    await page.locator(f'[data-unit="{CORE}"] [data-action="plan-own"], [data-action="plan-own"]').first.click()
    await page.click(".own-class summary", timeout=WAIT)
    lost = page.locator(".own-class .lost").first
    await expect(lost).to_have_attribute("data-state", "open", timeout=WAIT)
    found = await lost.get_attribute("data-occurrence")
    assert found is not None
    return found


async def shown_in_table(county: CountyServer, page: Page, lost: str) -> None:
    """The class's week shows it as made up, on its new date."""
    director = await county.person("core_director")
    rows = (await director.get(f"{HERE}/occurrences?first={day(1)}&last={day(42)}")).json
    (extra,) = [row for row in rows if row["occurrence"].startswith(f"{lost}.x")]
    path = f"/timetable?view=class&by=class&of={extra['parties'][0]['classes'][0]}&week={extra['week']}&lang=en"
    await page.goto(f"{county.base}{path}")
    await expect(page.locator(".pt .is-made_up")).not_to_have_count(0, timeout=WAIT)


async def test_a_school_makes_up_its_own_from_the_closing_to_the_table(county: CountyServer, closed: Page) -> None:
    lost = await open_plan(closed)
    await expect(closed.locator(".make-ups")).to_contain_text("counts at once")
    await fits(closed)
    await closed.click('[data-action="take-all-own"]')
    await expect(closed.locator(f'.lost[data-occurrence="{lost}"]')).to_have_attribute("data-state", "made_up")
    await expect(closed.locator('[data-action="take-all-own"]')).to_have_count(0)
    await expect(closed.locator('[data-action="plan-own"]')).to_contain_text("Hide")
    await shown_in_table(county, closed, lost)


async def test_the_convenor_asks_for_it_takes_it_back_asks_again_and_the_school_agrees(
    county: CountyServer, desks: Desks, closed: Page
) -> None:
    convenor = await desks.open("convenor", "/year?lang=zh-CN", viewport=PHONE)
    await convenor.wait_for_selector('[data-action="plan-own"]', timeout=WAIT)
    lost = await open_plan(convenor)
    await expect(convenor.locator(".make-ups")).to_contain_text("该校同意后生效")
    await fits(convenor)
    row = convenor.locator(f'.lost[data-occurrence="{lost}"]')
    await convenor.click('[data-action="take-all-own"]')
    await expect(row).to_have_attribute("data-state", "asked", timeout=WAIT)

    table = await desks.open("convenor", "/timetable?tab=nego&lang=en")
    await table.click('.amend[data-state="asked"] [data-action="withdraw-amendment"]', timeout=WAIT)
    await expect(table.locator('.amend[data-state="withdrawn"]')).to_be_visible(timeout=WAIT)
    await convenor.reload()
    assert await open_plan(convenor) == lost
    await convenor.click('[data-action="take-all-own"]')
    await expect(row).to_have_attribute("data-state", "asked", timeout=WAIT)

    await closed.goto(f"{county.base}/?lang=en")
    await closed.click('[data-need="amendment_asked"] a', timeout=WAIT)
    await closed.click('.amend[data-state="asked"] [data-action="agree-amendment"]', timeout=WAIT)
    await expect(closed.locator('.amend[data-state="applied"]').first).to_be_visible(timeout=WAIT)
    await shown_in_table(county, closed, lost)


async def test_a_leave_is_looked_at_planned_and_withdrawn(county: CountyServer, desks: Desks) -> None:
    page = await desks.open("convenor", "/year?part=members&lang=zh-CN")
    await page.select_option('select[name="leaving"]', THIRD, timeout=WAIT)
    await page.fill('input[name="first"]', day(7))
    await page.click('[data-action="look-membership"]')
    await page.wait_for_selector('[data-action="plan-membership"]', timeout=SEARCH)
    # what was looked at is there again when one comes back to it
    await page.reload()
    await expect(page.locator('select[name="leaving"]')).to_have_value(THIRD, timeout=WAIT)
    await page.click('[data-action="plan-membership"]', timeout=WAIT)
    planned = page.locator('.member-changes [data-state="planned"]')
    await expect(planned).to_be_visible(timeout=SEARCH)
    await fits(page)
    director = await desks.open("core_director", "/year?part=members&lang=en", viewport=PHONE)
    await expect(director.locator('.member-changes [data-state="planned"]')).to_be_visible(timeout=WAIT)
    await expect(director.locator('[data-action="withdraw-membership"]')).to_have_count(0)
    await fits(director)
    await page.click('[data-action="withdraw-membership"]')
    await expect(page.locator('.member-changes [data-state="withdrawn"]')).to_be_visible(timeout=SEARCH)
    await expect(page.locator('[data-action="withdraw-membership"]')).to_have_count(0)
    assert THIRD in (await county.app[counties_key].now()).community("A").units


async def test_what_was_opened_again_in_time_lost_nothing(county: CountyServer, desks: Desks) -> None:
    director = await county.person("core_director")
    wanted = {"first": day(7), "last": day(7), "reason": "停水", "units": [CORE], "start": None, "end": None}
    closing = (await director.post("/api/closings", wanted | {"makeUpDays": []})).json
    await director.post(f"/api/closings/{closing['id']}/reopen", {"revision": closing["revision"]})
    page = await desks.open("core_director", "/year?lang=en")
    card = page.locator(f'[data-closing="{closing["id"]}"]')
    await expect(card).to_have_attribute("data-state", "reopened", timeout=WAIT)
    await expect(card).to_contain_text("No lesson was lost")
