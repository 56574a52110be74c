"""A room without camera and microphone, as its school says on the rooms page: nothing is asked of it, and nobody waits
for it to speak."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from server.auth.middleware import COOKIE, auth_key
from tests.county_server import MEMBER, SYNC, CountyServer, person_id, remote_room, running_county
from tests.e2e.classroom import WAIT

pytestmark = pytest.mark.slow

STATIC = Path(__file__).parents[3] / "server" / "static"
ASKED = """
    window.asked = 0;
    const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = wishes => { window.asked += 1; return ask(wishes); };
"""


@pytest.fixture
async def small(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    async with running_county(tmp_path / "data", migrated_sqlite, client=STATIC) as county:
        yield county


async def page_of(county: CountyServer, chromium: Browser, kind: str, who: str, path: str) -> Page:
    context = await chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    subject = person_id(who) if kind == "person" else who
    token = await county.app[auth_key].open_session("person" if kind == "person" else "room", subject)
    await context.add_cookies([{"name": COOKIE, "value": token, "url": county.base}])
    await context.add_init_script(ASKED)
    page = await context.new_page()
    await page.goto(county.base + path)
    return page


async def test_listen_only_room_is_asked_for_nothing_and_its_tile_says_so(
    small: CountyServer, chromium: Browser
) -> None:
    room = remote_room(MEMBER)
    rooms = await page_of(small, chromium, "person", "member_director", "/rooms")
    row = rooms.locator(f'tr[data-room="{room}"]')
    await row.locator('input[name="listen-only"]').check()
    await expect(row.locator('input[name="listen-only"]')).to_be_enabled(timeout=WAIT)
    await rooms.reload()
    await expect(row.locator('input[name="listen-only"]')).to_be_checked(timeout=WAIT)

    panel = await page_of(small, chromium, "room", room, "/room")
    await expect(panel.locator('[data-check="listens"][data-state="ok"]')).to_be_visible(timeout=WAIT)
    assert await panel.locator('[data-check="camera"], [data-check="microphone"]').count() == 0
    await panel.click('[data-action="preflight"]')
    await expect(panel.locator('[data-check="line"]:not([data-state="unknown"])')).to_be_visible(timeout=WAIT)

    teacher = await small.person("host_teacher")
    session = (await teacher.post("/api/sessions", {"lesson": SYNC})).json["id"]
    host = await page_of(small, chromium, "person", "host_teacher", f"/classroom/{session}?as=host")
    tile = host.locator(f'.tile[data-room="{room}"]')
    await expect(host.locator(f'.tile[data-room="{room}"][data-state="connected"]')).to_be_visible(timeout=WAIT)
    await expect(tile.locator("[data-listen-only]")).to_be_visible(timeout=WAIT)
    await expect(tile.locator('[data-gives="listen_only"]')).to_be_visible(timeout=WAIT)
    # the panel sees the host without having been asked for a camera
    await panel.wait_for_function(
        "() => [...document.querySelectorAll('video[data-participant]')].some(one => Number(one.dataset.frames) > 5)",
        timeout=WAIT,
    )
    assert await panel.evaluate("() => window.asked") == 0
    assert await host.evaluate("() => window.asked") > 0
    await host.click('[data-action="start-lesson"]')
    await expect(host.locator('[data-session][data-state="live"]')).to_be_visible(timeout=WAIT)
    assert await host.locator(f'[data-next="{room}"]').count() == 0
