"""What differs from week to week, in real Chromium: turns and the winter clock; and the ledger of who gave way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs
from playwright.async_api import Browser, expect

from server.keys import counties_key, importing_key, timetable_key
from tests.community_builder import bell_times, schedule
from tests.county_server import CORE, MEMBER, SYNC, SYNC_REQUIREMENT, THIRD, CountyServer, agree_on, running_county
from tests.e2e.conftest import STATIC
from tests.e2e.desks import Desks
from tests.e2e.test_pages import OVERFLOW, UNTRANSLATED, WAIT
from timetable.model import BusyTime, Register, SchoolUnit, Slot
from timetable.solving.solver import solve

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
WINTER_WEEK = 10
"""From its Monday on all bells ring twenty minutes later."""
TURNS = (CORE, MEMBER, THIRD)


def in_winter(unit: SchoolUnit, first: date) -> SchoolUnit:
    number = int(unit.id[1:])
    winter = schedule(bell_times(520 + 5 * number, 30, 860), weekdays=EVERY_DAY)
    before = (structs.replace(bells, valid_to=(first - timedelta(days=1)).isoformat()) for bells in unit.bells)
    return structs.replace(unit, bells=(*before, structs.replace(winter, valid_from=first.isoformat())))


def dated(register: Register) -> Register:
    """The sync lesson goes round and stands where one school wished to have none; the winter clock is set."""
    winter = date.fromisoformat(register.term.week_one) + timedelta(weeks=WINTER_WEEK - 1)
    wish = (BusyTime(weekday=1, start="07:00", end="18:00"),)
    return structs.replace(
        register,
        units=tuple(
            structs.replace(in_winter(unit, winter), wishes=wish if unit.id == MEMBER else ())
            for unit in register.units
        ),
        requirements=tuple(
            structs.replace(r, rotation=TURNS, locked=(Slot(weekday=1, period=5),)) if r.id == SYNC_REQUIREMENT else r
            for r in register.requirements
        ),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def county(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    """One for all tests here: they only look."""
    folder = tmp_path_factory.mktemp("dated") / "data"
    async with running_county(folder, migrated_sqlite, publish=False, client=STATIC) as county:
        await county.app[importing_key].edit(dated, "tests")
        register = (await county.app[counties_key].now()).register
        table = (await asyncio.to_thread(solve, register, "A", seconds=30, workers=1, improve_until=0)).table
        assert table is not None
        await agree_on(county.app[timetable_key], table, TURNS)
        yield county


@pytest_asyncio.fixture(loop_scope="module")
async def desks(county: CountyServer, shared_chromium: Browser) -> AsyncIterator[Desks]:
    desks = Desks(county, shared_chromium)
    yield desks
    await desks.close()


async def test_the_page_says_whose_turn_it_is(desks: Desks) -> None:
    page = await desks.open("member_director", f"/timetable?week=6&lesson={SYNC}&tab=lesson&lang=en")
    turn = page.locator(".turns")
    for week in (6, 7, 8):
        whose = TURNS[(week - 1) % 3]
        await expect(turn).to_have_attribute("data-turn", whose, timeout=WAIT)
        await expect(turn).to_contain_text(f"Host in week {week}")
        await expect(turn.locator('[aria-current="step"]')).to_have_text(whose)
        await expect(page.locator(".parties li b").first).to_have_text(whose)
        await page.get_by_label("Next week").click()
    # and so does the plan of every week
    await page.click('[data-action="dated"]')
    await expect(turn).to_have_attribute("data-turn", TURNS[(9 - 1) % 3])
    assert await page.evaluate(UNTRANSLATED) == []
    assert (await page.evaluate(OVERFLOW))["right"] <= 0


async def test_from_the_winter_clock_on_all_rows_ring_later(desks: Desks) -> None:
    path = f"/timetable?view=class&by=unit&of={CORE}&week={WINTER_WEEK - 1}&lesson={SYNC}&lang=en"
    page = await desks.open("core_director", path)
    row = page.locator(".pt tbody tr:not(.brk)").nth(4)
    fifth = row.locator('th[scope="row"]')
    await expect(fifth).to_contain_text("14:00", timeout=WAIT)
    await expect(row.locator(f'[data-lesson="{SYNC}"]')).to_have_count(1)
    await page.get_by_label("Next week").click()
    await expect(fifth).to_contain_text("14:20")
    await expect(row.locator(f'[data-lesson="{SYNC}"]')).to_have_count(1)
    await page.goto(f"{page.url.split('/timetable')[0]}/timetable?week={WINTER_WEEK}&lesson={SYNC}&tab=lesson&lang=en")
    panel = page.locator(f'.panel [data-lesson="{SYNC}"]')
    await expect(panel).to_contain_text("14:20", timeout=WAIT)
    await page.get_by_label("Previous week").click()
    await expect(panel).to_contain_text("14:00")


async def test_a_key_leads_past_the_bar_to_the_table(desks: Desks) -> None:
    page = await desks.open("core_director", "/timetable?lang=en")
    await page.locator(".table-main [data-lesson]").first.wait_for(timeout=WAIT)
    await page.keyboard.press("Tab")
    await expect(page.locator('[data-action="skip"]')).to_be_focused()
    await page.keyboard.press("Enter")
    assert await page.evaluate("() => document.activeElement.closest('.table-main [data-lesson]') !== null")


async def test_the_ledger_says_who_gave_way_and_for_what(desks: Desks) -> None:
    page = await desks.open("member_teacher", "/timetable?tab=nego&lang=en")
    ledger = page.locator('[data-state="ledger"]')
    await expect(ledger.locator(f'[data-unit="{MEMBER}"]')).to_contain_text("1 at times to be kept free", timeout=WAIT)
    times = [await ledger.locator(f'[data-unit="{unit}"] > b').inner_text() for unit in TURNS]
    assert times == ["0×", "1×", "0×"]
    await page.goto(f"{page.url.split('/timetable')[0]}/timetable?tab=nego&lang=zh-CN")
    await expect(ledger.locator(f'[data-unit="{MEMBER}"]')).to_be_visible(timeout=WAIT)
    assert await page.evaluate(UNTRANSLATED) == []
    assert (await page.evaluate(OVERFLOW))["right"] <= 0
