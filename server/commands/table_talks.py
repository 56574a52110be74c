"""`tongke table propose|agree|object|publish`: how the schools agree on a table, on files, with no server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from server.commands.parameters import AsJson
from server.commands.table_change import moment_from
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
from server.commands.talks_file import Step, Talk, TalksFile, take_step, talk_of
from timetable.agreement import negotiation as rules
from timetable.agreement.negotiation import Negotiation
from timetable.checker import check, missing
from timetable.days.versions import diff as difference
from timetable.errors import NotFound
from timetable.model import Register, Slot, Table, TableSet


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
        return take_step(talks, standing, talk, step, _moment(at), as_json)
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
        talk = talk_of(standing, community)
        others = () if published is None else read(published, TableSet).tables
        kept = tuple(table for table in others if table.community != talk.table.community)
        check_writable(out)
        wanted = [f for f in missing(register, talk.table) if f.values.get("community") in _names(register, talk)]
        if wrong := [*wanted, *check(register, *kept, talk.table)]:
            for finding in wrong:
                print(sentence(finding))
            return FINDING
        core = talk.negotiation.core
        code = take_step(
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


# Taking a step ------------------------------------------------------------------------------------------------------


def _say(talks: Path, community: str, at: str | None, as_json: bool, step: Step, *, lesson: str | None = None) -> int:
    try:
        standing = read(talks, TalksFile)
        talk = talk_of(standing, community)
        if lesson is not None and all(one.id != lesson for one in talk.table.lessons):
            raise NotFound("lesson", lesson)
        return take_step(talks, standing, talk, step, _moment(at), as_json)
    except (BadInput, NotFound) as error:
        return refuse(str(error))


# Reading ------------------------------------------------------------------------------------------------------------


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
