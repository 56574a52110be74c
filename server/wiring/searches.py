"""Everything that searches for tables, in processes of its own."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

from aiohttp import web

from server.builds import Builds
from server.explanations import Explanations
from server.keys import (
    builds_key,
    counties_key,
    database_key,
    explanations_key,
    importing_key,
    membership_searches_key,
    memberships_key,
    registers_key,
    repairs_key,
    settings_key,
    timetable_key,
)
from server.membership_course import Courses
from server.membership_searches import MembershipSearches
from server.memberships import Memberships
from server.repairs import Repairs
from server.storage.draft_history import SqlDraftHistory
from server.storage.membership_store import SqlMembershipStore
from server.storage.proposal_store import SqlProposalStore


async def searches(app: web.Application) -> AsyncIterator[None]:
    """What searches for tables: builds, repairs, explanations, and schools that join or leave."""
    settings, counties, service = app[settings_key], app[counties_key], app[timetable_key]
    workers = settings.timetable.workers or os.cpu_count() or 1
    changes, registers = SqlMembershipStore(app[database_key]), app[registers_key]
    courses = Courses(
        changes, service, registers, settings.server.data_dir / "memberships", workers=workers, clock=time.time
    )
    memberships = Memberships(changes, service, app[importing_key], registers, courses, clock=time.time)
    app[memberships_key] = memberships
    joining = app[membership_searches_key] = MembershipSearches(memberships, time.monotonic)
    repairs = Repairs(
        service,
        counties,
        SqlDraftHistory(app[database_key]),
        SqlProposalStore(app[database_key]),
        foreseen=memberships.foreseen,
    )
    app[repairs_key] = repairs
    building = Builds(
        service,
        settings.server.data_dir / "builds",
        workers=workers,
        clock=time.monotonic,
        now=time.time,
        foreseen=memberships.foreseen,
        interrupted_days=settings.timetable.interrupted_days,
    )
    app[builds_key] = building
    explaining = Explanations(
        service,
        app[importing_key],
        settings.server.data_dir / "explanations",
        workers=workers,
        clock=time.monotonic,
    )
    app[explanations_key] = explaining
    await building.recover()
    await explaining.recover()
    await courses.sweep()
    watching = [
        asyncio.create_task(memberships.run(), name="memberships"),
        asyncio.create_task(building.run(), name="builds"),
    ]
    yield
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    await building.close()
    await explaining.close()
    await joining.close()
    await repairs.close()


async def stop_builds(app: web.Application) -> None:
    """End the solver's work before the web server waits for those who watch them."""
    if builds_key in app:
        await app[builds_key].close()
    if explanations_key in app:
        await app[explanations_key].close()
    if membership_searches_key in app:
        await app[membership_searches_key].close()
