"""The pages in Firefox ESR, which schools with older Linux images have: they load, join and find their devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.auth.middleware import COOKIE
from tests.e2e.conftest import Demo
from tests.e2e.live_county import ROOM, live_county
from tests.firefox import firefox
from tests.networks import address_beside_loopback

pytestmark = pytest.mark.slow

OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
MOVES = """[...document.querySelectorAll('video[data-participant="{participant}"]')].some(
    video => video.videoWidth > 0 && video.currentTime > 0.5)"""
PEERS = """() => {
    window.peers = [];
    const Peer = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Peer {
        constructor(...given) {
            super(...given);
            window.peers.push(this);
        }
    };
}"""
SOUNDS = """Promise.all(window.peers.map(peer => peer.getStats())).then(all => all.some(
    stats => [...stats.values()].some(part =>
        part.type === 'inbound-rtp' && part.kind === 'audio' && part.totalAudioEnergy > 0)))"""
"""The tone of Firefox's fake microphone was heard: decoded, not only received."""


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


async def test_lesson_between_a_host_and_a_panel_in_firefox(tmp_path: Path, migrated_sqlite: Path) -> None:
    """Both ends in Firefox, on the lesson's real media: pictures and sound arrive, pages turn, a hand is called on."""
    with address_beside_loopback() as address:
        await _lesson_between_two(tmp_path, migrated_sqlite, address)


async def _lesson_between_two(folder: Path, database: Path, address: str) -> None:
    async with (
        live_county(folder / "data", database, media=address) as lesson,
        firefox(folder / "desk") as host,
        firefox(folder / "wall") as panel,
    ):
        base = lesson.county.base
        for browser in (host, panel):
            await browser.ask("script.addPreloadScript", functionDeclaration=PEERS)
        await host.keep_cookie(COOKIE, await lesson.token("person", "person.host_teacher"), "127.0.0.1")
        await panel.keep_cookie(COOKIE, await lesson.token("room", ROOM), "127.0.0.1")
        await host.go(f"{base}/classroom/{lesson.session}")
        await panel.go(f"{base}/room")
        await host.click('[data-action="start-lesson"]')
        await panel.wait_for('[data-role="endpoint"][data-state="live"]')
        await host.becomes(MOVES.format(participant=ROOM))
        await panel.becomes(MOVES.format(participant="host.person.host_teacher"))
        await panel.becomes(SOUNDS)

        await host.click('[data-action="push-material"]')
        await host.click('[data-action="open-material"][data-version="blank"]')
        await panel.wait_for('.sheet[data-page="1"]')
        await host.click('[data-action="turn-page"][data-to="2"]')
        await panel.wait_for('.sheet[data-page="2"]')

        await panel.click('[data-action="raise-hand"]')
        await host.wait_for(f'[data-room="{ROOM}"][data-hands="1"]')
        await host.click(f'[data-room="{ROOM}"] [data-action="call-on"]')
        await panel.wait_for('[data-view="called"][data-muted="false"]')
        await host.becomes(SOUNDS)
        assert [*host.errors, *panel.errors, *lesson.errors] == []
