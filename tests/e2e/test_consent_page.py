"""A head teacher withdraws a class's consent on a phone, while its review plays and its report is open elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.county_server import CORE, MEMBER, running_county
from tests.e2e.classroom import WAIT, shoot
from tests.e2e.conftest import STATIC
from tests.e2e.desks import PC, Desks
from tests.held_lessons import Held, hold, record

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SECONDS = 10
"""The length of the recording: it plays on while the class withdraws."""
MOMENTS = 5_000
"""Milliseconds after which nothing of the class may be left on an open page."""
PLAYS = """unit => {
    const video = document.querySelector(`[data-unit="${unit}"] .screens video[data-participant]`);
    return video !== null && !video.paused && video.currentTime > 1;
}"""
CLASS = f'[data-class="{MEMBER}-5-1"]'


@pytest_asyncio.fixture(loop_scope="module")
async def held(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[Held]:
    async with running_county(tmp_path / "data", migrated_sqlite, client=STATIC) as county:
        yield await record(await hold(county, answers=True), SECONDS)


async def photographed(page: Page, name: str) -> None:
    """At a PC's size and, whole, at a phone's; for people to look at."""
    shown = page.viewport_size
    await page.set_viewport_size({"width": PC["width"], "height": PC["height"]})
    await shoot(page, name)
    await page.set_viewport_size({"width": 390, "height": 1500})
    await shoot(page, f"{name}-phone")
    if shown is not None:
        await page.set_viewport_size(shown)


async def open_report(page: Page, unit: str) -> None:
    """What single pupils of a class did is folded away until somebody wants it."""
    await page.click(f'[data-class="{unit}"] summary')
    await page.wait_for_selector(f'[data-class="{unit}"] .xphotos img', timeout=WAIT)


async def test_what_is_withdrawn_leaves_the_pages_that_show_it_now(held: Held, shared_chromium: Browser) -> None:
    desks = Desks(held.county, shared_chromium)
    host = await held.county.person("host_teacher")
    for text in ("西河的小明答得真好", "节奏合适", "小明上台写得工整"):
        assert (await host.post(f"{held.path}/comments", {"text": text})).status == 201

    head = await desks.open("member_principal", "/", **PHONE)
    await head.click(".menu .me")
    await head.click('.menu-item[href="/consents"]')
    await head.wait_for_selector(CLASS, timeout=WAIT)
    await photographed(head, "consents")
    await head.click(f'{CLASS} [data-action="open-consent"]')
    await head.wait_for_selector(f'{CLASS}[data-agreed="true"]', timeout=WAIT)
    await head.click('[data-action="withdraw"]')
    await photographed(head, "consent-agreed")

    report = await desks.open("host_teacher", f"/report/{held.session}")
    for unit in (CORE, MEMBER):
        await open_report(report, unit)
    review = await desks.open("host_teacher", f"/review/{held.id}")
    for unit in (CORE, MEMBER):
        await review.wait_for_selector(f'[data-unit="{unit}"][data-state="playing"] video', timeout=WAIT)
    await review.click(f'[data-unit="{MEMBER}"] [data-action="listen"]')
    await review.click('[data-action="play"]')
    for unit in (CORE, MEMBER):
        await review.wait_for_function(PLAYS, arg=unit, timeout=WAIT)

    await head.click('[data-action="confirm-withdraw"]')
    gone = f'[data-unit="{MEMBER}"][data-state="withdrawn"]'
    await review.wait_for_selector(gone, timeout=MOMENTS)
    assert await review.locator(f"{gone} video").count() == 0
    # nothing that was fetched ahead is heard either: whose sound it was is not the one heard any more
    assert await review.locator(f'[data-unit="{CORE}"] [data-action="listen"]').get_attribute("aria-pressed") == "true"
    # the other side goes on
    here = float(await review.get_attribute(".ctl", "data-position") or 0)
    await review.wait_for_function(
        "before => Number(document.querySelector('.ctl').dataset.position) > before + 0.5", arg=here, timeout=WAIT
    )
    await review.wait_for_function(PLAYS, arg=CORE, timeout=WAIT)
    await report.wait_for_selector(f'[data-class="{MEMBER}"] .xphotos', state="detached", timeout=MOMENTS)
    assert await report.locator(f'[data-class="{CORE}"] .xphotos img').count() == 1
    assert "垂直于镜面" not in await report.inner_text("main")
    await photographed(report, "report-withdrawn")
    await photographed(review, "review-withdrawn")

    await head.wait_for_selector(f'{CLASS}[data-agreed="false"]', timeout=WAIT)
    named = head.locator("[data-word]", has_text="节奏")
    await named.locator('[data-action="hide-word"]').click()
    await photographed(head, "consent-withdrawn")
    await named.locator("button.quiet").click()
    await head.fill('input[type="search"]', "小明")
    await head.click('[data-action="hide-found"]')
    await photographed(head, "consent-names")
    await head.click('[data-action="confirm-hide-found"]')
    await head.fill('input[type="search"]', "")
    await head.wait_for_function(
        "() => document.querySelectorAll('[data-word][data-hidden=\"true\"]').length === 2", timeout=WAIT
    )
    await review.wait_for_function("() => !document.body.innerHTML.includes('小明')", timeout=MOMENTS)
    assert "节奏合适" in await review.inner_text(".side-panel")

    await review.click('[data-action="who-may-watch"]')
    assert await review.locator('[data-action="consents"]').count() == 0, "a teacher does not speak for the class"
    await head.click('[data-action="agree-anew"]')
    await head.click('[data-action="confirm-agree-anew"]')
    await review.wait_for_selector(f'[data-unit="{MEMBER}"] .screens video', state="attached", timeout=MOMENTS)
    await desks.close()


async def test_a_stream_that_a_proxy_swallows_delays_it_by_seconds_only(held: Held, shared_chromium: Browser) -> None:
    desks = Desks(held.county, shared_chromium)
    review = await desks.open("host_teacher", "/reviews")
    # as behind a proxy that holds back what never ends
    await review.route("**/shown/events*", lambda route: None)
    await review.goto(f"{held.county.base}/review/{held.id}")
    await review.wait_for_selector(f'[data-unit="{MEMBER}"][data-state="playing"] video', timeout=WAIT)
    head = await held.county.person("member_principal")
    said = await head.put(f"/api/consents/{MEMBER}-5-1", {"agreed": False, "revision": 0})
    assert said.status == 200
    await review.wait_for_selector(f'[data-unit="{MEMBER}"][data-state="withdrawn"]', timeout=WAIT)
    await desks.close()
