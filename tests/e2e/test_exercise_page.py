"""An exercise from the host's sheet to the result on the walls, and the teachers' chat, in real browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.classroom import WAIT, Classroom, in_state, shoot, tile
from tests.e2e.conftest import Demo
from tests.e2e.test_classroom_page import OVERFLOW, UNNAMED, ended, started

pytestmark = pytest.mark.slow


@pytest.fixture
async def classroom(demo: Demo, chromium: Browser) -> AsyncIterator[Classroom]:
    opened = Classroom(chromium, demo)
    yield opened
    await opened.close()


async def everybody(demo: Demo, classroom: Classroom) -> tuple[Page, Page, Page]:
    """The host's page of a live lesson, the first member classroom's panel and its assistant's phone."""
    lesson = demo.json["lesson"]
    host = await started(classroom)
    entry = lesson["endpoint_urls"][0]
    panel = await classroom.open(entry["url"], "panel", width=1920, height=1080)
    phone = await classroom.open(lesson["assistant_url"], "assistant", width=390, height=844)
    await in_state(panel, "live")
    await in_state(phone, "live")
    await tile(host, entry["room"], "connected")
    return host, panel, phone


async def ask(host: Page, kind: str, prompt: str, options: tuple[str, ...] = (), right: int | None = None) -> None:
    """Make an exercise on the spot and push it."""
    await host.click('[data-action="exercises"]')
    await host.click(f'[data-sheet="exercises"] [data-kind="{kind}"]')
    await host.fill('[data-sheet="exercises"] textarea[name="prompt"]', prompt)
    for place, option in enumerate(options):
        await host.fill(f'input[name="option-{place}"]', option)
    if right is not None:
        await host.locator('input[name="right"]').nth(right).check()
    await host.click('[data-action="push-new"]')
    await host.wait_for_selector("[data-exercise][data-run-state='open']", timeout=WAIT)


async def answered(host: Page, unit: str, n: int) -> None:
    await host.wait_for_selector(f'.xcard [data-class="{unit}"][data-answered="{n}"]', timeout=WAIT)


async def fits(page: Page, name: str) -> None:
    over = await page.evaluate(OVERFLOW)
    assert over["right"] <= 0, name
    assert await page.evaluate(UNNAMED) == [], name


async def test_exercises_go_from_the_sheet_to_the_result(demo: Demo, classroom: Classroom, tmp_path: Path) -> None:
    host, panel, phone = await everybody(demo, classroom)
    unit = demo.json["lesson"]["endpoint_urls"][0]["unit"]
    await ask(host, "choice", "入射角是 35°，反射角是多少度？", ("35°", "55°", "70°"), right=0)
    await panel.wait_for_selector('.wx [data-option="1"]', timeout=WAIT)
    assert await panel.locator(".wx-opts .right").count() == 0

    for _ in range(2):
        await phone.click('[data-action="more-hands"][data-option="0"]')
    await answered(host, unit, 2)
    await panel.click('.wx [data-option="1"] [data-action="more-hands"]')
    await answered(host, unit, 3)
    await phone.click('[data-way="seat"]')
    await phone.click('.px [data-option="2"]')
    await phone.click('.px [data-action="answer"][data-seat="7"]')
    await answered(host, unit, 4)
    await shoot(host, "host-exercise")
    await shoot(phone, "assistant-exercise")
    await panel.wait_for_selector('[data-given="4"]', timeout=WAIT)
    await shoot(panel, "endpoint-exercise")

    await host.click('[data-action="show-result"]')
    await panel.wait_for_selector('.wx [data-option="0"].right', timeout=WAIT)
    pieces = host.locator(f'.xcard [data-class="{unit}"] [data-piece]')
    assert await pieces.first.get_attribute("data-piece") == "0"
    assert await pieces.first.get_attribute("data-n") == "2"
    for page, name in ((host, "host"), (phone, "phone"), (panel, "panel")):
        await fits(page, name)
    await host.click('[data-action="put-away"]')
    await panel.wait_for_selector(".wx", state="detached", timeout=WAIT)
    await photo_comes_and_is_taken_back(host, phone, unit, tmp_path / "work.png")
    await ended(host)
    assert classroom.errors == []


async def photo_comes_and_is_taken_back(host: Page, phone: Page, unit: str, picture: Path) -> None:
    picture.write_bytes(await host.screenshot())
    await ask(host, "photo", "画出反射光线")
    await phone.select_option(".px-photos select", "12")
    await phone.set_input_files('input[name="photo"]', picture)
    await phone.wait_for_selector(".xphoto img", timeout=WAIT)
    await answered(host, unit, 1)
    await host.click(f'.xcard [data-class="{unit}"] [data-action="open-answers"]')
    await host.wait_for_function("() => document.querySelector('dialog .xphoto img')?.naturalWidth > 300", timeout=WAIT)
    await shoot(phone, "assistant-photo")
    await host.keyboard.press("Escape")
    await phone.click('[data-action="remove-photo"]')
    await answered(host, unit, 0)


async def test_prepared_exercises_are_kept_with_the_lesson(demo: Demo, classroom: Classroom) -> None:
    host = await started(classroom)
    await host.click('[data-action="exercises"]')
    await host.wait_for_selector('[data-action="push-exercise"]', timeout=WAIT)
    before = await host.locator('[data-action="push-exercise"]').count()
    await host.click('[data-sheet="exercises"] [data-kind="text"]')
    await host.fill('textarea[name="prompt"]', "什么是法线？")
    await host.click('[data-action="save-exercise"]')
    rows = host.locator('[data-action="push-exercise"]')
    await rows.nth(before).wait_for(timeout=WAIT)
    await host.locator('[data-action="forget-exercise"]').nth(before).click()
    await rows.nth(before).wait_for(state="detached", timeout=WAIT)
    await rows.nth(1).click()
    await host.wait_for_selector(".xcard", timeout=WAIT)
    await ended(host)
    assert classroom.errors == []


async def test_teachers_write_to_each_other_and_no_panel_sees_it(demo: Demo, classroom: Classroom) -> None:
    host, panel, phone = await everybody(demo, classroom)
    observer = await classroom.open(demo.json["lesson"]["observer_url"], "observer")
    await in_state(observer, "live")
    await phone.click('[data-tab="chat"]')
    await phone.fill('input[name="say"]', "声音有点小")
    await phone.click('[data-action="say"]')
    await host.wait_for_selector('[data-action="chat"] [data-unread="1"]', timeout=WAIT)
    await host.click('[data-action="chat"]')
    await host.wait_for_selector('[data-chat] [data-message]:has-text("声音有点小")', timeout=WAIT)
    await host.wait_for_selector("[data-unread]", state="detached", timeout=WAIT)
    await host.fill('input[name="say"]', "好，我调大")
    await host.keyboard.press("Enter")
    await phone.wait_for_selector('[data-message]:has-text("好，我调大")', timeout=WAIT)
    await observer.wait_for_selector('[data-action="chat"] [data-unread="2"]', timeout=WAIT)
    await shoot(host, "host-chat")
    assert "声音有点小" not in await panel.content()
    await ended(host)
    assert classroom.errors == []


async def test_panel_shows_the_way_to_its_assistants_page(demo: Demo, classroom: Classroom) -> None:
    host = await started(classroom)
    lesson = demo.json["lesson"]
    panel = await classroom.open(lesson["endpoint_urls"][0]["url"], "panel", width=1920, height=1080)
    code = await panel.wait_for_selector(".helper[data-assistant-url] .qr path", timeout=WAIT)
    assert code is not None
    address = await panel.get_attribute(".helper", "data-assistant-url")
    assert address is not None
    stranger = await classroom.open(address, "a phone", width=390, height=844)
    await stranger.click('a[href^="/sign-in?next="]')
    unit = lesson["endpoint_urls"][0]["unit"]
    user = next(one for one in demo.json["users"] if one["role"] == "teacher" and one["unit"] == unit)
    await stranger.fill('input[name="login"]', user["login"])
    await stranger.fill('input[name="password"]', user["password"])
    await stranger.click('button[type="submit"]')
    await stranger.wait_for_selector('[data-role="assistant"]', timeout=WAIT)
    await panel.wait_for_selector(".helper", state="detached", timeout=WAIT)
    await ended(host)
    assert classroom.errors == []
