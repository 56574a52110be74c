"""A running demonstration for the end-to-end tests, started as people start it; and the small county with its pages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.county_server import CountyServer, running_county
from tests.e2e.desks import Desks

PROJECT = Path(__file__).parents[2]
STATIC = PROJECT / "server" / "static"
READY_SECONDS = 300.0
STOP_SECONDS = 30.0


class Demo:
    """The process of a demonstration and what its demo.json says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.json: dict[str, Any] = {}

    def start(self) -> None:
        """Start it and wait until it has said where it is; a second start keeps the port, as an operator's would."""
        announcement = self.folder / "demo.json"
        announcement.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server", "demo", "--port", str(self.port), "--data", str(self.folder)],
                cwd=PROJECT,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        deadline = time.monotonic() + READY_SECONDS
        while not announcement.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the demonstration did not start:\n{self.log.read_text('utf-8')[-4000:]}")
            time.sleep(0.1)
        self.json = json.loads(announcement.read_bytes())
        self.port = int(self.json["base_url"].rpartition(":")[2])

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demonstration for all tests of the run: building its tables takes the better part of a minute."""
    if not (PROJECT / "server" / "static" / "home.html").exists():
        pytest.fail("the web client is not built: ./run test builds it")
    demo = Demo(tmp_path_factory.mktemp("demo") / "data")
    demo.start()
    yield demo
    assert demo.stop() == 0


@pytest_asyncio.fixture(loop_scope="module")
async def small(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    """The small county with its pages; no table is published yet."""
    async with running_county(tmp_path / "data", migrated_sqlite, publish=False, client=STATIC) as county:
        yield county


@pytest_asyncio.fixture(loop_scope="module")
async def desks(small: CountyServer, shared_chromium: Browser) -> AsyncIterator[Desks]:
    desks = Desks(small, shared_chromium)
    yield desks
    await desks.close()
