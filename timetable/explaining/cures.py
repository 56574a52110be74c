"""This module owns what may cure the mistakes that counting proves, before anything is searched."""

from collections.abc import Mapping, Sequence

from timetable.explaining import concessions
from timetable.explaining.candidate import Candidate, ConcessionKind
from timetable.model import SHARED_KINDS, Finding, Requirement
from timetable.problem import Problem

CURES: Mapping[str, Sequence[ConcessionKind]] = {
    "class_overloaded": ("weekly",),
    "teacher_over_days": ("teacher_day", "weekly"),
    "teacher_over_week": ("teacher_week", "weekly"),
    "teacher_over_periods": ("unavailable", "weekly"),
    "no_remote_room": ("remote_room",),
    "no_link": ("link",),
    "remote_rooms_overbooked": ("link", "remote_room", "busy_room"),
    "windows_never_meet": ("overlap",),
    "windows_never_meet_earlier": ("bells", "overlap"),
    "windows_never_meet_later": ("bells", "overlap"),
    "windows_meet_rarely": ("overlap", "bells", "weekly"),
    "no_slot_left": ("unavailable", "busy_room", "weekly"),
    "locked_slot_impossible": ("locked",),
    "too_many_locked": ("locked",),
    "locked_twice": ("locked",),
}
"""What may cure each mistake that counting proves."""

MOST_CURES = 12


def cures(problem: Problem, proven: Sequence[Finding]) -> list[Candidate]:
    """What may cure the proven mistakes, the cheapest first."""
    kinds = {kind for finding in proven for kind in CURES.get(finding.code, ())}
    if not kinds:
        return []
    culprits = [r for r in problem.requirements if any(_names(problem, finding, r) for finding in proven)]
    fewer = max((_excess(finding) for finding in proven), default=1)
    found = concessions.candidates(problem, culprits, max(1, fewer))
    return [candidate for candidate in found if candidate.concession.kind in kinds][:MOST_CURES]


def _names(problem: Problem, finding: Finding, requirement: Requirement) -> bool:
    """Whether a finding is about the requirement, one of its classes, teachers or shared units."""
    said = set(finding.values.values())
    names = {requirement.id}
    for party in requirement.parties:
        names |= {problem.classes[c].name for c in party.classes}
        names |= {problem.teachers[t].name for t in party.teachers}
        if requirement.kind in SHARED_KINDS:
            names.add(problem.units[party.unit].name)
    return not said.isdisjoint(names)


def _excess(finding: Finding) -> int:
    """By how many lessons a count is exceeded."""
    lessons = finding.values.get("lessons", 0)
    most = next((v for k, v in finding.values.items() if k in ("periods", "most", "places")), lessons)
    return int(lessons) - int(most)
