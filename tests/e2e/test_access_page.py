"""The ways into a lesson that its host gives away on the page: an encoder that really publishes, peers and guests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.classroom import WAIT, Classroom, in_state
from tests.e2e.conftest import PROJECT, Demo

pytestmark = pytest.mark.slow


@pytest.fixture
async def classroom(demo: Demo, chromium: Browser) -> AsyncIterator[Classroom]:
    opened = Classroom(chromium, demo)
    yield opened
    await opened.close()


async def dialog(classroom: Classroom, tab: str) -> Page:
    """The host's page with the dialog open."""
    host = await classroom.host()
    await host.click('[data-action="open-access"]', timeout=WAIT)
    await host.click(f'[role="tab"][data-value="{tab}"]')
    return host


async def test_host_gives_an_encoder_its_way_in_and_takes_it_back(
    demo: Demo, classroom: Classroom, tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("openssl")
    host = await dialog(classroom, "encoder")
    await host.click('[data-action="give-encoder"]')
    url, token = [await host.input_value(f'[data-made="encoder"] input[name="{name}"]') for name in ("url", "token")]
    assert await host.locator('[data-made="encoder"] li').count() == 6
    command = [sys.executable, "-m", "tests.whip_muxer", url, token, str(tmp_path)]
    pipe = subprocess.PIPE
    muxer = subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, stderr=pipe)  # noqa: ASYNC220 - its start takes no time
    try:
        await host.wait_for_selector('[data-kind="encoder"][data-in-use="true"]', timeout=WAIT)
        tile = '.tile[data-participant-id^="encoder."]'
        await host.wait_for_selector(f"{tile} video", state="attached", timeout=WAIT)
        await host.wait_for_function(
            "tile => Number(document.querySelector(`${tile} video`)?.dataset.frames) > 10", arg=tile, timeout=WAIT
        )
        await host.click('[data-kind="encoder"] [data-action="withdraw"]')
        await host.wait_for_selector(tile, state="detached", timeout=WAIT)
        await host.wait_for_selector('[data-kind="encoder"]', state="detached", timeout=WAIT)
        assert await host.locator("[data-made]").count() == 0
    finally:
        muxer.kill()
        await asyncio.to_thread(muxer.communicate, timeout=20)
    await host.click('[role="tab"][data-value="player"]')
    await host.click('[data-action="give-player"]')
    assert "/whep/" in await host.input_value('[data-made="player"] input[name="url"]')
    await host.click('[data-kind="player"] [data-action="withdraw"]')
    await host.wait_for_selector('[data-kind="player"]', state="detached", timeout=WAIT)
    # and the same from the lesson's page, where a device is set up before anybody has entered
    session = await host.get_attribute("[data-session]", "data-session")
    await host.goto(f"{demo.json['base_url']}/lesson/{session}")
    await host.click('[data-action="open-access"]')
    await host.click('[role="tab"][data-value="encoder"]')
    await host.click('[data-action="give-encoder"]')
    assert "/whip/" in await host.input_value('[data-made="encoder"] input[name="url"]')
    await host.click('[data-kind="encoder"] [data-action="withdraw"]')
    await host.wait_for_selector('[data-kind="encoder"]', state="detached", timeout=WAIT)
    assert classroom.errors == []


async def test_host_lets_peers_and_guests_watch_and_sees_who_does(demo: Demo, classroom: Classroom) -> None:
    lesson = demo.json["lesson"]
    unit = lesson["endpoint_urls"][0]["room"].partition(".")[0]
    users = [user for user in demo.json["users"] if user["role"] == "teacher"]
    # a teacher of Chinese, and no teacher of this lesson
    peer_of = next(user for user in users if user["unit"] == unit and user["login"].endswith(".yuwen01"))
    far = next(user for user in users if user["unit"] == "beiliu-zhongxue")
    host = await dialog(classroom, "watching")
    session = await host.get_attribute("[data-session]", "data-session")
    watch = f"{demo.json['base_url']}/classroom/{session}"
    peer = await classroom.sign_in(peer_of["login"], peer_of["password"], watch)
    await peer.goto(f"{watch}?as=observer")
    await peer.wait_for_selector(".gate h1:has-text('名单')", timeout=WAIT)
    await host.click('[data-action="give-peers"]')
    await host.wait_for_selector('[data-kind="peers"]', timeout=WAIT)
    await peer.reload()
    await peer.wait_for_selector('[data-role="observer"]', timeout=WAIT)
    await host.wait_for_selector('[data-watching="1"]', timeout=WAIT)
    await host.click('[data-action="give-guest"]')
    link = await host.input_value('[data-made="guest"] input[name="url"]')
    guest = await classroom.sign_in(far["login"], far["password"], demo.json["base_url"])
    await guest.goto(link)
    await guest.wait_for_selector('[data-role="observer"]', timeout=WAIT)
    await host.wait_for_selector('[data-watching="2"]', timeout=WAIT)
    for kind, page in (("peers", peer), ("guest", guest)):
        await host.click(f'[data-kind="{kind}"] [data-action="withdraw"]')
        await page.wait_for_selector(".gate", timeout=WAIT)
        await page.wait_for_selector('[data-role="observer"]', state="detached", timeout=WAIT)
    await host.wait_for_selector('[data-watching="0"]', state="attached", timeout=WAIT)
    assert classroom.errors == []
    await in_state(host, "open")
