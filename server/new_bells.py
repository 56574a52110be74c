"""What a change of bells in the register does to published tables and the changes of their days: they follow, at once
or, where the import was cut short, as soon as a server is there."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.ports import Aside
from timetable.agreement.service import TimetableService
from timetable.bell_changes import parted_lessons
from timetable.days.new_bells import told
from timetable.days.versions import Version
from timetable.errors import StaleVersion
from timetable.model import Finding, Register
from timetable.register.importing import Followed, ImportService

ATTEMPTS = 5
PERIOD_SECONDS = 30.0
GRACE_SECONDS = 60.0
"""An importer at work has this long for itself."""

log = structlog.get_logger()


def tables_follow(
    service: Callable[[], TimetableService], changes: Callable[[], AmendmentService], aside: Aside
) -> Followed:
    """Publishes for every community whose schools ring other bells what follows them, lets the changes of single days
    follow too, and names the lessons that these bells part."""

    async def follow(before: Register, after: Register, author: str) -> Sequence[Finding]:
        bells = {unit.id: unit.bells for unit in before.units}
        units = {unit.id for unit in after.units if bells.get(unit.id, unit.bells) != unit.bells}
        if not units:
            return ()
        tables = service()
        versions = await _versions(tables, units, author, aside)
        days = await changes().ring_anew(units)
        standing = [version.table for version in await tables.published()]

        def parted(register: Register) -> list[Finding]:
            return [finding for table in standing for finding in parted_lessons(register, table)]

        known = await aside(lambda: set(map(repr, parted(before))))
        new = [finding for finding in await aside(lambda: parted(after)) if repr(finding) not in known]
        return (*told(after, versions), *days, *new)

    return follow


async def keep_up(importing: ImportService) -> None:
    """Let tables follow the imports of other processes that were cut short, until cancelled."""
    while True:
        await asyncio.sleep(PERIOD_SECONDS)
        await catch_up(importing, GRACE_SECONDS)


async def catch_up(importing: ImportService, seconds: float = 0.0) -> None:
    """Let tables follow what was imported before these seconds and is not followed yet. A failure is for the log: the
    next time may be better."""
    try:
        await importing.catch_up(seconds)
    except Exception as error:
        log.error("tables_do_not_follow", exc_info=error)


async def _versions(tables: TimetableService, units: set[str], author: str, aside: Aside) -> list[Version]:
    """What is there already of an earlier attempt is not made again."""
    for attempt in range(ATTEMPTS):
        try:
            return await tables.ring_anew(units, by=author, aside=aside)
        except StaleVersion:
            # a director changed a draft, or published, at this moment
            if attempt + 1 == ATTEMPTS:
                raise
    return []
