"""`tongke table propose|agree|object|publish|diff`: how the schools agree on a table, on files, with no server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, structs

from server.commands.table_change import AsJson, moment_from
from server.commands.table_files import (
    FINDING,
    GOOD,
    BadInput,
    check_writable,
    read,
    read_register,
    refuse,
    sentence,
    write,
)
from server.sentences import catalogue, language_of
from timetable.agreement import negotiation as rules
from timetable.agreement.negotiation import Negotiation
from timetable.checker import check, missing
from timetable.days.grounds import Grounds
from timetable.days.versions import Diff
from timetable.days.versions import diff as difference
from timetable.errors import NotFound, TimetableError
from timetable.model import Lesson, Register, Slot, Table, TableSet

Step = Callable[[Negotiation, float], Negotiation]


class Talk(Struct, frozen=True, kw_only=True):
    """A table that lies before the schools, and what was said about it."""

    table: Table
    negotiation: Negotiation


class TalksFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `propose` writes and the others read and write: one talk for each community."""

    format: Literal["tongke-talks/1"] = "tongke-talks/1"
    talks: tuple[Talk, ...] = ()


class TalkReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the schools stand, for programs. `missing` are the units that stand between the table and its publication,
    `refused` is the code of what could not be done."""

    community: str
    draft: int
    state: str
    affected: tuple[str, ...]
    missing: tuple[str, ...]
    deadline: float | None
    refused: str | None


class DiffReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What differs between two sets of tables, by community."""

    communities: dict[str, Diff]


def propose(
    input: Path,
    table: Path,
    *,
    talks: Path,
    community: str = "",
    published: Path | None = None,
    by: str = "",
    at: str | None = None,
    as_json: AsJson = False,
) -> int:
    """Put a table before the schools, in the name of the core school. A changed one asks again only the schools whose
    lessons changed. Exit code 1 when that is not possible now.

    Parameters
    ----------
    input
        The register.
    table
        The tables, as `tongke table build` writes them.
    talks
        What the schools say: read where it exists, and written.
    community
        Which of the tables, where there are several.
    published
        The tables that stand now: only schools whose lessons differ from theirs have a say.
    by
        Who proposes it.
    at
        When, `2026-09-01T07:30`; now without it.
    as_json
        One JSON object: where the schools stand.
    """
    try:
        register = read_register(input)
        proposed = _only(read(table, TableSet).tables, community)
        known = next((one for one in register.communities if one.id == proposed.community), None)
        if known is None:
            raise NotFound("community", proposed.community)
        standing = read(talks, TalksFile) if talks.exists() else TalksFile()
        before = None if published is None else _of(read(published, TableSet).tables, known.id)
        earlier = next((one for one in standing.talks if one.table.community == known.id), None)
        affected = difference(before, proposed).units

        def step(_: Negotiation, now: float) -> Negotiation:
            if earlier is None:
                begun = rules.begin(known, 1, affected)
            else:
                begun = rules.rebuilt(earlier.negotiation, known, affected, difference(earlier.table, proposed).units)
            return rules.propose(begun, unit=known.core, by=by, now=now)

        talk = Talk(table=proposed, negotiation=rules.begin(known, 1, affected))
        return _take(talks, standing, talk, step, _moment(at), as_json)
    except (BadInput, NotFound) as error:
        return refuse(str(error))


def agree(
    talks: Path, *, unit: str, community: str = "", by: str = "", at: str | None = None, as_json: AsJson = False
) -> int:
    """Agree to the proposed table in the name of a school. Exit code 1 when that is not possible now.

    Parameters
    ----------
    talks
        What the schools say, as `tongke table propose` writes it.
    unit
        Which school agrees.
    community
        Which of the tables, where several are talked about.
    by
        Who says so.
    at
        When, `2026-09-01T07:30`; now without it.
    as_json
        One JSON object: where the schools stand.
    """
    return _say(talks, community, at, as_json, lambda talk, now: rules.agree(talk, unit=unit, by=by, now=now))


def object_(
    talks: Path,
    *,
    unit: str,
    reason: str,
    lesson: str | None = None,
    slot: str | None = None,
    community: str = "",
    by: str = "",
    at: str | None = None,
    as_json: AsJson = False,
) -> int:
    """Object to the proposed table in the name of a school, with a reason. Exit code 1 when that is not possible now.

    Parameters
    ----------
    talks
        What the schools say, as `tongke table propose` writes it.
    unit
        Which school objects.
    reason
        Why.
    lesson
        The lesson that is meant.
    slot
        The slot that would do, weekday and period: `4.2`.
    community
        Which of the tables, where several are talked about.
    by
        Who says so.
    at
        When, `2026-09-01T07:30`; now without it.
    as_json
        One JSON object: where the schools stand.
    """

    def step(talk: Negotiation, now: float) -> Negotiation:
        counter = None if slot is None else _slot(slot)
        return rules.object_to(talk, unit=unit, by=by, now=now, reason=reason, lesson=lesson, counter=counter)

    return _say(talks, community, at, as_json, step, lesson=lesson)


def publish(
    input: Path,
    talks: Path,
    *,
    out: Path,
    community: str = "",
    published: Path | None = None,
    at: str | None = None,
    as_json: AsJson = False,
) -> int:
    """Publish the table that the schools agreed on. Exit code 1 when a school still stands against it, or the table
    breaks a rule of the register; nothing is written then.

    Parameters
    ----------
    input
        The register.
    talks
        What the schools say, as `tongke table propose` writes it.
    out
        Where to write the tables that stand from now on.
    community
        Which of the tables, where several are talked about.
    published
        The tables that stand now: those of other communities go on standing.
    at
        When, `2026-09-01T07:30`; now without it.
    as_json
        One JSON object: where the schools stand.
    """
    try:
        register = read_register(input)
        standing = read(talks, TalksFile)
        talk = _talk(standing, community)
        others = () if published is None else read(published, TableSet).tables
        kept = tuple(table for table in others if table.community != talk.table.community)
        check_writable(out)
        wanted = [f for f in missing(register, talk.table) if f.values.get("community") in _names(register, talk)]
        if wrong := [*wanted, *check(register, *kept, talk.table)]:
            for finding in wrong:
                print(sentence(finding))
            return FINDING
        core = talk.negotiation.core
        code = _take(
            talks,
            standing,
            talk,
            lambda negotiation, now: rules.publish(negotiation, unit=core, now=now),
            _moment(at),
            as_json,
        )
    except (BadInput, NotFound) as error:
        return refuse(str(error))
    if code == GOOD:
        write(out, msgspec.json.encode(TableSet(tables=(*kept, talk.table))))
    return code


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


# Taking a step ------------------------------------------------------------------------------------------------------


def _say(talks: Path, community: str, at: str | None, as_json: bool, step: Step, *, lesson: str | None = None) -> int:
    try:
        standing = read(talks, TalksFile)
        talk = _talk(standing, community)
        if lesson is not None and all(one.id != lesson for one in talk.table.lessons):
            raise NotFound("lesson", lesson)
        return _take(talks, standing, talk, step, _moment(at), as_json)
    except (BadInput, NotFound) as error:
        return refuse(str(error))


def _take(path: Path, standing: TalksFile, talk: Talk, step: Step, now: float, as_json: bool) -> int:
    """Take the step, keep what came of it, and say where the schools stand; a step that is not possible is said."""
    check_writable(path)
    refused: str | None = None
    try:
        talk = structs.replace(talk, negotiation=step(talk.negotiation, now))
    except TimetableError as error:
        refused = error.code
    else:
        others = tuple(one for one in standing.talks if one.table.community != talk.table.community)
        write(path, msgspec.json.encode(structs.replace(standing, talks=(*others, talk))))
    _tell(talk.negotiation, now, refused, as_json)
    return GOOD if refused is None else FINDING


def _tell(negotiation: Negotiation, now: float, refused: str | None, as_json: bool) -> None:
    negotiation = rules.settle(negotiation, now)
    published = negotiation.state is rules.State.PUBLISHED
    report = TalkReport(
        community=negotiation.community,
        draft=negotiation.draft,
        state=negotiation.state.value,
        affected=negotiation.affected,
        missing=() if published else rules.missing(negotiation, now),
        deadline=negotiation.deadline,
        refused=refused,
    )
    if as_json:
        print(msgspec.json.encode(report).decode())
        return
    texts = catalogue(language_of(dict(os.environ)))
    if refused is not None:
        print(texts.get(f"error.{refused}", refused))
    print(f"{report.community}: {report.state} ({report.draft})")
    for unit in report.affected:
        said = negotiation.answer(unit)
        word = texts[f"answer.{said.answer if said else 'silent'}"]
        print(f"  {unit}  {word}  {said.reason if said else ''}".rstrip())


# Reading ------------------------------------------------------------------------------------------------------------


def _talk(standing: TalksFile, community: str) -> Talk:
    found = [one for one in standing.talks if community in ("", one.table.community)]
    if not found:
        raise NotFound("community", community)
    if len(found) > 1:
        raise BadInput("several communities talk, choose one with --community")
    return found[0]


def _only(tables: Sequence[Table], community: str) -> Table:
    found = [table for table in tables if community in ("", table.community)]
    if not found:
        raise NotFound("community", community)
    if len(found) > 1:
        names = ", ".join(table.community for table in found)
        raise BadInput(f"there are tables of several communities, choose one with --community: {names}")
    return found[0]


def _of(tables: Sequence[Table], community: str) -> Table | None:
    return next((table for table in tables if table.community == community), None)


def _names(register: Register, talk: Talk) -> set[str]:
    return {one.name for one in register.communities if one.id == talk.table.community}


def _slot(text: str) -> Slot:
    weekday, _, period = text.partition(".")
    try:
        return msgspec.convert({"weekday": int(weekday), "period": int(period)}, Slot)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadInput(f"{text}: no slot such as 4.2, weekday and period") from error


def _moment(at: str | None) -> float:
    """Unix seconds; now where no moment is named."""
    return time.time() if at is None else moment_from(at)


def _line(grounds: Grounds, what: str, before: Lesson | None, after: Lesson | None) -> str:
    lesson = after or before
    assert lesson is not None
    times = [f"{one.weekday}.{one.host.period} {one.start}" if one else "-" for one in (before, after)]
    return f"{what}  {lesson.id}  {grounds.title(lesson)}  {' -> '.join(times)}"
