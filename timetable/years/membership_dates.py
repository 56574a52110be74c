"""This module owns from which date on which table has to be another one when several schools join and leave, each on
its own date.

A version counts on all days from its date on for which no newer one counts. So a school that leaves before another one,
whose leaving is published already, needs two versions: one until that date and one from then on.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date

from msgspec import Struct

from timetable.days.published import first_date
from timetable.days.versions import Version
from timetable.model import Register, Table, Term


class Step(Struct, frozen=True, kw_only=True):
    """From `first` on the community's table has to fit `register`. Without `table` the one that fits the step before is
    the one to change."""

    first: str
    register: Register
    table: Table | None


def steps(
    term: Term,
    history: Collection[Version],
    community: str,
    units: Collection[str],
    dates: Iterable[str],
    register_on: Callable[[str], Register],
) -> list[Step]:
    """The steps from the first date on which a published table has lessons of one of `units` that it should not have by
    then, or lacks them; none where the versions have it right. `history` is not empty, `dates` are those of the
    changes, `register_on` says what must be taught from a date on."""
    changing = sorted(set(dates))
    begins = {version.number: first_date(term, version).isoformat() for version in history}
    known = sorted({*changing, *(first for first in begins.values() if changing and first > changing[0])})
    found: list[Step] = []
    before: Version | None = None
    for day in known:
        version = _in_force(history, begins, day)
        register = register_on(day)
        right = all(teaches(version.table, unit) == _is_taught(register, community, unit) for unit in units)
        if found or not right:
            table = None if found and version is before else version.table
            found.append(Step(first=day, register=register, table=table))
        before = version
    return found


def in_force(term: Term, history: Sequence[Version], day: date) -> Version | None:
    """The version that counts on a day; None before the first."""
    begins = {version.number: first_date(term, version).isoformat() for version in history}
    counting = [version for version in history if begins[version.number] <= day.isoformat()]
    return max(counting, key=lambda version: version.number, default=None)


def teaches(table: Table, unit: str) -> bool:
    """Whether the unit takes part in any lesson."""
    return any(party.unit == unit for lesson in table.lessons for party in lesson.parties)


def _in_force(history: Collection[Version], begins: dict[int, str], day: str) -> Version:
    counting = [version for version in history if begins[version.number] <= day]
    return max(counting or [min(history, key=lambda one: one.number)], key=lambda version: version.number)


def _is_taught(register: Register, community: str, unit: str) -> bool:
    return any(
        requirement.community == community and any(party.unit == unit for party in requirement.parties)
        for requirement in register.requirements
    )
