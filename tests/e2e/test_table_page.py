"""Changing the shared table by hand in real Chromium: a lesson is carried by pointer, by keys and by touch, a repair
is accepted and undone, and the versions say what they changed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, StorageState, expect

from tests.e2e.conftest import Demo
from tests.e2e.test_pages import OVERFLOW, PC, PHONE, UNTRANSLATED, WAIT, Desk, host_director, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SIGNED_IN: dict[str, StorageState] = {}
"""Checking a password takes a while, on purpose: one sign-in does for all tests."""
LABEL = ".week .les.k-sync"


@pytest_asyncio.fixture(loop_scope="module")
async def core(demo: Demo, shared_chromium: Browser) -> AsyncIterator[Desk]:
    """The academic director of the core school, in front of a draft."""
    base = demo.json["base_url"]
    context = await shared_chromium.new_context(viewport=PC, has_touch=True, storage_state=SIGNED_IN.get(base))
    page = await context.new_page()
    if base in SIGNED_IN:
        await page.goto(base)
    else:
        await sign_in(page, demo, host_director(demo))
        await a_draft(page)
        SIGNED_IN[base] = await context.storage_state()
    desk = Desk(context, page, demo)
    yield desk
    await context.close()
    assert desk.errors == []


async def call(page: Page, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The API as the page asks it."""
    return await page.evaluate(
        """async ([method, path, body]) => {
            const headers = {'Content-Type': 'application/json', 'X-Tongke': '1'};
            const answer = await fetch(path, {method, headers, body: body === null ? undefined : JSON.stringify(body)});
            return await answer.json();
        }""",
        [method, path, body],
    )


async def a_draft(page: Page) -> None:
    """Make sure there is a draft; the first table that the solver finds will do."""
    me = await call(page, "GET", "/api/me")
    table = f"/api/communities/{me['communities'][0]['id']}/timetable"
    view = await call(page, "GET", f"{table}?version=draft")
    if view["status"] == "draft":
        return
    build = await call(
        page, "POST", table.replace("/timetable", "/builds"), {"revision": view["revision"], "seconds": 60}
    )
    for _ in range(120):
        state = await call(page, "GET", f"/api/builds/{build['id']}")
        if state["state"] != "running":
            break
        if state["cost"] is not None:
            await call(page, "DELETE", f"/api/builds/{build['id']}")
        await page.wait_for_timeout(500)
    view = await call(page, "GET", f"{table}?version=draft")
    assert view["status"] == "draft"


async def slot_of(page: Page, lesson: str) -> tuple[int, int]:
    """Where the draft has the lesson, by its host."""
    me = await call(page, "GET", "/api/me")
    view = await call(page, "GET", f"/api/communities/{me['communities'][0]['id']}/timetable?version=draft")
    found = next(one for one in view["lessons"] if one["id"] == lesson)
    return found["weekday"], found["parties"][0]["period"]


async def pick_up(page: Page, lesson: str) -> None:
    box = await page.locator(f'{LABEL}[data-lesson="{lesson}"]').bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 8, box["y"] + 8)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 30, box["y"] + 30, steps=3)
    await page.wait_for_selector(".cd", timeout=WAIT)


async def movable_lesson(page: Page) -> tuple[str, str]:
    """A shared lesson that may stand elsewhere as things are, and the name of its best slot."""
    me = await call(page, "GET", "/api/me")
    community = me["communities"][0]["id"]
    labels = page.locator(LABEL)
    for index in range(await labels.count()):
        lesson = await labels.nth(index).get_attribute("data-lesson")
        assert lesson is not None
        found = await call(page, "GET", f"/api/communities/{community}/slots?lesson={lesson}")
        free = [slot for slot in found["slots"] if slot["verdict"] in ("fits", "costs")]
        if free:
            best = min(free, key=lambda slot: (slot["delta"], slot["weekday"], slot["period"]))
            return lesson, f"{best['weekday']}.{best['period']}"
    pytest.fail("no shared lesson of the draft may move")


async def test_lesson_is_dragged_repaired_accepted_and_undone(core: Desk) -> None:
    page = core.page
    await core.open("/timetable?version=draft&tab=lesson")
    lesson, best = await movable_lesson(page)
    before = await slot_of(page, lesson)
    await pick_up(page, lesson)
    assert await page.locator(".cd.best").get_attribute("data-slot") == best
    assert await page.locator('.cd[data-verdict="impossible"]').count() > 0
    assert await page.evaluate(UNTRANSLATED) == []
    target = page.locator(f'.cd[data-slot="{best}"]')
    box = await target.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    await page.mouse.up()
    await page.wait_for_selector(".repair .moves li", timeout=WAIT)
    assert await slot_of(page, lesson) == before
    await page.click('[data-action="accept-repair"]')
    await page.wait_for_selector(".repair", state="detached", timeout=WAIT)
    assert "{}.{}".format(*await slot_of(page, lesson)) == best
    await page.keyboard.press("Control+z")
    await page.wait_for_selector(".undo-said:not(.bad)", timeout=WAIT)
    assert await slot_of(page, lesson) == before
    await page.keyboard.press("Control+y")
    await expect(page.locator('[data-action="redo"]')).to_have_attribute("aria-disabled", "true", timeout=WAIT)
    assert "{}.{}".format(*await slot_of(page, lesson)) == best
    await page.click('[data-action="undo"]')
    await expect(page.locator('[data-action="redo"]:not([aria-disabled])')).to_be_visible(timeout=WAIT)
    assert await slot_of(page, lesson) == before


async def test_lesson_is_carried_by_keys(core: Desk) -> None:
    page = core.page
    me = await call(page, "GET", "/api/me")
    draft = await call(page, "GET", f"/api/communities/{me['communities'][0]['id']}/timetable?version=draft")
    lesson = next(one for one in draft["lessons"] if one["kind"] == "sync")
    taught = next(one for one in draft["classes"] if one["id"] == lesson["parties"][0]["classes"][0])
    where = f"day={lesson['weekday']}&grade={taught['grade']}&by=class&of={taught['id']}&lesson={lesson['id']}"
    for view in ("clock", "day", "class"):
        await core.open(f"/timetable?version=draft&tab=lesson&view={view}&{where}", "en")
        await page.locator(f'[data-lesson="{lesson["id"]}"][data-column].k-sync').first.focus()
        await page.keyboard.press("m")
        await page.wait_for_selector(".cd", timeout=WAIT)
        await expect(page.locator(".carry-hint")).not_to_have_text("")
        for key in ("Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowUp"):
            await page.keyboard.press(key)
        assert await page.locator(".cd.over").count() == 1
        assert await page.evaluate(UNTRANSLATED) == []
        over = await page.evaluate(OVERFLOW)
        assert max(over.values()) <= 0
        await page.keyboard.press("Escape")
        await page.wait_for_selector(".cd", state="detached", timeout=WAIT)


async def test_slot_that_cannot_be_says_why(core: Desk) -> None:
    page = core.page
    await core.open("/timetable?version=draft&tab=lesson")
    lesson, _ = await movable_lesson(page)
    await pick_up(page, lesson)
    box = await page.locator('.cd[data-verdict="impossible"]').first.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 20, box["y"] + 20, steps=4)
    await page.wait_for_selector(".panel .below li", timeout=WAIT)
    assert re.search(r"\d", await page.inner_text(".panel .below"))
    await expect(page.locator(".carry-hint b")).not_to_have_text("")
    await page.keyboard.press("Escape")
    await page.mouse.up()
    await page.wait_for_selector(".cd", state="detached", timeout=WAIT)


async def test_finger_that_rests_takes_the_lesson(core: Desk) -> None:
    page = core.page
    await page.set_viewport_size(PHONE)
    await core.open("/timetable?version=draft&day=1")
    await page.wait_for_selector(LABEL, timeout=WAIT)
    box = await page.locator(LABEL).first.bounding_box()
    assert box is not None
    finger = await core.context.new_cdp_session(page)
    point = {"x": box["x"] + 8, "y": box["y"] + 8}
    await finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    await page.wait_for_selector(".cd", timeout=WAIT)
    assert (await page.evaluate(OVERFLOW))["right"] <= 0
    point["y"] += 60
    await finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    await finger.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})
    await page.wait_for_selector(".cd", state="detached", timeout=WAIT)


async def test_version_lists_what_it_changed(core: Desk) -> None:
    page = core.page
    await core.open("/timetable?tab=versions")
    await page.locator('[data-action="version-diff"]').first.click()
    await page.wait_for_selector(".diff li[data-change]", timeout=WAIT)
    assert await page.evaluate(UNTRANSLATED) == []


async def test_change_of_a_published_lesson_asks_the_others(core: Desk, shared_chromium: Browser) -> None:
    """A lesson is called off on one date: its partner is asked on their own page, and objects."""
    page, demo = core.page, core.demo
    me = await call(page, "GET", "/api/me")
    community = me["communities"][0]["id"]
    view = await call(page, "GET", f"/api/communities/{community}/timetable?version=1")
    week = view["term"]["week"] + 2
    lesson = next(one for one in view["lessons"] if one["kind"] == "sync" and one.get("weeks", "all") == "all")
    await core.open(f"/timetable?version=1&tab=lesson&week={week}&lesson={lesson['id']}")
    await page.click('[data-action="cancel-lesson"]')
    await page.wait_for_selector("dialog .outcome", timeout=WAIT)
    await page.fill('dialog textarea[name="reason"]', "维修线路")
    await page.click('[data-action="send-amendment"]')
    await page.wait_for_selector('.amend[data-state="asked"]', timeout=WAIT)
    number = await page.locator('.amend[data-state="asked"]').first.get_attribute("data-amendment")
    partner = lesson["parties"][1]["unit"]
    user = next(one for one in demo.json["users"] if one["unit"] == partner and one["role"] == "academic_director")
    context = await shared_chromium.new_context(viewport=PHONE)
    theirs = await context.new_page()
    await sign_in(theirs, demo, user)
    await theirs.goto(f"{demo.json['base_url']}/timetable?version=1&tab=nego")
    card = theirs.locator(f'.amend[data-amendment="{number}"]')
    await card.locator('[data-action="object-amendment"]').click()
    await card.locator("textarea").fill("那天要用")
    await card.locator('[data-action="send-objection"]').click()
    await theirs.wait_for_selector(f'.amend[data-amendment="{number}"][data-state="refused"]', timeout=WAIT)
    assert (await theirs.evaluate(OVERFLOW))["right"] <= 0
    await context.close()


async def test_cover_names_who_could_stand_in_and_why(core: Desk) -> None:
    page = core.page
    me = await call(page, "GET", "/api/me")
    view = await call(page, "GET", f"/api/communities/{me['communities'][0]['id']}/timetable?version=1")
    lesson = next(one for one in view["lessons"] if one["id"] == core.demo.json["lesson"]["id"])
    await core.open(f"/timetable?version=1&tab=lesson&week={view['term']['week'] + 2}&lesson={lesson['id']}", "en")
    await page.click('[data-action="substitute"]')
    await page.wait_for_selector("[data-need] [data-candidate]", timeout=WAIT)
    assert await page.locator("[data-candidate] .mut").first.inner_text() != ""
    assert await page.evaluate(UNTRANSLATED) == []


async def test_build_of_a_killed_server_is_weighed_and_discarded(demo: Demo, shared_chromium: Browser) -> None:
    """The page that watches it says that the server is gone, and after its start what is left of the build."""
    base = demo.json["base_url"]
    context = await shared_chromium.new_context(viewport=PC, storage_state=SIGNED_IN.get(base))
    page = await context.new_page()
    if base not in SIGNED_IN:
        await sign_in(page, demo, host_director(demo))
    panel = page.locator(".panel")
    await page.goto(f"{base}/timetable?version=1&tab=build")
    await panel.locator(".seg-ctl button").last.click(timeout=WAIT)
    await page.click('[data-action="build"]')
    await expect(panel.locator(".big3 b").first).to_be_visible(timeout=3 * WAIT)
    demo.kill()
    await expect(panel.locator('[data-state="running"] .note.warn')).to_be_visible(timeout=WAIT)
    demo.start()
    left = panel.locator('[data-state="interrupted"]')
    await expect(left).to_be_visible(timeout=WAIT)
    assert await left.locator("[data-standing]").get_attribute("data-standing") != "0"
    assert await page.evaluate(UNTRANSLATED) == []
    await page.goto(f"{base}/")
    need = page.locator('[data-need="build_interrupted"]')
    assert re.search(r"\d\d-\d\d", await need.locator(".mut").inner_text(timeout=WAIT))
    await need.locator("a").click()
    await page.click('[data-action="discard-build"]', timeout=WAIT)
    await expect(left).to_have_count(0, timeout=WAIT)
    assert await page.locator('.tabs [data-value="build"] .count').count() == 0
    await context.close()
