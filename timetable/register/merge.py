"""This module owns how rows come together: several files into one register, a new import over what stands already,
and the good rows out of a faulty import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from timetable.model import Finding
from timetable.register.check import check
from timetable.register.columns import Sheet
from timetable.register.findings import finding
from timetable.register.rows import Broken, PartyRow, Rows, Source, Sourced, of
from timetable.register.sheet_format import BY_KEY, SHEETS


def without_repeats(rows: Rows) -> Rows:
    """The rows of several files less those that a second file repeats word for word: two schools may both list the
    campus that they share."""
    found: Rows = {}
    for key, given in rows.items():
        first_file: dict[Any, str] = {}
        found[key] = [row for row in given if first_file.setdefault(row.row, row.source.file) == row.source.file]
    return found


def over(standing: Rows, given: Rows) -> Rows:
    """The given rows over the standing ones. A row takes the place of the standing row with its id; a list, such as a
    unit's bells, takes the place of the whole standing list as soon as its sheet is given. Nothing else goes away."""
    return {sheet.key: _sheet_over(sheet, standing, given) for sheet in SHEETS}


def _sheet_over(sheet: Sheet, standing: Rows, given: Rows) -> list[Sourced]:
    old, new = standing.get(sheet.key, []), given.get(sheet.key)
    if new is None:
        return old
    if sheet.owner:
        owners = {getattr(row.row, sheet.owner) for row in new}
        owners |= {row.row.id for row in given.get(sheet.owner_sheet, ())}
        return [row for row in old if getattr(row.row, sheet.owner) not in owners] + new
    waiting: dict[Any, list[Sourced]] = {}
    for row in new:
        waiting.setdefault(_identity(sheet, row), []).append(row)
    found: list[Sourced] = []
    for row in old:
        found += waiting.pop(_identity(sheet, row), [row])
    return found + [row for rows in waiting.values() for row in rows]


def _identity(sheet: Sheet, row: Sourced) -> tuple[Any, ...]:
    values = tuple(getattr(row.row, field) for field in sheet.identity)
    return tuple(sorted(values)) if sheet.key == "travel" else values


def good_part(
    standing: Rows, given: Rows, findings: Iterable[Finding], broken: Iterable[Broken] = ()
) -> tuple[Rows, list[Finding]]:
    """The given rows less those with errors and everything that needs them, and a finding for each row left out.

    `findings` are those of the given rows over the standing ones, `broken` the rows that could not even be read.
    Errors outside the rows of files (no term, a standing row that no longer fits) stay: the caller finds them by
    checking what is returned.
    """
    broken = tuple(broken)
    left_out = [_unread(row) for row in broken]
    faulty = _faulty(findings)
    losing = {row.owner: row.code for row in broken if row.sheet == "parties"}
    while faulty or losing:
        losing |= {
            p.requirement: faulty[_place(at)] for p, at in of(given, "parties", PartyRow) if _place(at) in faulty
        }
        # without one of its parties a requirement would be another lesson
        for row in given.get("requirements", ()):
            if row.row.id in losing:
                faulty.setdefault(_place(row.source), losing[row.row.id])
        kept: Rows = {}
        for key, rows in given.items():
            kept[key] = [row for row in rows if _place(row.source) not in faulty]
            left_out += [_left_out(row, faulty) for row in rows if _place(row.source) in faulty]
        given, losing = kept, {}
        faulty = _faulty(check(over(standing, given)))
    return given, left_out


Place = tuple[str, str, int]


def _place(source: Source) -> Place:
    return source.file, source.sheet, source.row


def _faulty(findings: Iterable[Finding]) -> dict[Place, str]:
    """Where rows are to be left out, with the code of the first reason."""
    found: dict[Place, str] = {}
    for problem in findings:
        if problem.severity == "error" and problem.file and problem.row is not None:
            found.setdefault((problem.file, problem.sheet, problem.row), problem.code)
    return found


def _left_out(row: Sourced, faulty: dict[Place, str]) -> Finding:
    label = _label(BY_KEY[row.sheet], row)
    return finding("row_left_out", row.source, id=label, because=faulty[_place(row.source)])


def _unread(row: Broken) -> Finding:
    return finding("row_left_out", row.source, id=row.owner or str(row.source.row), because=row.code)


def _label(sheet: Sheet, row: Sourced) -> str:
    fields: Sequence[str] = sheet.identity or (sheet.owner,) * bool(sheet.owner)
    return "、".join(str(getattr(row.row, field)) for field in fields)
