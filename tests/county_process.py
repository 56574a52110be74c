"""The small county as a server process of its own, which can be killed and started again on the same folder.

`python -m tests.county_process FOLDER PORT` serves it; FOLDER/county.json says where and with which cookies, once it
answers. The sync lesson is days away, so that nothing but a rehearsal runs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from aiohttp import web
from msgspec import Struct

from config.settings import load
from server import logs
from server.app import create_app
from server.auth.middleware import COOKIE, auth_key
from server.keys import counties_key, site_key
from server.private_file import write_private
from server.process import run
from tests.county_server import PEOPLE, enrol, furnish, person_id, remote_room

PROJECT = Path(__file__).parents[1]
ANNOUNCEMENT = "county.json"
READY_SECONDS = 60.0
STOP_SECONDS = 30.0


class Announcement(Struct, frozen=True):
    """Where the county is served, and a cookie's value for everybody, by name; a room's by the room's id."""

    base: str
    cookies: dict[str, str]


class CountyProcess:
    """Started, killed and started again; its port stays the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        self.port = 0
        self.said = Announcement("", {})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers."""
        announcement = self.folder / ANNOUNCEMENT
        announcement.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.county_process", str(self.folder), str(self.port)],
                cwd=PROJECT,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not announcement.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the county did not start:\n{self.log.read_text('utf-8')[-4000:]}")
            time.sleep(0.05)
        said = msgspec.json.decode(announcement.read_bytes(), type=Announcement)
        self.said = Announcement(said.base, self.said.cookies or said.cookies)
        self.port = int(said.base.rpartition(":")[2])

    def kill(self) -> float:
        """As a power cut would; the moment of it in unix seconds."""
        assert self._process is not None
        self._process.kill()
        at = time.time()
        self._process.wait()
        return at

    def stop(self) -> int:
        """Ask it to stop, where it still runs; its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)


async def _ready(app: web.Application, folder: Path) -> None:
    if await app[counties_key].load() is None:
        await enrol(app)
        await furnish(app, days_ahead=3)
    auth = app[auth_key]
    cookies = {name: f"{COOKIE}={await auth.open_session('person', person_id(name))}" for name in PEOPLE}
    for unit in (await app[counties_key].now()).register.units:
        room = remote_room(unit.id)
        cookies[room] = f"{COOKIE}={await auth.open_session('room', room)}"
    write_private(folder / ANNOUNCEMENT, msgspec.json.encode(Announcement(app[site_key].public_url, cookies)))


def _main(folder: Path, port: str) -> None:
    logs.configure()
    mine = {
        "TONGKE_SERVER_DATA_DIR": str(folder),
        "TONGKE_SERVER_PORT": port,
        "TONGKE_MEDIA_PORT": "0",
    }
    run(load(None, {**os.environ, **mine}), create_app, lambda app: _ready(app, folder))


if __name__ == "__main__":
    _main(Path(sys.argv[1]).resolve(), sys.argv[2])
