"""`tongke table diff`: what differs between two sets of tables, lesson by lesson."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct, structs

from server.commands.parameters import AsJson
from server.commands.table_files import GOOD, BadInput, read, read_register, refuse
from timetable.days.grounds import Grounds
from timetable.days.versions import Diff
from timetable.days.versions import diff as difference
from timetable.model import Lesson, TableSet


class DiffReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What differs between two sets of tables, by community."""

    communities: dict[str, Diff]


def diff(input: Path, old: Path, new: Path, *, as_json: AsJson = False) -> int:
    """Say what differs between two sets of tables, lesson by lesson.

    Parameters
    ----------
    input
        The register.
    old
        The tables before.
    new
        The tables after.
    as_json
        One JSON object: the lessons added, moved and cancelled, and the units whose day changes, by community.
    """
    try:
        register = read_register(input)
        before = {table.community: table for table in read(old, TableSet).tables}
        after = {table.community: table for table in read(new, TableSet).tables}
    except BadInput as error:
        return refuse(str(error))
    nothing = {id: structs.replace(table, lessons=()) for id, table in before.items() if id not in after}
    found = {id: difference(before.get(id), table) for id, table in {**nothing, **after}.items()}
    if as_json:
        print(msgspec.json.encode(DiffReport(communities=found)).decode())
        return GOOD
    grounds = Grounds(register)
    for id, changed in found.items():
        then = {lesson.id: lesson for lesson in before[id].lessons} if id in before else {}
        now = {lesson.id: lesson for lesson in after[id].lessons} if id in after else {}
        for what in ("moved", "added", "cancelled"):
            for lesson in getattr(changed, what):
                print(_line(grounds, what, then.get(lesson), now.get(lesson)))
        units = "、".join(grounds.unit_name(unit) for unit in changed.units) or "-"
        counts = f"{len(changed.moved)} moved, {len(changed.added)} added, {len(changed.cancelled)} cancelled"
        print(f"{id}: {counts}; {units}")
    return GOOD


def _line(grounds: Grounds, what: str, before: Lesson | None, after: Lesson | None) -> str:
    lesson = after or before
    assert lesson is not None
    times = [f"{one.weekday}.{one.host.period} {one.start}" if one else "-" for one in (before, after)]
    return f"{what}  {lesson.id}  {grounds.title(lesson)}  {' -> '.join(times)}"
