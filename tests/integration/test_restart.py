"""A restart that was planned, in the middle of a lesson: everybody is told, and comes back without being called."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar

from recordings.journal import read_journal
from tests import client_code, services
from tests.county_process import CountyProcess
from tests.county_server import MEMBER, SYNC, THIRD, Caller, remote_room
from tests.media_clients import until

pytestmark = pytest.mark.slow

PAGES = ("host_teacher", "member_teacher", "third_teacher", remote_room(MEMBER), remote_room(THIRD))
BACK_WITHIN = 10.0
"""Far above what it takes, for a machine that is busy with other tests."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[CountyProcess]:
    server = CountyProcess(tmp_path / "data")
    server.folder.mkdir()
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


def marks(server: CountyProcess, session: str) -> list[str]:
    """The notes of the marks in the journal, as it is on the disk."""
    found = read_journal(server.folder / "journals" / f"{session}.journal")
    events = [record.event for _, record in found.records if record is not None]
    return [event["note"] for event in events if event["type"] == "marked"]


async def test_a_planned_restart_brings_all_pages_back_and_loses_nothing(server: CountyProcess) -> None:
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        teacher = Caller(http, server.said.base, server.said.cookies["host_teacher"])
        session = (await teacher.post("/api/sessions", {"lesson": SYNC})).json["id"]
    given = {
        "base": server.said.base,
        "session": session,
        "cookies": [server.said.cookies[name] for name in PAGES],
    }
    pages = await asyncio.create_subprocess_exec(
        services.require("node"),
        str(Path(__file__).parents[1] / "marking_pages.mjs"),
        client_code.bundle("classroom/connection.ts").as_uri(),
        str(services.edge_modules()),
        json.dumps(given),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert pages.stdin is not None
    assert pages.stdout is not None
    async with asyncio.timeout(60):
        assert (await pages.stdout.readline()).strip() == b"connected"
    await until(lambda: len(marks(server, session)) > 3 * len(PAGES), 30)
    assert await asyncio.to_thread(server.stop) == 0
    before = marks(server, session)
    await asyncio.to_thread(server.start)
    listens = time.time()
    await until(lambda: len(marks(server, session)) > len(before) + 3 * len(PAGES), 30)
    pages.stdin.write(b"stop\n")
    async with asyncio.timeout(60):
        said: dict[str, Any] = json.loads(await pages.stdout.readline())
    await pages.wait()

    everybody = list(range(len(PAGES)))
    moved = [message for message in said["told"] if message["t"] == "moved"]
    closing = [message for message in said["told"] if message["t"] == "closing"]
    assert sorted(message["page"] for message in moved) == everybody
    assert {message["address"] for message in moved} == {server.said.base.replace("http", "ws", 1) + "/ws/live"}
    assert [message["code"] for message in closing] == ["drain"] * len(PAGES)
    assert len({message["retryIn"] for message in closing}) == len(PAGES)

    assert said["welcomes"] == [2] * len(PAGES)
    assert max(said["back"]) / 1000 - listens < BACK_WITHIN
    # they came with the token that they were given: nobody asked for another
    assert said["joins"] == len(PAGES)

    after = marks(server, session)
    assert after[: len(before)] == before
    assert sorted(after) == sorted(set(after))
    assert set(said["acknowledged"]) == set(after)
    print(f"back {max(said['back']) / 1000 - listens:.2f} s after the server answers")
