"""`tongke table member`: a school joins or leaves a community in mid-term, with the fewest moves of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from msgspec import Struct

from server.commands.parameters import AsJson, Flag
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
from timetable.errors import BuildFailed, NotFound
from timetable.model import Finding, Register, TableSet
from timetable.repairing.refit import SECONDS, Refit, RefitStep, refit
from timetable.repairing.repair import Move
from timetable.years.membership import Membership, changed, timely


class MemberReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of it: without a table `findings` say why."""

    possible: bool
    findings: tuple[Finding, ...]
    moves: tuple[Move, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    kept: int = 0
    seconds: float = 0.0


def member(
    input: Path,
    table: Path,
    change: Path,
    *,
    community: str,
    out: Path | None = None,
    out_register: Path | None = None,
    report: Path | None = None,
    withdraw: Flag = False,
    seconds: Annotated[float, Parameter(validator=Number(gt=0, lte=3600))] = SECONDS,
    workers: Annotated[int, Parameter(validator=Number(gte=1, lte=256))] = 2,
    as_json: AsJson = False,
    progress: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Let a school join or leave a community in mid-term. Exit code 1 when there is no table for it.

    Parameters
    ----------
    input
        The register.
    table
        The tables, as `tongke table build` writes them; those of other communities stay.
    change
        JSON: `{"kind": "leave", "unit": ..., "first": ...}`, or a `join` with the rows that the school brings. `first`
        is the first day that it counts for, such as 2026-11-30; it has no default and must be in the term.
    community
        The community.
    out
        Where to write the tables that fit afterwards.
    out_register
        Where to write the register with the change made.
    report
        Where to write what came of it, for programs.
    withdraw
        Take the change back: INPUT is the register as it was before it, TABLE the tables since.
    seconds
        How long to search at most.
    workers
        How many cores to use.
    as_json
        What came of it as one JSON object.
    progress
        Write a JSON object a line while it searches, which other lessons may move and whether a table is found, and
        no sentences.
    """
    try:
        register = read_register(input)
        tables = read(table, TableSet).tables
        wanted: Membership = read(change, Membership)  # type: ignore[arg-type]
        for target in (out, out_register, report):
            check_writable(target)
        standing = next((one for one in tables if one.community == community), None)
        if standing is None:
            raise NotFound("table", community)
        future: Register = register
        findings: tuple[Finding, ...] = ()
        if not withdraw:
            future, findings = changed(register, community, wanted)
            findings = (*timely(register.term, wanted), *findings)
    except (BadInput, NotFound) as error:
        return refuse(str(error))
    found: Refit | None = None

    def tell(step: RefitStep) -> None:
        if progress:
            print(msgspec.json.encode(step).decode(), flush=True)

    if all(finding.severity != "error" for finding in findings):
        others = [one for one in tables if one.community != community]
        try:
            found = refit(future, standing, others, seconds=seconds, workers=workers, on_step=tell)
        except BuildFailed as failed:
            findings = (*findings, *failed.findings)
    told = _report(findings, found)
    if report is not None:
        write(report, msgspec.json.encode(told))
    if as_json:
        print(msgspec.json.encode(told).decode())
    elif not progress:
        _tell(told, wanted.first)
    if found is None:
        return FINDING
    if out is not None:
        fitted = tuple(found.table if one.community == community else one for one in tables)
        write(out, msgspec.json.encode(TableSet(tables=fitted)))
    if out_register is not None:
        write(out_register, msgspec.json.encode(future))
    return GOOD


def _report(findings: tuple[Finding, ...], found: Refit | None) -> MemberReport:
    if found is None:
        return MemberReport(possible=False, findings=findings)
    return MemberReport(
        possible=True,
        findings=findings,
        moves=found.moves,
        added=found.added,
        dropped=found.dropped,
        changed=found.changed,
        kept=found.kept,
        seconds=found.seconds,
    )


def _tell(report: MemberReport, first: str) -> None:
    for finding in report.findings:
        print(sentence(finding))
    for move in report.moves:
        before, after = move.source, move.target
        print(f"{move.lesson}  {before.weekday}/{before.period} -> {after.weekday}/{after.period}")
    if report.possible:
        print(
            f"{report.kept} stay, {len(report.moves)} move, {len(report.changed)} go on with others, "
            f"{len(report.added)} new, {len(report.dropped)} end; from {first} on"
        )
