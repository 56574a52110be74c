"""`tongke table explain`: why a register has no table and what would have to be conceded, or why a lesson stands where
it does and could not stand elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from server.sentences import Language, catalogue, finding_sentence, language_of
from timetable.errors import NotFound
from timetable.explaining.concessions import Concession
from timetable.explaining.explain import Explanation, Step, explain
from timetable.model import Finding, Register, Table
from timetable.problem import Problem, commitments_of
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.slots import SlotVerdict, slots

GOOD, FINDING = 0, 1

Telling = Literal["people", "json", "lines"]
"""Sentences; one JSON object at the end; one at each step."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a program that follows the search reads, one JSON object a line, each with one of these."""

    step: Step | None = None
    found: Concession | None = None
    end: Explanation | None = None


def explain_register(
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

        explained[id] = explain(
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


def explain_lesson(register: Register, tables: tuple[Table, ...], lesson: str, *, as_json: bool) -> int:
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
