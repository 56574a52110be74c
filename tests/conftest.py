"""Fixtures that every test may use: real databases, buses and browsers, each fresh and empty."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
import sqlalchemy
from playwright.async_api import Browser, async_playwright

from server.bus import Bus, open_bus
from server.storage.database import Database
from server.storage.migrate import migrate
from tests import services

# one lane of the tests gives way to the other: how long an example takes says nothing
hypothesis.settings.register_profile("unhurried", parent=hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("unhurried")

_numbers = count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every tool must be there, a skip is a failure, whoever asked for it."""
    report = yield
    if report.skipped and services.require_all() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and TONGKE_REQUIRE_ALL=1: {report.longreprtext}"
    return report


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """`require("chromium")`: the tool's path; skips when it is missing, fails when TONGKE_REQUIRE_ALL=1."""
    return services.require


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The maintenance database of a PostgreSQL of this test run."""
    with services.postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis of this test run."""
    with services.redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database file with every migration applied, to copy from."""
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    """The name of an empty PostgreSQL database with every migration applied, to copy from."""
    _administer(postgres_url, "CREATE DATABASE migrated")
    _migrate(_sibling(postgres_url, "migrated"))
    return "migrated"


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database of this test alone."""
    shutil.copy(migrated_sqlite, tmp_path / "tongke.db")
    return f"sqlite:///{tmp_path / 'tongke.db'}"


@pytest.fixture
def postgres_database_url(postgres_url: str, migrated_postgres: str) -> Iterator[str]:
    """A migrated, empty PostgreSQL database of this test alone."""
    name = f"test_{next(_numbers)}"
    _administer(postgres_url, f"CREATE DATABASE {name} TEMPLATE {migrated_postgres}")
    yield _sibling(postgres_url, name)
    _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated, empty database: every test that asks for it runs on both kinds."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_database_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated, empty database: every test that asks for it runs on both kinds."""
    database = Database.open(database_url)
    yield database
    await database.close()


@pytest.fixture(params=["local", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """A bus: every test that asks for it runs on both kinds."""
    bus = open_bus(str(request.getfixturevalue("redis_url")) if request.param == "redis" else None)
    yield bus
    await bus.close()


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium with fake cameras and microphones that may reach servers on the loopback."""
    async with _chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_chromium() -> AsyncIterator[Browser]:
    """One for all tests of a module, which run on the module's event loop, each in contexts of its own."""
    async with _chromium() as browser:
        yield browser


@asynccontextmanager
async def _chromium() -> AsyncIterator[Browser]:
    path = services.require("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=services.CHROMIUM_ARGS)
        yield browser
        await browser.close()


def _migrate(url: str) -> None:
    engine = sqlalchemy.create_engine(url)
    migrate(engine)
    engine.dispose()


def _sibling(url: str, name: str) -> str:
    return sqlalchemy.make_url(url).set(database=name).render_as_string(hide_password=False)


def _administer(url: str, statement: str) -> None:
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(statement))
    engine.dispose()
