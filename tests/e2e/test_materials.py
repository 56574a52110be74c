"""Materials in the rooms of a lesson: opened and turned by the host in step, drawn on by the host and a called room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.classroom import WAIT, Classroom, in_state, tile
from tests.e2e.conftest import Demo
from tests.e2e.live_county import chromium_with, live_county
from tests.e2e.test_classroom_page import OVERFLOW, UNNAMED, ended, started
from tests.material_files import pdf

pytestmark = pytest.mark.slow

SHOWN = '.sheet[data-page="{page}"][data-picture="large"]'


@pytest.fixture
async def classroom(demo: Demo, chromium: Browser) -> AsyncIterator[Classroom]:
    opened = Classroom(chromium, demo)
    yield opened
    await opened.close()


async def shows(page: Page, number: int, strokes: int | None = None) -> None:
    """Wait until a page of the open material is seen at its best, with so many strokes on it."""
    drawn = "" if strokes is None else f'[data-strokes="{strokes}"]'
    await page.wait_for_selector(SHOWN.format(page=number) + drawn, timeout=WAIT)


async def draw(page: Page, *, across: float) -> None:
    """One stroke with the mouse, from left to right at a part of the page's height."""
    box = await page.locator(".sheet").bounding_box()
    assert box is not None
    left, top = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * across
    await page.mouse.move(left, top)
    await page.mouse.down()
    for step in range(20):
        await page.mouse.move(left + 5 * step, top + step % 7)
    await page.mouse.up()


async def test_a_material_is_opened_turned_and_drawn_on_in_all_rooms(
    demo: Demo, classroom: Classroom, tmp_path: Path
) -> None:
    first, second, third = demo.json["lesson"]["endpoint_urls"][:3]
    host = await started(classroom)
    panels = [await classroom.open(entry["url"], entry["room"], width=1920, height=1080) for entry in (first, second)]
    for entry in (first, second):
        await tile(host, entry["room"], "connected")

    # the host uploads in the middle of the lesson, and opens it
    file = tmp_path / "练习.pdf"
    file.write_bytes(pdf(4, width=960, height=540))
    await host.click('[data-action="push-material"]')
    await host.click('[data-action="manage-materials"]')
    await host.set_input_files('[data-action="add-material"]', file)
    await host.wait_for_selector('.mlist li:last-child[data-versions="1"] b:has-text("练习")', timeout=WAIT)
    await host.keyboard.press("Escape")
    await host.click('.tray [data-action="open-material"]:has-text("练习")')
    for page in (host, *panels):
        await shows(page, 1)

    await host.keyboard.press("PageDown")
    for page in (host, *panels):
        await shows(page, 2)
    await host.click('.pens [data-colour="blue"]')
    await draw(host, across=0.3)
    for page in (host, *panels):
        await shows(page, 2, strokes=1)

    # a classroom draws while it is called on, and not before
    assert await panels[0].locator(".pens").count() == 0
    await host.click(f'[data-room="{first["room"]}"] [data-action="call-on"]')
    await panels[0].wait_for_selector(".pens", timeout=WAIT)
    await draw(panels[0], across=0.6)
    for page in (host, *panels):
        await shows(page, 2, strokes=2)
    assert await panels[0].evaluate(OVERFLOW) == {"down": 0, "right": 0}

    # whoever comes late or comes back sees what the others see
    late = await classroom.open(third["url"], third["room"])
    phone = await classroom.open(demo.json["lesson"]["assistant_url"], "assistant", width=390, height=844)
    await in_state(phone, "live")
    await panels[1].reload()
    for page in (late, phone, panels[1]):
        await shows(page, 2, strokes=2)
    await phone.click('[data-action="enlarge-page"]')
    await phone.wait_for_selector(".whole .pens", timeout=WAIT)
    assert (await phone.evaluate(OVERFLOW))["right"] <= 0
    assert await phone.evaluate(UNNAMED) == []

    await host.click('[data-action="undo-stroke"]')
    for page in (host, late, *panels):
        await shows(page, 2, strokes=1)
    await host.click('[data-action="clear-page"]')
    await host.click('[data-action="clear-page"][data-confirm="true"]')
    for page in (host, late, *panels):
        await shows(page, 2, strokes=0)
    assert await host.evaluate(OVERFLOW) == {"down": 0, "right": 0}
    assert await host.evaluate(UNNAMED) == []
    await host.click('.stagebox [data-action="close-material"]')
    for page in (host, *panels):
        await page.wait_for_selector(".sheet", state="detached", timeout=WAIT)
    await ended(host)

    # the review shows the board of every moment
    await host.click('[data-action="open-review"]')
    await host.click('[role="tab"][data-value="board"]')
    turn = host.locator('[data-action="seek-page"]:has-text("第 2 页")')
    await turn.click(timeout=WAIT)
    await host.wait_for_selector('.board-tab .sheet[data-page="2"]', timeout=WAIT)
    assert classroom.errors == []


async def test_a_line_that_is_drawn_while_the_page_turns_ends_with_the_page(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host = await lesson.started(browser)
        await host.click('[data-action="push-material"]')
        await host.click('[data-action="open-material"][data-version="blank"]')
        await host.wait_for_selector('.sheet[data-page="1"]', timeout=WAIT)
        await host.click('.pens [data-colour="blue"]')
        box = await host.locator(".sheet").bounding_box()
        assert box is not None
        left, top = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4
        await host.mouse.move(left, top)
        await host.mouse.down()
        for step in range(10):
            await host.mouse.move(left + 5 * step, top)
        await host.keyboard.press("PageDown")
        await host.wait_for_selector('.sheet[data-page="2"]', timeout=WAIT)
        for step in range(40):
            await host.mouse.move(left + 5 * step, top + 5 * step)
        await host.mouse.up()
        assert await host.locator('.sheet[data-page="2"][data-strokes="0"]').count() == 1
        await host.keyboard.press("PageUp")
        await host.wait_for_selector('.sheet[data-page="1"][data-strokes="1"]', timeout=WAIT)
        drawn = await host.evaluate("() => document.querySelector('.sheet svg.ink path').getBBox().height")
        assert drawn < 20
        assert lesson.errors == []


async def test_materials_have_a_page_before_the_lesson(demo: Demo, classroom: Classroom, tmp_path: Path) -> None:
    host = await classroom.host()
    await host.wait_for_selector("[data-session]", timeout=WAIT)
    session = await host.get_attribute("[data-session]", "data-session")
    await host.goto(f"{demo.json['base_url']}/lesson/{session}")
    await host.wait_for_selector(".mlist", timeout=WAIT)
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 and no more")
    await host.set_input_files('[data-action="add-material"]', broken)
    await host.wait_for_selector('.note.bad:has-text("material_unreadable")', timeout=WAIT)
    (tmp_path / "sheet.docx").write_bytes(b"PK\x03\x04")
    await host.set_input_files('[data-action="add-material"]', tmp_path / "sheet.docx")
    await host.wait_for_selector('.note.bad:has-text("material_wrong_type")', timeout=WAIT)

    file = tmp_path / "设计.pdf"
    file.write_bytes(pdf(2))
    await host.select_option(".madd select", "lesson_design")
    await host.set_input_files('[data-action="add-material"]', file)
    row = host.locator('.mlist > li[data-kind="lesson_design"]')
    await row.wait_for(timeout=WAIT)
    await row.locator('[data-action="replace-material"]').set_input_files(file)
    await host.wait_for_selector('.mlist > li[data-kind="lesson_design"][data-versions="2"]', timeout=WAIT)
    await row.locator('[data-action="look-material"]').click()
    await host.click('[data-action="viewer-next"]')
    await host.wait_for_selector('.viewer[data-page="2"]', timeout=WAIT)
    await host.keyboard.press("Escape")
    for _ in range(2):
        await row.locator('[data-action="delete-material"]').click()
    await row.wait_for(state="detached", timeout=WAIT)
    assert (await host.evaluate(OVERFLOW))["right"] <= 0
    assert await host.evaluate(UNNAMED) == []
    assert classroom.errors == []
