"""This module owns the step from one term to the next: the register is carried over into new dates and, at the turn of
the school year, its classes move up.

Nothing is changed before the preview was seen; the old term's register, versions and amendments stay as they are.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from msgspec import Struct, structs

from timetable.model import Finding, Model, Register, Requirement, SchoolUnit, Term
from timetable.term import weeks
from timetable.weeks import held_in
from timetable.years.next_classes import Entry, Moved
from timetable.years.promotion import Promotion, Teaching

CODES: Mapping[str, str] = {
    "rollover_term_dates": "the dates of the new term contradict each other",
    "rollover_term_early": "the new term begins before the old one has ended",
    "rollover_term_known": "there was a term of this id already",
    "rollover_running": "the old term is not over yet",
    "rollover_no_bells": "a unit rings no bells in the new term",
    "rollover_bells_end": "bells of a unit end before the new term and are left out (a warning)",
    "rollover_unavailable": "teachers' unavailable times are carried over as they are (a warning)",
    "rollover_weeks_moved": "weeks that the new term does not have give way to its last ones (a warning)",
    "rollover_calendar_empty": "the new term has no holidays yet (a warning)",
}
"""Every code that this module reports beside those of the promotion."""


class Rollover(Model, frozen=True, kw_only=True):
    """How the next term is made. `promote`: a school year ends with the old one."""

    format: Literal["tongke-rollover/1"] = "tongke-rollover/1"
    term: Term
    promote: bool = False
    entries: tuple[Entry, ...] = ()
    teachers: Teaching = "follow"
    end_running: bool = False
    """End the old term before its last day."""


class Assignment(Model, frozen=True, kw_only=True):
    """A teacher whose classes are others afterwards."""

    teacher: str
    unit: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class Next(Struct, frozen=True, kw_only=True):
    """The register of the next term, what it changes, and what is unclear. With an error it cannot be taken."""

    register: Register
    findings: tuple[Finding, ...]
    classes: tuple[Moved, ...] = ()
    teachers: tuple[Assignment, ...] = ()
    requirements: dict[str, int] = {}
    """How many are `kept`, `changed`, `new` and `dropped`."""

    @property
    def possible(self) -> bool:
        return all(finding.severity != "error" for finding in self.findings)


def roll_over(register: Register, plan: Rollover, *, today: date, known: Iterable[str] = ()) -> Next:
    """The register in the new term; `known` are the ids of all earlier terms."""
    findings = [*_term_faults(register.term, plan, today, {*known, register.term.id})]
    moved: tuple[Moved, ...] = ()
    carried = register
    if plan.promote:
        year = int(plan.term.first_day[:4]) if plan.term.first_day[:4].isdecimal() else today.year
        promotion = Promotion(register, plan.entries, plan.teachers, year)
        carried, moved = promotion.register, tuple(promotion.moved)
        findings += promotion.findings
    units, faults = _bells(carried, plan.term)
    findings += faults
    if all(finding.code != "rollover_term_dates" for finding in findings):
        requirements, faults = _weeks(carried, weeks(plan.term))
        carried = structs.replace(carried, requirements=requirements)
        findings += faults
    unavailable = sum(bool(teacher.unavailable) for teacher in carried.teachers)
    if unavailable:
        findings.append(_warning("rollover_unavailable", teachers=unavailable))
    carried = structs.replace(carried, term=plan.term, units=units)
    return Next(
        register=carried,
        findings=tuple(findings),
        classes=moved,
        teachers=tuple(_assignments(register, carried)),
        requirements=_compared(register, carried),
    )


def _term_faults(old: Term, plan: Rollover, today: date, known: set[str]) -> Iterable[Finding]:
    new = plan.term
    values: dict[str, str | int] = {"first": new.first_day, "last": new.last_day, "weekOne": new.week_one}
    try:
        first, last, monday = (date.fromisoformat(day) for day in (new.first_day, new.last_day, new.week_one))
        sound = monday.isoweekday() == 1 and monday <= first <= last and (first - monday).days < 7
        sound = sound and (last - first).days < 366
        for closure in new.closures:
            sound = sound and date.fromisoformat(closure.first) <= date.fromisoformat(closure.last)
        for made_up in new.make_up_days:
            sound = sound and new.first_day <= date.fromisoformat(made_up.date).isoformat() <= new.last_day
    except ValueError:
        sound = False
    if not sound:
        yield Finding(code="rollover_term_dates", values=values)
        return
    if new.first_day <= old.last_day:
        yield Finding(code="rollover_term_early", values={"first": new.first_day, "last": old.last_day})
    if new.id in known:
        yield Finding(code="rollover_term_known", values={"id": new.id})
    if today.isoformat() <= old.last_day:
        severity: Literal["warning", "error"] = "warning" if plan.end_running else "error"
        yield Finding(code="rollover_running", values={"name": old.name, "last": old.last_day}, severity=severity)
    if not new.closures:
        yield _warning("rollover_calendar_empty", name=new.name)


def _bells(register: Register, term: Term) -> tuple[tuple[SchoolUnit, ...], list[Finding]]:
    """The units with the bells that ring in the term."""
    units, found = [], []
    for unit in register.units:
        kept = tuple(bells for bells in unit.bells if bells.valid_to is None or bells.valid_to >= term.first_day)
        if len(kept) < len(unit.bells):
            found.append(_warning("rollover_bells_end", unit=unit.short_name, count=len(unit.bells) - len(kept)))
        if not any(bells.valid_from is None or bells.valid_from <= term.last_day for bells in kept):
            found.append(Finding(code="rollover_no_bells", values={"unit": unit.short_name}))
        units.append(structs.replace(unit, bells=kept) if len(kept) < len(unit.bells) else unit)
    return tuple(units), found


def _weeks(register: Register, last: int) -> tuple[tuple[Requirement, ...], list[Finding]]:
    """The requirements within a term of `last` weeks: of the weeks that are named, those beyond it give way to the last
    ones of the same parity that are not named already."""
    units = {unit.id: unit.short_name for unit in register.units}
    requirements, found = [], []
    for requirement in register.requirements:
        beyond = sum(week > last for week in requirement.only_weeks)
        if beyond:
            within = [week for week in requirement.only_weeks if week <= last]
            free = [n for n in range(last, 0, -1) if n not in within and held_in(requirement.weeks, (), n)]
            moved = tuple(sorted((*within, *free[:beyond])))
            values = {"unit": units[requirement.parties[0].unit], "subject": requirement.subject}
            said = ", ".join(map(str, requirement.only_weeks)), ", ".join(map(str, moved))
            found.append(_warning("rollover_weeks_moved", **values, before=said[0], after=said[1]))
            requirement = structs.replace(requirement, only_weeks=moved)
        requirements.append(requirement)
    return tuple(requirements), found


def _assignments(old: Register, new: Register) -> Iterable[Assignment]:
    """Teachers who have other classes afterwards; a class is named as it was and as it is then."""
    before, after = _classes_of(old), _classes_of(new)
    for teacher in old.teachers:
        was, will = before.get(teacher.id, ()), after.get(teacher.id, ())
        if was != will:
            yield Assignment(teacher=teacher.name, unit=teacher.posts[0], before=was, after=will)


def _classes_of(register: Register) -> dict[str, tuple[str, ...]]:
    classes = {c.id: c for c in register.classes}
    found: dict[str, dict[str, tuple[int, int, str]]] = {}
    for requirement in register.requirements:
        for party in requirement.parties:
            for teacher in party.teachers:
                for id in party.classes:
                    c = classes[id]
                    found.setdefault(teacher, {})[c.name] = (c.grade, c.number, c.name)
    return {teacher: tuple(sorted(names, key=names.__getitem__)) for teacher, names in found.items()}


def _compared(old: Register, new: Register) -> dict[str, int]:
    before = {requirement.id: requirement for requirement in old.requirements}
    after = {requirement.id: requirement for requirement in new.requirements}
    kept = sum(before.get(id) == requirement for id, requirement in after.items())
    return {
        "kept": kept,
        "changed": len(before.keys() & after.keys()) - kept,
        "new": len(after.keys() - before.keys()),
        "dropped": len(before.keys() - after.keys()),
    }


def _warning(code: str, **values: str | int) -> Finding:
    return Finding(code=code, values=values, severity="warning")
