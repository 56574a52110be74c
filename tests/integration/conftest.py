"""A county on the running application, for every test that speaks HTTP; live lessons alone, for those that do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from server.storage.database import Database
from tests.county_server import CountyServer, running_county
from tests.held_lessons import Held, hold, record
from tests.live_server import LiveServer, live_server


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop that the server runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def county(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    """Imported, its tables published, everybody with an account, every remote room with a panel."""
    async with running_county(tmp_path / "data", migrated_sqlite) as county:
        yield county


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_county(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> AsyncIterator[CountyServer]:
    """One county for all tests of a module that leave it as it is; they run on the module's event loop."""
    async with running_county(tmp_path_factory.mktemp("shared") / "data", migrated_sqlite) as county:
        yield county


@pytest.fixture
async def server(sqlite_url: str, tmp_path: Path) -> AsyncIterator[LiveServer]:
    """Live lessons on a server of their own, without the rest of the application; none is open yet."""
    database = Database.open(sqlite_url)
    async with live_server(database, tmp_path / "journals") as server:
        yield server
    await database.close()


@pytest.fixture
async def held(county: CountyServer) -> Held:
    """A rehearsal that the host and one of two member classrooms held."""
    return await hold(county)


@pytest.fixture
async def recorded(held: Held) -> Held:
    """The same, with a picture and the sound of each of the two."""
    return await record(held)


@pytest.fixture
async def answered(county: CountyServer) -> Held:
    """The same, with answers, photos and strokes of both classes."""
    return await record(await hold(county, answers=True))


@pytest.fixture
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets kept to be sent again are memory, too: here they are so few that the first round has them all."""
    monkeypatch.setattr("signaling.media.inbound.RING", 16)
