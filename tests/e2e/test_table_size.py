"""The largest community of the demonstration, about a hundred classes: the page paints what is looked at, a print of
it can be read, and a draft says that it is one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.e2e.conftest import Demo
from tests.e2e.test_pages import PC, WAIT, Desk, account, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

MOST_ELEMENTS = 2_500
"""In the table's part of the page, whatever is chosen: the community has some 2,700 lessons and the grid of all of
them would have ten times as many."""
A4_LANDSCAPE, A3_LANDSCAPE = (842, 595), (1191, 842)
VIEWS = {"clock": A3_LANDSCAPE, "day": A3_LANDSCAPE, "class": A4_LANDSCAPE}
LARGEST = """async () => {
    const me = await (await fetch('/api/me')).json();
    const views = await Promise.all(me.communities.map(async ({id}) =>
        (await fetch(`/api/communities/${encodeURIComponent(id)}/timetable`)).json()));
    const sizes = views.map(({community, classes, lessons}) =>
        ({id: community.id, classes: classes.length, lessons: lessons.length}));
    return sizes.sort((a, b) => b.classes - a.classes)[0];
}"""
ALL = "async () => (await (await fetch('/api/me')).json()).communities.map(({id}) => id)"
ELEMENTS = "() => document.querySelectorAll('.table-main *').length"


@pytest_asyncio.fixture(loop_scope="module")
async def bureau(demo: Demo, shared_chromium: Browser) -> AsyncIterator[Desk]:
    """The bureau's administrator, who sees every community."""
    context = await shared_chromium.new_context(viewport=PC)
    page = await context.new_page()
    await sign_in(page, demo, account(demo, "bureau_admin"))
    desk = Desk(context, page, demo)
    yield desk
    await context.close()
    assert desk.errors == []


async def sheets(page: Page) -> list[tuple[int, int]]:
    """The sizes of the sheets that the page prints on, in points."""
    printed = await page.pdf(prefer_css_page_size=True, print_background=True)
    count = len(re.findall(rb"/Type\s*/Page\b", printed))
    boxes = re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]", printed)
    assert len(boxes) == count
    return [(round(float(wide)), round(float(high))) for wide, high in boxes]


async def test_a_hundred_classes_are_painted_as_far_as_they_are_seen(bureau: Desk) -> None:
    page = bureau.page
    largest = await page.evaluate(LARGEST)
    assert largest["classes"] >= 90
    assert largest["lessons"] >= 2_500
    for view, sheet in VIEWS.items():
        await bureau.open(f"/timetable?community={largest['id']}&view={view}")
        await page.wait_for_selector(".table-main [data-lesson]", timeout=WAIT)
        assert await page.evaluate(ELEMENTS) <= MOST_ELEMENTS, view
        assert await sheets(page) == [sheet], view
    # and while a lesson looks for another place, its slots are all that comes to it
    await bureau.open(f"/timetable?community={largest['id']}&tab=lesson")
    await page.click('.panel [data-action="look-slots"]', timeout=WAIT)
    await page.wait_for_selector("[data-slot]", timeout=WAIT)
    assert await page.evaluate(ELEMENTS) <= MOST_ELEMENTS


SMALLEST = """() => Math.min(...[...document.querySelectorAll('.pt *')]
    .filter((one) => one.checkVisibility())
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((one) => parseFloat(getComputedStyle(one).fontSize) * one.currentCSSZoom * 0.75))"""


@pytest.mark.parametrize("by", ["unit", "teacher", "room"])
async def test_every_classic_grid_prints_so_that_it_can_be_read(bureau: Desk, by: str) -> None:
    page = bureau.page
    # how many lessons a school's period holds at once is another in each table
    shown = await page.evaluate(ALL) if by == "unit" else [(await page.evaluate(LARGEST))["id"]]
    for community in shown:
        await bureau.open(f"/timetable?community={community}&view=class&by={by}")
        await page.wait_for_selector("table.pt", timeout=WAIT)
        assert await page.evaluate(ELEMENTS) <= MOST_ELEMENTS
        # one sheet, but for a school's whole week where much stands in one period
        assert await sheets(page) in ([A4_LANDSCAPE], [A4_LANDSCAPE] * (2 if by == "unit" else 1)), community
        await page.emulate_media(media="print")
        assert await page.evaluate(SMALLEST) >= 6.99, community
        await page.emulate_media(media="screen")
