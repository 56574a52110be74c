"""A classroom's own camera in a real browser, as most cameras come: with H.264 of the high profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.cameras.store import Camera
from server.keys import camera_store_key, cameras_key
from tests.e2e.classroom import WAIT, in_state
from tests.e2e.live_county import HOST_ROOM, chromium_with, live_county
from tests.recorded_media import camera, units
from tests.rtsp_camera import rtsp_camera

pytestmark = pytest.mark.slow

PRESET = "veryfast"
HIGH = 100
SHOWN = """() => [...document.querySelectorAll('video[data-participant^="encoder."]')].some(
    video => video.videoWidth === 320 && Number(video.dataset.frames) > 30)"""


async def test_chromium_shows_a_camera_of_the_high_profile(tmp_path: Path, migrated_sqlite: Path) -> None:
    assert [unit[1] for unit in units(camera(4, preset=PRESET)[0].data) if unit[0] & 31 == 7] == [HIGH]
    async with (
        live_county(tmp_path / "data", migrated_sqlite) as lesson,
        rtsp_camera("opus", preset=PRESET) as device,
        chromium_with(cameras=1) as browser,
    ):
        pulls = lesson.county.app[cameras_key]
        # this server listens at a port that its settings do not know
        pulls._whip_base, pulls._networks = lambda: lesson.county.base, ["127.0.0.0/8"]
        lesson.county.app[camera_store_key].put(Camera(HOST_ROOM, device.url, "p-1", 0.0))
        watching = await lesson.patrol(browser)
        await in_state(watching, "open")
        await watching.wait_for_function(SHOWN, timeout=WAIT)
        assert lesson.errors == []
