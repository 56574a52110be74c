"""`tongke table rollover`: the register of the next term, made from the one that ends."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct

from server.commands.parameters import AsJson
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
from timetable.model import Finding
from timetable.register.check import check
from timetable.register.parts import rows_of
from timetable.years.next_classes import Moved
from timetable.years.rollover import Assignment, Rollover, roll_over


class RolloverReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the turn brings."""

    possible: bool
    findings: tuple[Finding, ...]
    classes: tuple[Moved, ...]
    teachers: tuple[Assignment, ...]
    requirements: dict[str, int]


def rollover(
    input: Path, plan: Path, *, out: Path | None = None, today: str | None = None, as_json: AsJson = False
) -> int:
    """Make the register of the next term. Exit code 1 when it cannot be made; nothing is written then.

    Parameters
    ----------
    input
        The register of the term that ends.
    plan
        JSON: the new term, and whether classes move up, how many begin where, and whether teachers follow or stay; as
        PROTOCOL.md describes a rollover.
    out
        Where to write the new register; without it only the preview is shown.
    today
        The date, `2027-08-01`; the default is today.
    as_json
        The preview as one JSON object.
    """
    try:
        register = read_register(input)
        wanted = read(plan, Rollover)
        day = date.today() if today is None else date.fromisoformat(today)
        check_writable(out)
    except ValueError as error:
        return refuse(f"{today}: {error}")
    except BadInput as error:
        return refuse(str(error))
    found = roll_over(register, wanted, today=day)
    known = {(fault.code, str(fault.values)) for fault in check(rows_of(register))}
    faults = [fault for fault in check(rows_of(found.register)) if (fault.code, str(fault.values)) not in known]
    findings = (*found.findings, *faults)
    possible = all(finding.severity != "error" for finding in findings)
    if as_json:
        report = RolloverReport(
            possible=possible,
            findings=findings,
            classes=found.classes,
            teachers=found.teachers,
            requirements=found.requirements,
        )
        print(msgspec.json.encode(report).decode())
    else:
        _tell(findings, found.classes, found.requirements)
    if not possible:
        return FINDING
    if out is not None:
        write(out, msgspec.json.format(msgspec.json.encode(found.register), indent=1))
    return GOOD


def _tell(findings: tuple[Finding, ...], classes: tuple[Moved, ...], requirements: dict[str, int]) -> None:
    for moved in classes:
        print(f"{moved.unit}  {moved.id}  {moved.before or '-'} -> {moved.after or '-'}")
    print("  ".join(f"{what} {count}" for what, count in requirements.items()))
    for finding in findings:
        print(sentence(finding))
