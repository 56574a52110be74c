"""`tongke table explain`: why a register has no table and what would have to be conceded, or why a lesson stands where
it does and could not stand elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from server.collector import collect_seldom
from server.commands.parameters import AsJson, Flag, Seconds, Several, Workers
from server.commands.stopping import stopping
from server.commands.table_files import FINDING, GOOD, BadInput, read, read_around, read_register, refuse, sentence
from server.sentences import Language, catalogue, finding_sentence, language_of
from timetable.checker import check
from timetable.commitments import commitments_of
from timetable.errors import NotFound
from timetable.explaining.candidate import Concession
from timetable.explaining.explain import Explanation, Step
from timetable.explaining.explain import explain as find_concessions
from timetable.model import Finding, Register, Table, TableSet
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.slots import SlotVerdict, slots

UNREADABLE = ("table_unknown", "table_lesson_differs")
"""Findings about a table that does not belong to the register."""

Telling = Literal["people", "json", "lines"]
"""Sentences; one JSON object at the end; one at each step."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a program that follows the search reads, one JSON object a line, each with one of these."""

    step: Step | None = None
    found: Concession | None = None
    end: Explanation | None = None


def explain(
    input: Path,
    *,
    lesson: str | None = None,
    table: Path | None = None,
    community: Several = (),
    seconds: Seconds = 60.0,
    workers: Workers = 2,
    around: Path | None = None,
    progress: Flag = False,
    as_json: AsJson = False,
) -> int:
    """Say what would have to be conceded for a table to exist, each concession verified. Exit code 1 when there is no
    table without one.

    Parameters
    ----------
    input
        The register.
    lesson
        Say instead where this lesson of `--table` could stand, and why not elsewhere.
    table
        The tables, as `tongke table build` writes them.
    community
        Only this community (may be given several times).
    seconds
        How long to search in all.
    workers
        How many cores to use.
    around
        Standing tables of the other communities, whose teachers and rooms are taken.
    progress
        One JSON object a line on standard output while it works: a step, a concession, the end.
    as_json
        One JSON object.
    """
    try:
        if (lesson is None) != (table is None):
            raise BadInput("--lesson and --table go together")
        register = read_register(input)
        if lesson is not None and table is not None:
            tables: tuple[Table, ...] = read(table, TableSet).tables
            if wrong := [f for f in check(register, *tables) if f.code in UNREADABLE]:
                raise BadInput(f"{table}: {sentence(wrong[0])}")
            return _explain_lesson(register, tables, lesson, as_json=as_json)
        with stopping() as should_stop:
            return _explain_register(
                register,
                communities=community,
                around=read_around(around, register),
                seconds=seconds,
                workers=workers,
                telling="lines" if progress else "json" if as_json else "people",
                should_stop=should_stop,
            )
    except (BadInput, NotFound) as error:
        return refuse(str(error))


def _explain_register(
    register: Register,
    *,
    communities: tuple[str, ...],
    around: Sequence[Table],
    seconds: float,
    workers: int,
    telling: Telling,
    should_stop: Callable[[], bool],
) -> int:
    """Explain every community (or those named) in turn; exit code 1 when one of them has no table. Raises NotFound."""
    collect_seldom()
    wanted = communities or tuple(community.id for community in register.communities)
    names = {community.id: community.name for community in register.communities}
    if unknown := [id for id in wanted if id not in names]:
        raise NotFound("community", unknown[0])
    language = language_of(dict(os.environ))
    explained: dict[str, Explanation] = {}
    for id in wanted:
        if telling == "people":
            print(f"{names[id]}:")

        def tell(concession: Concession) -> None:
            if telling == "people":
                print(f"  {finding_sentence(concession.finding, language)}", flush=True)
            elif telling == "lines":
                _say(Line(found=concession))

        def go_on(step: Step) -> None:
            if telling == "lines":
                _say(Line(step=step))

        explained[id] = find_concessions(
            register,
            id,
            seconds=seconds / len(wanted),
            workers=workers,
            busy=commitments_of(register, (table for table in around if table.community != id)),
            on_found=tell,
            on_step=go_on,
            should_stop=should_stop,
        )
        if telling == "people":
            _print_findings(explained[id], language)
        elif telling == "lines":
            _say(Line(end=explained[id]))
    if telling == "json":
        print(msgspec.json.encode({"communities": explained}).decode())
    return GOOD if all(one.feasible for one in explained.values()) else FINDING


def _explain_lesson(register: Register, tables: tuple[Table, ...], lesson: str, *, as_json: bool) -> int:
    """Every slot of the week for one lesson of a table, with the reasons. Raises NotFound."""
    table = next((t for t in tables if any(one.id == lesson for one in t.lessons)), None)
    if table is None:
        raise NotFound("lesson", lesson)
    community = next(c for c in register.communities if c.id == table.community)
    around = [other for other in tables if other is not table]
    problem = Problem(register, community, commitments_of(register, around))
    found = slots(Arrangement(problem, table), lesson)
    if as_json:
        print(msgspec.json.encode({"lesson": lesson, "slots": found}).decode())
        return GOOD
    language = language_of(dict(os.environ))
    for slot in found:
        print(_slot(slot, language))
    return GOOD


def _say(line: Line) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def _print_findings(explanation: Explanation, language: Language) -> None:
    findings = explanation.findings
    if explanation.feasible:
        findings = (*findings, Finding(code="explain_possible"))
    elif not explanation.concessions:
        findings = (*findings, Finding(code="no_single_concession"))
    for finding in findings:
        print(f"  {finding_sentence(finding, language)}")


def _slot(slot: SlotVerdict, language: Language) -> str:
    day = catalogue(language).get(f"weekday.{slot.weekday}", str(slot.weekday))
    said = " ".join(finding_sentence(finding, language) for finding in slot.reasons)
    delta = f" {slot.delta:+d}" if slot.delta else ""
    return f"{day} {slot.period} {slot.start}  {slot.verdict}{delta}  {said}".rstrip()
