"""This module owns how a command comes to the database: brought up to date where it changes something, and left exactly
as it is where it only looks."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from server.storage.database import Database, DatabaseUnusable
from server.storage.migrate import SchemaOutdated, load, migrate, pending


@asynccontextmanager
async def opened(url: str, *, looks_only: bool = False) -> AsyncIterator[Database]:
    """The database for one command. One that only looks gets it without leave to write, and an empty one instead of a
    database that nobody has made yet. Raises SchemaOutdated where it would have to be brought up to date first,
    SchemaTooNew, and DatabaseUnusable, also where it turns out to be damaged or full later on."""
    if not looks_only:
        async with _closed_after(Database.open(url)) as database:
            await asyncio.to_thread(migrate, database.engine)
            yield database
        return
    async with _closed_after(Database.open(url, read_only=True)) as database:
        steps = await asyncio.to_thread(_missing, database.engine)
        if steps is not None:
            if steps:
                raise SchemaOutdated(database.engine.url, len(steps))
            yield database
            return
    with tempfile.TemporaryDirectory() as folder:
        async with opened(f"sqlite:///{Path(folder) / 'empty.db'}") as empty:
            yield empty


@asynccontextmanager
async def _closed_after(database: Database) -> AsyncIterator[Database]:
    try:
        yield database
    except DBAPIError as error:
        if type(error) not in (DatabaseError, OperationalError):
            raise  # of one row, not of the whole: a mistake of ours
        raise DatabaseUnusable.by(error, database.engine) from error
    finally:
        await database.close()


def _missing(engine: Engine) -> list[str] | None:
    """The migrations that the database lacks; None where it has not been made."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file is not None and not Path(file).exists():
        return None
    steps = pending(engine)
    return steps if len(steps) < len(load(engine.dialect.name)) else None
