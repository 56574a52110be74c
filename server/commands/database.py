"""This module owns how a command comes to the database: brought up to date where it changes something, and left exactly
as it is where it only looks."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Engine

from server.storage.database import Database
from server.storage.migrate import SchemaOutdated, load, migrate, pending


@asynccontextmanager
async def opened(url: str, *, looks_only: bool = False) -> AsyncIterator[Database]:
    """The database for one command. One that only looks gets it without leave to write, and an empty one instead of a
    database that nobody has made yet. Raises SchemaOutdated where it would have to be brought up to date first,
    SchemaTooNew, DatabaseUnusable."""
    if not looks_only:
        database = Database.open(url)
        try:
            await asyncio.to_thread(migrate, database.engine)
            yield database
        finally:
            await database.close()
        return
    database = Database.open(url, read_only=True)
    try:
        steps = await asyncio.to_thread(_missing, database.engine)
        if steps is not None:
            if steps:
                raise SchemaOutdated(database.engine.url, len(steps))
            yield database
            return
    finally:
        await database.close()
    with tempfile.TemporaryDirectory() as folder:
        async with opened(f"sqlite:///{Path(folder) / 'empty.db'}") as empty:
            yield empty


def _missing(engine: Engine) -> list[str] | None:
    """The migrations that the database lacks; None where it has not been made."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file is not None and not Path(file).exists():
        return None
    steps = pending(engine)
    return steps if len(steps) < len(load(engine.dialect.name)) else None
