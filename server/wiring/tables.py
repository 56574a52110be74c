"""The communities' tables, and what is told when they change."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import quote

import msgspec
import structlog
from aiohttp import web

from server.bus import BusUnavailable
from server.calendars import Calendars
from server.keys import (
    amendments_key,
    bus_key,
    calendars_key,
    closings_key,
    counties_key,
    database_key,
    importing_key,
    registers_key,
    site_key,
    timetable_key,
)
from server.new_bells import catch_up, keep_up
from server.storage.amendment_store import SqlAmendmentStore
from server.storage.closing_store import SqlClosingStore
from server.storage.feed_store import SqlFeedStore
from server.storage.table_store import SqlTableStore
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.amendments import Amendment
from timetable.agreement.closing_service import ClosingService
from timetable.agreement.service import TimetableService
from timetable.days.closings import Closing
from timetable.days.versions import Version

log = structlog.get_logger()


async def tables(app: web.Application) -> AsyncIterator[None]:
    """The communities' tables: agreed on, changed after publication, followed by calendars and by new bells."""
    counties = app[counties_key]
    announce_version = partial(_announce_version, app)
    service = TimetableService(SqlTableStore(app[database_key]), counties, now=time.time, announce=announce_version)
    app[timetable_key] = service
    changes = SqlAmendmentStore(app[database_key])
    app[amendments_key] = AmendmentService(
        changes,
        service,
        now=time.time,
        aside=asyncio.to_thread,
        announce=partial(_announce_amendment, app),
        announce_version=announce_version,
    )
    app[closings_key] = ClosingService(
        SqlClosingStore(app[database_key]),
        app[amendments_key],
        changes,
        now=time.time,
        new_id=lambda: secrets.token_hex(6),
        aside=asyncio.to_thread,
        announce=partial(_announce_closing, app),
    )
    app[calendars_key] = Calendars(
        SqlFeedStore(app[database_key]),
        counties,
        app[amendments_key],
        service,
        app[registers_key],
        clock=time.time,
        link=lambda lesson: f"{app[site_key].public_url}/lessons?lesson={quote(lesson)}",
    )
    await catch_up(app[importing_key])
    following = asyncio.create_task(keep_up(app[importing_key]), name="new_bells")
    yield
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def _announce_version(app: web.Application, version: Version) -> None:
    await _announce(app, "timetable.published", {"community": version.community, "number": version.number})


async def _announce_amendment(app: web.Application, amendment: Amendment) -> None:
    await _announce(app, "timetable.amended", {"community": amendment.community, "number": amendment.number})


async def _announce_closing(app: web.Application, closing: Closing) -> None:
    await _announce(app, "timetable.closed", {"closing": closing.id})


async def _announce(app: web.Application, topic: str, news: dict[str, str | int]) -> None:
    try:
        await app[bus_key].publish(topic, msgspec.msgpack.encode(news))
    except BusUnavailable as error:
        # it is kept and everybody looks at the record again soon; its author must not hear of a failure
        log.warning("not_announced", topic=topic, error=str(error), **news)
