"""The pages in Firefox ESR, which schools with older Linux images have: they load, join and find their devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.firefox import firefox

pytestmark = pytest.mark.slow

OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


async def test_pages_load_and_a_lesson_is_joined_in_firefox(demo: Demo, tmp_path: Path) -> None:
    lesson = demo.json["lesson"]
    async with firefox(tmp_path / "profile") as browser:
        await browser.go(f"{demo.json['base_url']}/sign-in?lang=en")
        await browser.wait_for('input[name="login"]')
        await browser.go(lesson["review_url"])
        await browser.wait_for("#app main, [data-review]")
        for path in ("/lessons", "/timetable", "/reviews", "/"):
            await browser.go(demo.json["base_url"] + path)
            await browser.wait_for(".top")
            assert await browser.evaluate(OVERFLOW) <= 0, path

        await browser.go(lesson["host_url"])
        await browser.wait_for('[data-role="host"]')
        await browser.wait_for('video[data-source="teacher"]')
        await browser.click('[data-action="choose-devices"]')
        await browser.wait_for('[data-use="teacher"][data-state="ok"]')
        await browser.wait_for('[data-use="mic"][data-state="ok"]')
        await browser.click('[data-action="close-devices"]')

        await browser.go(lesson["endpoint_urls"][0]["url"])
        await browser.wait_for('[data-role="endpoint"]')
        await browser.go(lesson["assistant_url"])
        await browser.wait_for('[data-role="assistant"]')
        await browser.click('[data-tab="chat"]')
        await browser.wait_for('input[name="say"]')
        assert browser.errors == []
