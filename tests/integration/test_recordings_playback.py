"""What the recorder writes plays in a real browser by byte ranges from the index, in every state of the file."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page

from recordings.clock import ParticipantClock
from recordings.fragments import index_file
from recordings.segment_index import FragmentIndex
from recordings.segment_log import EndedSegment, NewSegment
from recordings.view_writer import ViewWriter
from tests.recorded_media import (
    BITS,
    Packet,
    audio_packets,
    camera,
    merged,
    microphone,
    report,
    video_packets,
    vp8_camera,
)

SECONDS = 9

_PLAYER = """
async ({index, mime, seeks}) => {
  const range = async part => {
    const headers = {Range: `bytes=${part.offset}-${part.offset + part.size - 1}`};
    return (await fetch('/segment.mp4', {headers})).arrayBuffer();
  };
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise(done => source.addEventListener('sourceopen', done, {once: true}));
  const buffer = source.addSourceBuffer(mime);
  const append = async part => {
    const bytes = await range(part);
    await new Promise((done, failed) => {
      buffer.addEventListener('updateend', done, {once: true});
      buffer.addEventListener('error', () => failed(new Error(video.error && video.error.message)), {once: true});
      buffer.appendBuffer(bytes);
    });
  };
  const number = () => {
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    let read = 0;
    for (let bit = 0; bit < BITS; bit++) {
      const x = Math.floor((bit + 0.5) * canvas.width / BITS);
      if (context.getImageData(x, 20, 1, 1).data[1] > 128) read |= 1 << bit;
    }
    return read;
  };
  await append(index.init);
  const shown = [];
  for (const at of seeks) {
    // the keyframe before, and everything up to the moment
    let first = 0;
    index.fragments.forEach((part, place) => { if (part.keyframe && part.time <= at) first = place; });
    for (const part of index.fragments.slice(first)) { if (part.time > at + 0.5) break; await append(part); }
    // 'seeked' may come a moment before the frame does: a canvas then still draws the one before
    const painted = new Promise((done, failed) => {
      const look = (_, frame) => {
        if (frame.mediaTime <= at && frame.mediaTime > at - 0.2) done();
        else video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
      setTimeout(() => failed(new Error('no frame at ' + at)), 20000);
    });
    video.currentTime = at;
    await painted;
    shown.push(number());
  }
  for (const part of index.fragments) await append(part);
  const ranges = [...Array(video.buffered.length).keys()].map(n => [video.buffered.start(n), video.buffered.end(n)]);
  video.currentTime = 0;
  video.playbackRate = 4;
  await video.play();
  await new Promise((done, failed) => {
    const end = ranges[0][1] - 0.3;
    video.addEventListener('timeupdate', () => { if (video.currentTime >= end) done(); });
    setTimeout(() => failed(new Error('stuck at ' + video.currentTime)), 20000);
  });
  const frames = video.getVideoPlaybackQuality().totalVideoFrames;
  return {shown, ranges, sound: video.webkitAudioDecodedByteCount, frames};
}
""".replace("BITS", str(BITS))


class _Log:
    def __init__(self, path: Path) -> None:
        self._path = path

    def opened(self, new: NewSegment) -> tuple[str, Path]:
        return "1", self._path

    def ended(self, segment: EndedSegment) -> None:
        assert segment.whole

    def paused(self, error: Exception) -> None:
        raise error

    def unreadable(self) -> None:
        raise AssertionError("unreadable")


@pytest.fixture(scope="module", params=["h264", "vp8"])
def states(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Path]:
    """The same segment while it grows, torn by a crash, and closed."""
    folder, vp8 = tmp_path_factory.mktemp("playback"), request.param == "vp8"
    suffix = ".webm" if vp8 else ".mp4"
    path = folder / f"closed{suffix}"
    writer = ViewWriter("teacher", ParticipantClock(), _Log(path), lambda: None)
    writer.begin("video", 0.0, request.param)
    writer.begin("audio", 0.0)
    packets: list[Packet] = list(
        merged(
            video_packets(vp8_camera(SECONDS), vp8=True) if vp8 else video_packets(camera(SECONDS)),
            (packet for packet in audio_packets(microphone(SECONDS)) if not 4.0 <= packet.arrival < 5.2),
            [report("video", 0.2, 0.0), report("audio", 0.3, 0.0)],
        )
    )
    for packet in packets:
        if packet.ntp:
            writer.report(packet.kind, packet.ntp, packet.timestamp, packet.arrival)
        elif packet.kind == "video":
            writer.video(packet.sequence, packet.timestamp, packet.marker, packet.payload, packet.arrival)
        else:
            writer.audio(packet.sequence, packet.timestamp, packet.payload, packet.arrival)
    shutil.copy(path, folder / f"growing{suffix}")
    torn = path.read_bytes()
    (folder / f"torn{suffix}").write_bytes(torn[: len(torn) - 20_000])
    writer.close(SECONDS)
    return {name: folder / f"{name}{suffix}" for name in ("growing", "torn", "closed")}


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    page = await chromium.new_page()
    yield page
    await page.close()


@asynccontextmanager
async def _served(path: Path) -> AsyncIterator[str]:
    """The address of a page, with the file beside it."""

    async def segment(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    async def shell(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>player</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", shell)
    app.router.add_get("/segment.mp4", segment)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def _played(page: Page, path: Path, index: FragmentIndex, seeks: list[float]) -> Any:
    async with _served(path) as address:
        await page.goto(address)
        return await page.evaluate(_PLAYER, {"index": msgspec.to_builtins(index), "mime": index.mime, "seeks": seeks})


@pytest.mark.parametrize("state", ["growing", "torn", "closed"])
async def test_a_segment_plays_in_chromium(page: Page, states: dict[str, Path], state: str) -> None:
    index = index_file(states[state])
    played = await _played(page, states[state], index, [5.01, 1.5, 3.01])
    assert played["shown"] == [75, 22, 45]
    assert len(played["ranges"]) == 1
    assert played["ranges"][0] == pytest.approx([0.0, index.duration], abs=0.1)
    assert played["sound"] > 0
    assert played["frames"] > 30


async def test_an_index_read_while_recording_serves_the_closed_file(page: Page, states: dict[str, Path]) -> None:
    played = await _played(page, states["closed"], index_file(states["growing"]), [5.01])
    assert played["shown"] == [75]


async def test_a_closed_segment_is_an_ordinary_file(page: Page, states: dict[str, Path]) -> None:
    async with _served(states["closed"]) as address:
        await page.goto(address)
        duration = await page.evaluate(
            """() => new Promise((done, failed) => {
                const video = document.createElement('video');
                video.onloadedmetadata = () => done(video.duration);
                video.onerror = () => failed(new Error(video.error.message));
                video.src = '/segment.mp4';
            })"""
        )
    assert duration == pytest.approx(SECONDS, abs=0.1)
