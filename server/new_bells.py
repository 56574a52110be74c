"""What a change of bells in the register does to published tables and the changes of their days: they follow."""

from collections.abc import Callable, Sequence

from timetable.agreement.amendment_service import AmendmentService, Aside
from timetable.agreement.service import TimetableService
from timetable.bell_changes import parted_lessons
from timetable.days.new_bells import told
from timetable.model import Finding, Register
from timetable.register.importing import Followed


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
        versions = await tables.ring_anew(units, by=author, aside=aside)
        days = await changes().ring_anew(units)
        standing = [version.table for version in await tables.published()]

        def parted(register: Register) -> list[Finding]:
            return [finding for table in standing for finding in parted_lessons(register, table)]

        known = await aside(lambda: set(map(repr, parted(before))))
        new = [finding for finding in await aside(lambda: parted(after)) if repr(finding) not in known]
        return (*told(after, versions), *days, *new)

    return follow
