"""A real browser's camera and microphone, through the media plane into a recording that plays."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import av
import pytest
from playwright.async_api import Browser

from recordings.manifest import read_recording
from recordings.recorder import SessionRecorder
from recordings.register import RecordingState
from recordings.repair import verify
from tests.integration.test_media_chromium import page_server
from tests.media_clients import media_hub, until


@pytest.mark.slow
async def test_a_browser_is_recorded_with_picture_and_sound(chromium: Browser, tmp_path: Path) -> None:
    states: list[RecordingState] = []
    async with media_hub() as hub, page_server(hub) as url:
        page = await chromium.new_page()
        await page.goto(url)
        mic, teacher = await page.evaluate("publish('a', 320)")
        recorder = SessionRecorder(
            "s1",
            tmp_path,
            time.monotonic,
            time.time,
            request_keyframe=lambda _: hub.request_keyframe(teacher["id"]),
            on_state=lambda _, state: states.append(state),
            post=asyncio.get_running_loop().call_soon_threadsafe,
        )
        recorder.start("a", "host", "core", "主讲教室", consent=True)
        untaps = [
            hub.tap(teacher["id"], recorder.video_tap("a", "teacher")),
            hub.tap(mic["id"], recorder.audio_tap("a")),
        ]
        await until(lambda: states == [RecordingState.RECORDING])
        began = time.monotonic()
        await until(lambda: time.monotonic() - began > 6, 20)
        for untap in untaps:
            untap()
        ended = time.monotonic()
        await asyncio.to_thread(recorder.stop)
        stopped = time.monotonic() - ended
        await asyncio.to_thread(recorder.join)
        await page.close()
    assert stopped < 1.0
    assert verify(tmp_path) == []
    (facts,) = read_recording(tmp_path).segments
    assert (facts.opened.video, facts.opened.audio) == (True, True)
    with av.open(str(tmp_path / facts.opened.file)) as container:
        pictures: list[float] = []
        sounds: list[float] = []
        for frame in container.decode():
            assert frame.time is not None
            (pictures if isinstance(frame, av.VideoFrame) else sounds).append(frame.time)
    assert pictures[-1] > 5
    assert sounds[-1] == pytest.approx(pictures[-1], abs=0.3)
    assert max(later - earlier for earlier, later in pairwise(pictures)) < 0.5
    assert sounds[0] == pytest.approx(pictures[0], abs=0.3)
