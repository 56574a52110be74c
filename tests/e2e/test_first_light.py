"""First light: one real lesson from the table to its bilateral review, in real Chromium with fake cameras."""

from __future__ import annotations

import asyncio
import urllib.request
from typing import Any

import icalendar
import pytest
from playwright.async_api import Browser, Page

from tests.e2e.classroom import WAIT, Classroom, frames_advance, in_state, shoot, tile
from tests.e2e.conftest import Demo

pytestmark = pytest.mark.slow


async def test_lesson_from_the_table_to_its_review(demo: Demo, chromium: Browser) -> None:
    classroom = Classroom(chromium, demo)
    try:
        host = await classroom.host()
        endpoints = await classroom.endpoints()
        rooms = [entry["room"] for entry, _ in endpoints]
        await in_state(host, "open")
        for room in rooms:
            await tile(host, room, "connected")
        await _all_see_each_other(host, endpoints)

        await host.click('[data-action="start-lesson"]')
        await in_state(host, "live")
        for _, page in endpoints:
            await in_state(page, "live")
        await shoot(host, "host-live")
        for _, page in (endpoints[0], endpoints[-1]):
            await shoot(page, "endpoint-live")

        await _hand_is_raised_and_called_on(host, rooms[0], endpoints[0][1])
        await _cut_endpoint_comes_back(host, rooms[1], endpoints[1][1])
        await host.click('[data-action="mark-point"]')
        await frames_advance(host, len(rooms) + 1)

        await host.click('[data-action="end-lesson"]')
        await host.click('[data-action="end-lesson"][data-confirm="true"]')
        await host.wait_for_selector('[data-action="open-review"]', timeout=WAIT)
        for _, page in endpoints:
            await page.wait_for_selector('[data-view="idle"], [data-view="over"]', timeout=WAIT)
        await host.click('[data-action="open-review"]')
        await _review_plays_both_sides(host)
        await _host_shares_the_recording(host)
        await _both_sides_write_and_close(classroom, demo, host)
        assert classroom.errors == []
    finally:
        await classroom.close()


async def _all_see_each_other(host: Page, endpoints: list[tuple[dict[str, Any], Page]]) -> None:
    """Host and classrooms: everybody's pictures of everybody advance."""
    everybody = len(endpoints) + 1
    await asyncio.gather(frames_advance(host, everybody), *(frames_advance(page, everybody) for _, page in endpoints))


async def _hand_is_raised_and_called_on(host: Page, room: str, endpoint: Page) -> None:
    await endpoint.click('[data-action="raise-hand"]')
    await host.wait_for_selector(f'[data-room="{room}"][data-hands="1"]', timeout=WAIT)
    await host.click(f'[data-room="{room}"] [data-action="call-on"]')
    await endpoint.wait_for_selector('[data-view="called"][data-muted="false"]', timeout=WAIT)
    await host.wait_for_selector(f'[data-room="{room}"][data-hands="0"]', timeout=WAIT)
    await host.click(f'[data-room="{room}"] [data-action="end-call"]')
    await endpoint.wait_for_selector('[data-view="live"][data-muted="true"]', timeout=WAIT)


async def _cut_endpoint_comes_back(host: Page, room: str, endpoint: Page) -> None:
    """The classroom's browser loses its network and gets it back: the same tile, no second one."""
    tiles = await host.locator(f'[data-room="{room}"]').count()
    await endpoint.context.set_offline(True)
    await tile(host, room, "reconnecting")
    await endpoint.context.set_offline(False)
    await tile(host, room, "connected")
    assert await host.locator(f'[data-room="{room}"]').count() == tiles
    await frames_advance(endpoint, 2)


async def _review_plays_both_sides(page: Page) -> None:
    """Two large views, host and member, play the same moment."""
    await page.wait_for_selector('[data-review][data-recording="false"]', timeout=WAIT)
    await page.click('[data-action="play"]')
    await frames_advance(page, 2)
    await page.wait_for_function(
        """() => {
            const control = document.querySelector('[data-playing="true"]');
            return control && Number(control.dataset.position) > 3 && Number(control.dataset.spread || 999) < 100;
        }""",
        timeout=WAIT,
    )
    sides = await page.evaluate(
        "[...document.querySelectorAll('[data-view] video')].map(v => v.closest('[data-view]').dataset.side)"
    )
    assert {"host", "member"} <= set(sides)
    await shoot(page, "review")


async def _host_shares_the_recording(page: Page) -> None:
    """Private to its teachers until the host shares it with the schools that took part."""
    await page.click('[data-action="who-may-watch"][data-scope="teachers"]')
    await page.check('input[name="scope"][value="units"]')
    await page.click('[data-action="set-release"]')
    await page.wait_for_selector('[data-action="who-may-watch"][data-scope="units"]', timeout=WAIT)


async def _both_sides_write_and_close(classroom: Classroom, demo: Demo, host: Page) -> None:
    """The host and a teacher of every classroom that was there write; then, and only then, the review closes."""
    await _comment(host, "镜子先发给每组，导入省了一分钟。")
    await _conclude(host, "导入清楚", "板书写大一点")
    assert await host.is_disabled('[data-action="close-review"]')
    await asyncio.gather(
        *(_far_side_writes(classroom, demo, entry["unit"], host.url) for entry in demo.json["lesson"]["endpoint_urls"])
    )
    await host.reload()
    await host.click('[role="tab"][data-value="closing"]')
    await host.wait_for_selector('[data-review][data-state="both_sides"]', timeout=WAIT)
    await host.click('[data-action="close-review"]')
    await host.wait_for_selector('[data-review][data-state="closed"]', timeout=WAIT)
    await shoot(host, "review-closed")


async def _far_side_writes(classroom: Classroom, demo: Demo, unit: str, review: str) -> None:
    teacher = next(user for user in demo.json["users"] if user["role"] == "teacher" and user["unit"] == unit)
    page = await classroom.sign_in(teacher["login"], teacher["password"], review)
    await _comment(page, "后排看不清 35° 这一笔。")
    await _conclude(page, "学生主动回答", "多叫到我们班")


async def _comment(page: Page, text: str) -> None:
    await page.wait_for_selector("[data-review]", timeout=WAIT)
    await page.click('[role="tab"][data-value="comments"]')
    await page.fill('textarea[name="comment"]', text)
    await page.click('[data-action="add-comment"]')
    await page.wait_for_selector(f'[data-comment]:has-text("{text}")', timeout=WAIT)


async def _conclude(page: Page, worked: str, change: str) -> None:
    await page.click('[role="tab"][data-value="closing"]')
    await page.fill('textarea[name="worked"]', worked)
    await page.fill('textarea[name="change"]', change)
    async with page.expect_response(lambda answer: answer.url.endswith("/conclusion")) as answer:
        await page.click('[data-action="conclude"]')
    assert (await answer.value).status == 200


def test_feed_holds_the_lesson(demo: Demo) -> None:
    """A calendar client finds the demo lesson's occurrences in its host teacher's feed."""
    lesson = demo.json["lesson"]
    feed = next(f for f in demo.json["feeds"] if f["kind"] == "room" and f["id"] == lesson["endpoint_urls"][0]["room"])
    with urllib.request.urlopen(feed["url"]) as answer:
        assert answer.headers.get_content_type() == "text/calendar"
        calendar = icalendar.Calendar.from_ical(answer.read())
    uids = [str(event["UID"]) for event in calendar.walk("VEVENT")]
    assert sum(uid.startswith(f"{lesson['id']}.") for uid in uids) > 10
