"""The register as planned changes of a community's members leave it on a date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date

from server.storage.membership_store import MembershipChange
from timetable.errors import NotFound, TimetableError
from timetable.model import Finding, Register
from timetable.years.membership import Join, Leave, Membership, changed, withdrawn


class MembershipRefused(TimetableError):
    """The school cannot join or leave like this; the findings say why."""

    code = "membership_refused"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"{len(findings)} obstacle(s)")
        self.findings = findings


def is_to_come(known: MembershipChange, today: date) -> bool:
    """Whether it changes what must be taught from some date on that is to come, or that no table has followed yet."""
    if isinstance(known.change, Leave):
        return known.state == "planned"
    return known.state == "done" and known.register_before > 0 and known.change.first > today.isoformat()


def as_of(
    register: Register,
    community: str,
    day: str,
    planned: Sequence[MembershipChange],
    before: Mapping[str, Register],
) -> Register:
    """What must be taught from a date on: without who has left by then, or has not joined yet."""
    for known in planned:
        if isinstance(known.change, Join) and known.change.first > day:
            register = withdrawn(register, before[known.id], community, known.change)
    for known in sorted(planned, key=lambda one: one.change.first):
        if isinstance(known.change, Leave) and known.change.first <= day:
            # one who has left by now, by another way, is no member any more
            with suppress(NotFound):
                register = made(register, community=community, change=known.change)
    return register


def made(register: Register, *, community: str, change: Membership) -> Register:
    future, findings = changed(register, community, change)
    if wrong := tuple(finding for finding in findings if finding.severity == "error"):
        raise MembershipRefused(wrong)
    return future
