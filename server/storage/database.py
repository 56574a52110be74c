"""This module owns the door to the database: a transaction is a plain function, run whole in a thread.

SQLite has one writer thread, so writers queue instead of failing with "database is locked"; readers see the last
commit through the write-ahead log and never wait. PostgreSQL runs each transaction SERIALIZABLE and repeats it when
the server finds it in conflict, so a body may run more than once and must have no effect outside the database.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError

T = TypeVar("T")

metadata = sqlalchemy.MetaData()

OWN, OWN_FOLDER = 0o640, 0o750
"""It names children and holds hashes of passwords."""
READERS = 4
POSTGRES_WRITERS = 6
MAX_ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.005
SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"


class DatabaseUnusable(Exception):
    """The database does not answer, is damaged, or refused a migration; nothing has been changed."""

    code = "database_unusable"

    def __init__(self, address: str, step: str, reason: str) -> None:
        super().__init__(f"the database {address} cannot be used{f' (migration {step})' if step else ''}: {reason}")
        self.address = address
        self.step = step
        self.reason = reason

    @classmethod
    def by(cls, error: DBAPIError, engine: Engine, step: str = "") -> DatabaseUnusable:
        """What the driver said, in its first line; the statement and what it carried are left out."""
        reason = (str(error.orig).strip().splitlines() or ["no reason given"])[0]
        return cls(str(engine.url), step, reason)


class Database:
    """One database, SQLite or PostgreSQL. `write` and `read` run a body in one transaction and return its result."""

    def __init__(self, writing: Engine, reading: Engine, writers: int) -> None:
        self._writing = writing
        self._reading = reading
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="db-write")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")

    @classmethod
    def open(cls, url: str, *, read_only: bool = False) -> Database:
        """Open `sqlite:///path` or `postgresql+psycopg://...`; nothing is connected before the first transaction. An
        error names its statement, but not what that carried: people's names and words. With `read_only` everything
        that would write fails, and a file must be there already. Raises DatabaseUnusable."""
        try:
            parsed = sqlalchemy.make_url(url)
        except (ArgumentError, ValueError):
            # not said what it is: it may hold a password
            raise DatabaseUnusable("of database.url", "", "that is no address") from None
        if parsed.get_backend_name() == "sqlite":
            reading = _sqlite_engine(parsed, reading=True)
            return cls(reading if read_only else _sqlite_engine(parsed, reading=False), reading, writers=1)
        engine = sqlalchemy.create_engine(
            parsed,
            isolation_level="SERIALIZABLE",
            pool_size=POSTGRES_WRITERS + READERS,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        reading = engine.execution_options(postgresql_readonly=True)
        return cls(reading if read_only else engine, reading, writers=POSTGRES_WRITERS)

    @property
    def engine(self) -> Engine:
        """The synchronous engine that may write, for code outside the event loop (migrations, commands)."""
        return self._writing

    async def write(self, body: Callable[[Connection], T]) -> T:
        """Run `body` in one transaction; an exception rolls it back whole. It may be repeated after a conflict."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, _repeat, self._writing, body)

    async def read(self, body: Callable[[Connection], T]) -> T:
        """Run `body` on one consistent snapshot; a statement that would change anything fails."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, _repeat, self._reading, body)

    async def damage(self) -> str:
        """The first thing that is wrong with the pages of a SQLite file, which are all read; empty where they are
        whole. PostgreSQL sees to its own."""
        if self._reading.dialect.name != "sqlite":
            return ""
        found: str = await self.read(lambda c: c.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        return "" if found == "ok" else " ".join(found.split())

    async def close(self) -> None:
        """Finish the transactions under way, then close every connection."""
        loop = asyncio.get_running_loop()
        for finish in (self._writers.shutdown, self._readers.shutdown, self._reading.dispose, self._writing.dispose):
            await loop.run_in_executor(None, finish)


def _repeat(engine: Engine, body: Callable[[Connection], T]) -> T:
    """Run `body` until it commits, at most MAX_ATTEMPTS times, as long as only other transactions stand in its way."""
    pause = FIRST_PAUSE_SECONDS
    for _ in range(MAX_ATTEMPTS - 1):
        try:
            return _once(engine, body)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in {SERIALIZATION_FAILURE, DEADLOCK_DETECTED}:
                raise
        time.sleep(pause)
        pause *= 2
    return _once(engine, body)


def _once(engine: Engine, body: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return body(connection)


def _sqlite_engine(url: sqlalchemy.URL, *, reading: bool) -> Engine:
    if url.database in {None, "", ":memory:"}:
        raise DatabaseUnusable(str(url), "", "it needs a file, sqlite:///path")
    pragmas = ["journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"]
    engine = sqlalchemy.create_engine(url, connect_args={"check_same_thread": False}, hide_parameters=True)

    def create(*_: object) -> None:
        # whoever is the first to open it, an operator's command or the server: it is for the operators' group only
        file = Path(str(url.database))
        try:
            file.parent.mkdir(OWN_FOLDER, parents=True, exist_ok=True)
            file.touch(mode=OWN, exist_ok=True)
        except OSError as error:
            raise DatabaseUnusable(str(url), "", error.strerror or str(error)) from error

    if not reading:
        event.listen(engine, "do_connect", create)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        # the driver must not begin transactions by itself: it would do so too late for a consistent snapshot
        connection.isolation_level = None
        for pragma in [*pragmas, "query_only=ON"] if reading else pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # a writer takes the lock at once: upgrading a reader's lock later cannot wait and would fail
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
