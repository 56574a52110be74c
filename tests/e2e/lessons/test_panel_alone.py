"""A wall panel that nobody looks after: it takes its server's new pages by itself, and waits for its school's line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.async_api import Route

from tests.e2e.classroom import WAIT, in_state
from tests.e2e.live_county import STATIC, WALL, chromium_with, live_county

pytestmark = pytest.mark.slow

MINUTES_FLY = """
    // what the page does once a minute it does several times a second, and is counted
    const every = window.setInterval;
    window.minutes = 0;
    window.setInterval = (what, after, ...given) =>
        after === 60000 ? every(() => { window.minutes += 1; what(); }, 200) : every(what, after, ...given);
"""
LOADED = "() => performance.timeOrigin"


def renewed(client: Path) -> None:
    """The next build's page of a panel: it names a style that this one does not."""
    page = client / "room.html"
    page.write_text(page.read_text("utf-8").replace("</head>", STYLE + "</head>"), "utf-8")
    for compressed in client.glob("room.html.*"):
        compressed.unlink()


STYLE = '<link rel="stylesheet" href="/assets/next.css">'


async def test_idle_panel_takes_the_servers_new_pages_and_a_lesson_keeps_its_own(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    client = shutil.copytree(STATIC, tmp_path / "client")
    (client / "assets" / "next.css").write_text(":root { --next: 1; }", "utf-8")
    async with (
        live_county(tmp_path / "data", migrated_sqlite, client=client) as lesson,
        chromium_with(cameras=1) as browser,
    ):
        host = await lesson.host(browser)
        await host.click('[data-action="start-lesson"]')
        panel = await lesson.panel(browser, script=MINUTES_FLY)
        await in_state(panel, "live")
        loaded = await panel.evaluate(LOADED)
        renewed(client)
        minutes = await panel.evaluate("() => window.minutes")
        await panel.wait_for_function("before => window.minutes > before + 10", arg=minutes, timeout=WAIT)
        await host.click('[data-action="end-lesson"]')
        await host.click('[data-action="end-lesson"][data-confirm="true"]')
        await panel.wait_for_selector('[data-view="over"]', timeout=WAIT)
        assert await panel.evaluate(LOADED) == loaded
        await panel.wait_for_selector('head link[href="/assets/next.css"]', state="attached", timeout=WAIT)
        await panel.wait_for_selector('[data-view="idle"]', timeout=WAIT)
        # once: it is what the server has now
        loaded = await panel.evaluate(LOADED)
        await panel.wait_for_function("() => window.minutes > 10", timeout=WAIT)
        assert await panel.evaluate(LOADED) == loaded
        assert lesson.errors == []


async def test_panel_that_is_up_before_its_line_asks_for_its_code_until_it_has_one(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        context = await lesson.context(browser, viewport=WALL)
        line = False

        async def carry(route: Route) -> None:
            await (route.continue_() if line else route.abort("internetdisconnected"))

        await context.route("**/api/room/day", carry)
        panel = await lesson.load(context, "/room")
        await panel.wait_for_selector('[data-view="starting"] [data-action="retry"]', timeout=WAIT)
        await context.route("**/api/pairing", carry)
        await context.unroute("**/api/room/day")
        await panel.wait_for_selector('[data-view="pairing"] [role="alert"]', timeout=WAIT)
        line = True
        await panel.wait_for_selector('[data-view="pairing"][data-state="offered"]', timeout=WAIT)
        await panel.wait_for_selector('[data-view="pairing"] [role="alert"]', state="detached", timeout=WAIT)
        assert lesson.errors == []


@pytest.mark.parametrize("part", ["room-*.js", "zh-CN-*.js"])
async def test_panel_that_lost_a_part_of_its_page_on_the_way_asks_again(
    tmp_path: Path, migrated_sqlite: Path, part: str
) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        context = await lesson.context(browser, viewport=WALL)
        lost = 0

        async def lose(route: Route) -> None:
            nonlocal lost
            lost += 1
            await (route.abort("connectionreset") if lost == 1 else route.continue_())

        await context.route(f"**/assets/{part}", lose)
        await lesson.pair(context)
        panel = await lesson.load(context, "/room")
        await in_state(panel, "open")
        assert lost > 1


async def test_panel_counts_down_to_a_lesson_whose_doors_are_closed(tmp_path: Path, migrated_sqlite: Path) -> None:
    """Its session is not there yet: in the morning it is a line of the table only."""
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        context = await lesson.context(browser, viewport=WALL)

        async def morning(route: Route) -> None:
            day = await (await route.fetch()).json()
            starts = day["serverTime"] + 3 * 3600
            row = dict.fromkeys(("occurrence", "title", "subject", "hostName"), "科学") | {
                "kind": "sync", "start": "10:30", "end": "11:10", "starts": starts, "ends": starts + 2400,
                "session": None, "state": "scheduled", "cancelled": False,
            }  # fmt: skip
            await route.fulfill(json=day | {"join": None, "lessons": [row | {"cancelled": True}, row]})

        await context.route("**/api/room/day", morning)
        await lesson.pair(context)
        panel = await lesson.load(context, "/room")
        await panel.wait_for_selector('.nx [role="timer"]', timeout=WAIT)
        assert (await panel.inner_text('.nx [role="timer"]'))[:4] in ("3:00", "2:59")
        assert lesson.errors == []
