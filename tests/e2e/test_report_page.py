"""A lesson's report in a real browser: from the lesson that has just ended to its figures and its sheet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.e2e.classroom import WAIT, Classroom, in_state, shoot, tile
from tests.e2e.conftest import Demo
from tests.e2e.test_classroom_page import OVERFLOW, UNNAMED, ended, started
from tests.e2e.test_exercise_page import answered, ask

pytestmark = pytest.mark.slow


@pytest.fixture
async def classroom(demo: Demo, chromium: Browser) -> AsyncIterator[Classroom]:
    opened = Classroom(chromium, demo)
    yield opened
    await opened.close()


async def test_report_counts_the_lesson_that_has_just_ended(demo: Demo, classroom: Classroom, tmp_path: Path) -> None:
    lesson = demo.json["lesson"]
    entry = lesson["endpoint_urls"][0]
    host = await started(classroom)
    session = await host.get_attribute("[data-session]", "data-session")
    panel = await classroom.open(entry["url"], "panel", width=1920, height=1080)
    await in_state(panel, "live")
    await tile(host, entry["room"], "connected")
    await host.click(f'[data-room="{entry["room"]}"] [data-action="call-on"]')
    await panel.wait_for_selector('[data-view="called"]', timeout=WAIT)
    await host.click(f'[data-room="{entry["room"]}"] [data-action="end-call"]')
    await ask(host, "choice", "入射角是 35°，反射角是多少度？", ("35°", "55°"), right=0)
    await panel.click('.wx [data-option="0"] [data-action="more-hands"]')
    await answered(host, entry["unit"], 1)
    await host.click('[data-action="show-result"]')
    await panel.wait_for_selector(".wx .right", timeout=WAIT)
    await ended(host)

    await host.goto(f"{demo.json['base_url']}/lessons")
    await host.click(f'tr[data-session="{session}"] [data-action="report"]')
    await host.wait_for_selector(f'[data-report="{session}"][data-state="ended"]', timeout=WAIT)
    row = host.locator(f'[data-room="{entry["unit"]}"]')
    assert await row.get_attribute("data-turns") == "1"
    assert (
        await host.locator(f'[data-exercise="1"] [data-class="{entry["unit"]}"]').get_attribute("data-answered") == "1"
    )
    for width, height in ((1366, 768), (390, 844)):
        await host.set_viewport_size({"width": width, "height": height})
        assert (await host.evaluate(OVERFLOW))["right"] <= 0
        assert await host.evaluate(UNNAMED) == []
        await shoot(host, f"report-{width}")
    async with host.expect_download() as download:
        await host.click('[data-action="save-csv"]')
    saved = tmp_path / "report.csv"
    await (await download.value).save_as(saved)
    assert "入射角是 35°" in saved.read_text("utf-8-sig")
    await host.click('[data-action="open-review"]')
    await host.wait_for_selector('[data-review] [data-action="report"]', timeout=WAIT)
    assert classroom.errors == []
