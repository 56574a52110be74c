"""Rooms whose browsers do not share a codec: the senders change to one that all can play, as far as they can."""

from __future__ import annotations

import asyncio
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from recordings.errors import NotARecording
from recordings.fragments import index_file
from recordings.manifest import read_recording
from server.keys import media_key, settings_key
from tests.county_server import THIRD, remote_room
from tests.e2e.classroom import WAIT
from tests.e2e.live_county import ROOM, LiveCounty, chromium_with, live_county

pytestmark = pytest.mark.slow

HOST = "host.person.host_teacher"
LATE = remote_room(THIRD)
# A Firefox that could not fetch its H.264 plug-in knows VP8 alone; other machines have H.264 alone.
WITHOUT = """(() => {
  const real = RTCRtpReceiver.getCapabilities.bind(RTCRtpReceiver);
  RTCRtpReceiver.getCapabilities = (kind) => {
    const { codecs, headerExtensions } = real(kind);
    return { codecs: codecs.filter(codec => codec.mimeType.toLowerCase() !== "video/%s"), headerExtensions };
  };
})();"""
PEERS = """
  window.peers = [];
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...given) { super(...given); window.peers.push(this); }
  };"""
FRAMES = """([participant, source]) => Math.max(0, ...[...document.querySelectorAll(
  `video[data-participant="${participant}"][data-source="${source}"]`)].map(video => Number(video.dataset.frames)))"""
DECODED = """async () => {
  const found = {};
  for (const [number, peer] of window.peers.entries()) {
    const stats = await peer.getStats();
    for (const entry of stats.values())
      if (entry.type === "inbound-rtp" && entry.kind === "video" && entry.codecId)
        found[number + entry.id] = [stats.get(entry.codecId).mimeType, entry.framesDecoded];
  }
  return found;
}"""


HEARD = """() => Promise.all(window.peers.map(peer => peer.getStats())).then(all => all.some(
  stats => [...stats.values()].some(part =>
    part.type === "inbound-rtp" && part.kind === "audio" && part.totalAudioEnergy > 0)))"""


async def goes_on(page: Page, participant: str, source: str, by: int = 20) -> None:
    """Wait until the page has shown so many more frames of a picture."""
    seen = await page.evaluate(FRAMES, [participant, source])
    await page.wait_for_function(f"(arg) => ({FRAMES})(arg) >= {seen + by}", arg=[participant, source], timeout=WAIT)


async def comes_in(page: Page, codec: str) -> None:
    """Wait until every picture that moves on the page is decoded from this codec."""
    async with asyncio.timeout(WAIT / 1000):
        before: dict[str, list[Any]] = await page.evaluate(DECODED)
        while True:
            await asyncio.sleep(0.5)
            now: dict[str, list[Any]] = await page.evaluate(DECODED)
            moving = {kind for id, (kind, frames) in now.items() if frames > before.get(id, ["", 0])[1]}
            if moving == {f"video/{codec}"}:
                return
            before = now


async def recorded(lesson: LiveCounty, kinds: list[str]) -> None:
    """Wait until the host's picture is recorded in files of these kinds, one after the other, each of them to be
    played. A new file begins for another size as well."""
    folder = lesson.county.app[settings_key].recordings_dir / lesson.session
    async with asyncio.timeout(WAIT / 1000):
        while True:
            segments = [facts.opened for facts in read_recording(folder).segments]
            files = [folder / found.file for found in segments if found.participant == HOST and found.video]
            if [kind for kind, _ in groupby(file.suffix for file in files)] == kinds and all(
                fragments(file) > 0 for file in files
            ):
                return
            await asyncio.sleep(0.2)


def fragments(file: Path) -> int:
    """How many parts of a segment's file can be played so far; it is told of before it is opened."""
    try:
        return len(index_file(file).fragments)
    except (FileNotFoundError, NotARecording):
        return 0


def codecs(lesson: LiveCounty) -> set[str]:
    """In which the pictures of the lesson come."""
    tracks = lesson.county.app[media_key].tracks(lesson.session)
    return {track.codec for track in tracks if track.kind == "video"}


async def test_a_room_without_h264_sees_the_lesson_and_so_do_the_others(
    tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seconds in ("RETURN_AFTER", "LEAST_APART"):
        monkeypatch.setattr(f"signaling.media.codec_choice.{seconds}", 2.0)
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host, panel = await lesson.host(browser, script=PEERS), await lesson.panel(browser, script=PEERS)
        await goes_on(panel, HOST, "teacher")
        await goes_on(host, ROOM, "pupils")
        assert codecs(lesson) == {"h264"}
        await comes_in(panel, "H264")
        await host.click('[data-action="start-lesson"]')
        await recorded(lesson, [".mp4"])

        late = await lesson.panel(browser, THIRD, script=WITHOUT % "h264" + PEERS)
        await goes_on(late, HOST, "teacher")
        assert await late.locator(".absent.unplayable").count() == 0
        assert codecs(lesson) == {"vp8"}
        await goes_on(panel, HOST, "teacher")
        await goes_on(host, ROOM, "pupils")
        await goes_on(host, LATE, "pupils")
        for page in (host, panel, late):
            await comes_in(page, "VP8")
        await recorded(lesson, [".mp4", ".webm"])

        # it goes: the better codec comes back, and the lesson goes on
        await late.context.close()
        await comes_in(panel, "H264")
        await goes_on(panel, HOST, "teacher")
        await goes_on(host, ROOM, "pupils")
        assert codecs(lesson) == {"h264"}
        await recorded(lesson, [".mp4", ".webm", ".mp4"])
        assert lesson.errors == []


async def test_a_picture_in_no_common_codec_is_told_and_the_sound_is_heard(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host = await lesson.host(browser, script=WITHOUT % "vp8")
        panel = await lesson.panel(browser, script=WITHOUT % "h264" + PEERS)
        await panel.wait_for_selector(".main .absent.unplayable", timeout=WAIT)
        assert "H.264" in await panel.inner_text(".main .absent")
        await panel.wait_for_function(HEARD, timeout=WAIT)
        await host.wait_for_selector(f'[data-room="{ROOM}"] .absent.unplayable', timeout=WAIT)
        assert "VP8" in await host.inner_text(f'[data-room="{ROOM}"] .absent.unplayable')
        assert lesson.errors == []
