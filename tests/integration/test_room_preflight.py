"""A panel's report of its camera, microphone and line reaches the operators' log, and nobody else's does."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from config.settings import load
from server import logs
from server.app import create_app
from server.auth.middleware import COOKIE, auth_key
from server.keys import people_key, session_store_key
from server.storage.people_store import PairedRoom
from signaling.plan import SessionRecord
from tests.live_lessons import plan

Client = TestClient[web.Request, web.Application]

BELONGS, STRANGER = "room-yanli", "room-elsewhere"
REPORT = {"session": "s1", "camera": "ok", "microphone": "silent", "rttMs": 31.4}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    settings = load(None, {"TONGKE_SERVER_DATA_DIR": str(tmp_path), "TONGKE_MEDIA_PORT": "0"})
    app = create_app(settings, static=tmp_path)
    # its window is over, so that nothing opens it while the test runs
    record = SessionRecord(plan=plan(), kind="lesson", state="ended", journal="s1", ended_at=1_002_400.0)
    async with TestClient(TestServer(app)) as client:
        await app[session_store_key].add(record)
        for room in (BELONGS, STRANGER):
            paired = PairedRoom(room=room, name=room, unit="yanli", paired_at=1.0, paired_by="test")
            await app[people_key].pair(paired)
        yield client


@pytest.mark.parametrize(
    ("room", "report", "status", "code"),
    [
        (BELONGS, REPORT, 204, None),
        (BELONGS, REPORT | {"session": "s2"}, 404, "session_not_found"),
        (BELONGS, REPORT | {"speaker": "blocked"}, 204, None),
        (BELONGS, REPORT | {"camera": "fine"}, 422, "invalid_body"),
        (STRANGER, REPORT, 403, "not_in_lesson"),
        (None, REPORT, 401, "not_signed_in"),
    ],
)
async def test_only_a_room_of_the_lesson_reports(
    client: Client, room: str | None, report: dict[str, object], status: int, code: str | None
) -> None:
    headers = {"X-Tongke": "1"}
    if room is not None:
        assert client.app is not None
        headers["Cookie"] = f"{COOKIE}={await client.app[auth_key].open_session('room', room)}"
    lines = io.StringIO()
    logs.configure(lines)
    async with client.post("/api/room/preflight", json=report, headers=headers) as response:
        assert (response.status, (await response.json())["code"] if code else None) == (status, code)
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    found = [
        {key: line[key] for key in ("level", "room", "session", "camera", "microphone", "rtt_ms")}
        for line in written
        if line["event"] == "preflight"
    ]
    expected = {
        "level": "warning",
        "room": BELONGS,
        "session": "s1",
        "camera": "ok",
        "microphone": "silent",
        "rtt_ms": 31,
    }
    assert found == ([expected] if status == 204 else [])
