"""What a browser makes of a wall to print: text breaks only where its room was reckoned to break it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from timetable.export.paper import PAPERS
from timetable.export.wall_document import wall_document
from timetable.export.wall_pages import Box, Page

WIDTHS = tuple(40.0 + 3 * step for step in range(20))
BROKEN = """() => [...document.querySelectorAll('.sheet > .sync p')].filter((p) => {
    const text = p.firstChild;
    return [...text.data.matchAll(/Class (\\d-\\W*\\d)/g)].some((found) => {
        const range = document.createRange();
        range.setStart(text, found.index + 'Class '.length);
        range.setEnd(text, found.index + found[0].length);
        return range.getClientRects().length !== 1;
    });
}).length"""


@pytest.mark.asyncio(loop_scope="module")
async def test_no_class_is_broken_at_its_hyphen(shared_chromium: Browser) -> None:
    text = "◆Maths Class 3-1\n▲Art Class 3-2"
    boxes = tuple(Box(0, column, 0, column, text, "sync") for column in range(len(WIDTHS)))
    page = Page("Monday", PAPERS["A3"], WIDTHS, (90.0,), boxes)
    shown = await shared_chromium.new_page()
    await shown.set_content(wall_document([page], "Monday", "en", "").decode())
    assert await shown.locator(".sheet > .sync p").count() == len(WIDTHS)
    assert await shown.evaluate(BROKEN) == 0
    await shown.close()
