"""This module owns the file in which the schools talk about their tables: what lies before them, and each word said."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, structs

from server.commands.table_files import FINDING, GOOD, BadInput, check_writable, write
from server.sentences import catalogue, language_of
from timetable.agreement import negotiation as rules
from timetable.agreement.negotiation import Negotiation
from timetable.errors import NotFound, TimetableError
from timetable.model import Table

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


def talk_of(standing: TalksFile, community: str) -> Talk:
    """The talk of a community; of the only one where none is named. Raises NotFound, BadInput."""
    found = [one for one in standing.talks if community in ("", one.table.community)]
    if not found:
        raise NotFound("community", community)
    if len(found) > 1:
        raise BadInput("several communities talk, choose one with --community")
    return found[0]


def take_step(path: Path, standing: TalksFile, talk: Talk, step: Step, now: float, as_json: bool) -> int:
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
