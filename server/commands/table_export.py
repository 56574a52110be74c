"""`tongke table export`: a table for the wall, the desk, a calendar or FET, with no server and no database."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from msgspec import Struct

from server.commands.parameters import AsJson
from server.commands.table_files import GOOD, BadInput, check_writable, read, read_register, refuse, sentence, write
from server.sentences import Language, language_of, words_in
from timetable.commitments import commitments_of
from timetable.days.versions import Diff, Version
from timetable.errors import NotFound
from timetable.export.feed_entries import entries
from timetable.export.paper import Fit, PaperName, Printing
from timetable.export.table_export import Audience, ExportRefused, Form, TableExport
from timetable.model import Community, Finding, Register, Table, TableSet, Term
from timetable.term import local_date, weeks


class ExportReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What was written, for programs; the findings say what is lost in this form. `sheets` of paper a wall takes, and
    its smallest type in points."""

    file: str
    name: str
    bytes: int
    findings: tuple[Finding, ...]
    sheets: dict[str, int]
    smallest: float


def export(
    input: Path,
    table: Path,
    *,
    form: Form,
    out: Path,
    audience: Annotated[Audience, Parameter(name="--for")] = "community",
    id: str = "",
    community: str = "",
    published: int = 0,
    week: int = 0,
    fit: Fit = "readable",
    paper: PaperName | None = None,
    lang: Language | None = None,
    as_json: AsJson = False,
) -> int:
    """Take a table away: walls and lists (xlsx), walls to print (html), a list (csv), JSON, calendars (ics), FET.

    Parameters
    ----------
    input
        The register.
    table
        The tables, as `tongke table build` writes them.
    form
        xlsx, print, csv, json, fet or ics.
    out
        Where to write the file.
    audience
        Whose lessons: of classes, teachers, rooms, schools, or the community.
    id
        Only this class, teacher, room, unit or community; without it all of the community.
    community
        Which of the tables, where there are several and the id does not say.
    published
        The number of the version that the table is; without it the file says that it is a draft.
    week
        By the bells that ring when this term week begins (winter times); without it those with which the term begins.
    fit
        On walls, readable: as many sheets as it takes for type that is large enough (9 points on A3, 7 on A4). one: one
        sheet for a whole school, however small its type.
    paper
        A3 or A4; without it A3 for a whole school or community, A4 for a class, a teacher, a room.
    lang
        The language of the words; that of the terminal without it.
    as_json
        One JSON object on standard output: what was written and what is lost in this form.
    """
    try:
        register = read_register(input)
        tables = read(table, TableSet).tables
        check_writable(out)
        at = table.stat().st_mtime
        words = words_in(lang or language_of(dict(os.environ)))
        day = local_date(at).isoformat()
        state = words("export.published", number=published, date=day) if published else words("export.draft")
        on = _monday(register.term, week) if week else ""
        if on:
            state = f"{state} · {words('export.bells_of_week', week=week)}"
        chosen = _chosen(register, tables, community, audience, id)
        version = Version(
            community=chosen.community, number=published or 1, author="", at=at, table=chosen, diff=Diff()
        )
        taking = TableExport(
            register,
            _community(register, chosen),
            chosen,
            words=words,
            state=state,
            events=lambda wanted: entries(register.term, [version], wanted),
            commitments=commitments_of(register, (other for other in tables if other is not chosen)),
            on=on,
            printing=Printing(fit, paper or ""),
        )
        taken = taking.take(form, audience, id)
    except (BadInput, NotFound, ExportRefused) as error:
        return refuse(str(error))
    write(out, taken.content)
    if as_json:
        report = ExportReport(
            file=str(out),
            name=taken.name,
            bytes=len(taken.content),
            findings=taken.findings,
            sheets=taken.sheets,
            smallest=taken.smallest,
        )
        print(msgspec.json.encode(report).decode())
    else:
        for finding in taken.findings:
            print(sentence(finding))
        for name, count in taken.sheets.items():
            print(words("export.sheets", count=count, paper=name, points=f"{taken.smallest:g}"))
    return GOOD


def _monday(term: Term, week: int) -> str:
    """The Monday of a week of the term; BadInput for another."""
    if not 1 <= week <= weeks(term):
        raise BadInput(f"--week {week}: the term has weeks 1 to {weeks(term)}")
    return (date.fromisoformat(term.week_one) + timedelta(weeks=week - 1)).isoformat()


def _chosen(register: Register, tables: tuple[Table, ...], community: str, audience: Audience, id: str) -> Table:
    """The one table that is meant; BadInput where that is not clear."""
    fitting = [table for table in tables if community in ("", table.community)]
    if not community and id and len(fitting) > 1:
        fitting = [table for table in fitting if id in _known(register, table, audience)]
    if not fitting:
        raise NotFound("community" if community else audience, community or id)
    if len(fitting) > 1:
        names = ", ".join(table.community for table in fitting)
        raise BadInput(f"there are tables of several communities, choose one with --community: {names}")
    return fitting[0]


def _known(register: Register, table: Table, audience: Audience) -> dict[str, str]:
    taking = TableExport(register, _community(register, table), table, words=words_in("en"), state="")
    return taking.targets(audience)


def _community(register: Register, table: Table) -> Community:
    for known in register.communities:
        if known.id == table.community:
            return known
    raise NotFound("community", table.community)
