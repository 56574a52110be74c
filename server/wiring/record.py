"""What everything else stands on: the record, the bus, the register, and who people are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from aiohttp import web

from server.auth.middleware import auth_key
from server.auth.service import AuthService
from server.bus import open_bus
from server.county import Counties
from server.keys import (
    amendments_key,
    bus_key,
    counties_key,
    database_key,
    importing_key,
    people_key,
    registers_key,
    settings_key,
    timetable_key,
)
from server.new_bells import tables_follow
from server.storage.database import Database
from server.storage.migrate import migrate
from server.storage.people_store import SqlPeopleStore
from server.storage.register_store import SqlRegisterStore
from timetable.register.importing import ImportService


async def database(app: web.Application) -> AsyncIterator[None]:
    """The record, brought up to date before anything reads it."""
    opened = Database.open(app[settings_key].database_url)
    try:
        await asyncio.to_thread(migrate, opened.engine)
        app[database_key] = opened
        yield
    finally:
        await opened.close()


async def bus(app: web.Application) -> AsyncIterator[None]:
    """The bus between processes."""
    opened = open_bus(app[settings_key].bus.redis_url)
    app[bus_key] = opened
    yield
    await opened.close()


async def county(app: web.Application) -> AsyncIterator[None]:
    """The register, and the way into it."""
    registers = SqlRegisterStore(app[database_key])
    app[registers_key] = registers
    app[counties_key] = Counties(registers)
    app[importing_key] = ImportService(
        registers,
        time.time,
        asyncio.to_thread,
        tables_follow(lambda: app[timetable_key], lambda: app[amendments_key], asyncio.to_thread),
    )
    yield


async def auth(app: web.Application) -> AsyncIterator[None]:
    """People, their login sessions, paired rooms."""
    store = SqlPeopleStore(app[database_key])
    app[people_key] = store
    app[auth_key] = AuthService(store, clock=time.time, session_seconds=app[settings_key].auth.session_hours * 3600.0)
    yield
