"""This module owns how those concerned agree on a change after publication: one state machine for all modes.

draft -> asked -> agreed -> applied -> undone, or refused, or withdrawn. Only units whose own day changes are asked.
What is agreed is applied at once; where it no longer fits by then it is refused with the reasons.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Literal

from msgspec import Struct, structs

from timetable.agreement.amendment_policy import POLICIES, deadline
from timetable.agreement.consent import Consent, ReasonMissing, WrongSide
from timetable.days.changes import Change
from timetable.days.effects import Applied, Earlier, Effect, Placed
from timetable.days.scene import Line
from timetable.errors import NotAllowedNow, TimetableError
from timetable.model import Community, Finding, Mode, Slot


class State(StrEnum):
    DRAFT = "draft"
    ASKED = "asked"
    AGREED = "agreed"
    APPLIED = "applied"
    UNDONE = "undone"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Event(StrEnum):
    ASKED = "asked"
    SETTLED = "settled"
    APPLIED = "applied"
    UNDONE = "undone"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.DRAFT, Event.ASKED): State.ASKED,
    (State.DRAFT, Event.WITHDRAWN): State.WITHDRAWN,
    (State.ASKED, Event.SETTLED): State.AGREED,
    (State.ASKED, Event.REFUSED): State.REFUSED,
    (State.ASKED, Event.WITHDRAWN): State.WITHDRAWN,
    (State.AGREED, Event.APPLIED): State.APPLIED,
    (State.AGREED, Event.REFUSED): State.REFUSED,
    (State.AGREED, Event.WITHDRAWN): State.WITHDRAWN,
    (State.APPLIED, Event.UNDONE): State.UNDONE,
}

Cause = Literal["", "objection", "silence", "no_longer_fits"]


class AmendmentRefused(TimetableError):
    """The change cannot be made; the findings say why."""

    code = "amendment_refused"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"{len(findings)} obstacle(s)")
        self.findings = findings


class Amendment(Struct, frozen=True, kw_only=True):
    """One change of a community's table after its publication. Times are unix seconds."""

    community: str
    number: int
    """Counts from 1 in the community."""
    revision: int
    """Counts every change of the amendment, from 1."""
    change: Change
    reason: str
    unit: str
    """The unit that asks."""
    by: str
    at: float
    mode: Mode
    core: str
    affected: tuple[str, ...]
    earliest: float
    """When the first lesson begins that it touches: until then it can be decided."""
    lines: tuple[Line, ...] = ()
    """What becomes of which occurrence, as it was worked out last."""
    deadline: float
    """When silence is taken for an answer: for consent in a co-built community, elsewhere for none."""
    state: State = State.DRAFT
    consents: tuple[Consent, ...] = ()
    cause: Cause = ""
    """Why it was refused."""
    findings: tuple[Finding, ...] = ()
    """What stood in the way when it was refused, or the warnings that it carries."""
    effects: tuple[Effect, ...] = ()
    version: int | None = None
    """The version that a lasting change became."""
    applied_at: float | None = None
    undone_at: float | None = None
    undone_by: int | None = None
    earlier: tuple[Earlier, ...] = ()
    """What it did before it came to do what it does."""

    @property
    def internal(self) -> bool:
        """Whether it is one school's own affair."""
        return set(self.affected) <= {self.unit}

    def answer(self, unit: str) -> Consent | None:
        return next((consent for consent in self.consents if consent.unit == unit), None)

    @property
    def applied(self) -> Applied | None:
        """What it does to the dated tables, once it was applied."""
        if self.applied_at is None:
            return None
        return Applied(
            community=self.community,
            number=self.number,
            at=self.applied_at,
            effects=self.effects,
            undone_at=self.undone_at,
            version=self.version,
            earlier=self.earlier,
        )


def draft(
    community: Community,
    *,
    number: int,
    change: Change,
    reason: str,
    unit: str,
    by: str,
    now: float,
    affected: tuple[str, ...],
    earliest: float,
    lines: tuple[Line, ...] = (),
) -> Amendment:
    """An amendment that nobody was asked about yet."""
    return Amendment(
        community=community.id,
        number=number,
        revision=1,
        change=change,
        reason=reason,
        unit=unit,
        by=by,
        at=now,
        mode=community.mode,
        core=community.core,
        affected=affected,
        earliest=earliest,
        lines=lines,
        deadline=deadline(community.mode, now, earliest),
    )


def ask(amendment: Amendment, now: float) -> Amendment:
    """Put it before those who have a say. Whoever asks agrees; a school's own affair is agreed at once."""
    own = Consent(unit=amendment.unit, answer="agreed", by=amendment.by, at=now)
    asked_for = structs.replace(amendment, state=_step(amendment, Event.ASKED), consents=(own,))
    return settle(asked_for, now)


def agree(amendment: Amendment, *, unit: str, by: str, now: float) -> Amendment:
    return settle(_say(amendment, Consent(unit=unit, answer="agreed", by=by, at=now), now), now)


def object_to(
    amendment: Amendment, *, unit: str, by: str, now: float, reason: str, counter: Slot | None = None
) -> Amendment:
    """An objection ends it; it says why, and where it can which slot would suit."""
    if not reason.strip():
        raise ReasonMissing
    said = _say(amendment, Consent(unit=unit, answer="objected", by=by, at=now, reason=reason, counter=counter), now)
    return structs.replace(said, state=_step(said, Event.REFUSED), cause="objection")


def withdraw(amendment: Amendment, *, unit: str) -> Amendment:
    """Whoever asked takes it back before it is applied."""
    if unit != amendment.unit:
        raise WrongSide(unit, "withdraw")
    return _changed(amendment, Event.WITHDRAWN)


def settle(amendment: Amendment, now: float) -> Amendment:
    """Agreed when nobody is missing; at the deadline silence counts as the mode says."""
    if amendment.state is not State.ASKED:
        return amendment
    if not missing(amendment, now):
        return _changed(amendment, Event.SETTLED)
    if now >= amendment.deadline:
        return structs.replace(_changed(amendment, Event.REFUSED), cause="silence")
    return amendment


def applied(
    amendment: Amendment,
    *,
    now: float,
    effects: tuple[Effect, ...],
    version: int | None,
    lines: tuple[Line, ...] = (),
    findings: tuple[Finding, ...] = (),
) -> Amendment:
    """It counts from now on; `findings` are the warnings that it carries."""
    return structs.replace(
        _changed(amendment, Event.APPLIED),
        effects=effects,
        version=version,
        applied_at=now,
        lines=lines,
        findings=findings,
    )


def no_longer_fits(amendment: Amendment, findings: tuple[Finding, ...]) -> Amendment:
    """What was agreed collides with something that came between."""
    return structs.replace(_changed(amendment, Event.REFUSED), cause="no_longer_fits", findings=findings)


def undone(amendment: Amendment, *, now: float, by: int) -> Amendment:
    """Amendment `by` has taken it back."""
    return structs.replace(_changed(amendment, Event.UNDONE), undone_at=now, undone_by=by)


def without(amendment: Amendment, uids: Collection[str], *, now: float) -> Amendment:
    """Without its effects on these occurrences, which nobody has to ask for any more; undone where none is left."""
    left = tuple(effect for effect in amendment.effects if effect.uid not in uids)
    if not left:
        return undone(amendment, now=now, by=amendment.number)
    return _doing(amendment, left, now)


def rung(amendment: Amendment, effects: tuple[Effect, ...], findings: tuple[Finding, ...], *, now: float) -> Amendment:
    """With the effects by new bells; `findings` say what became of which lesson."""
    starts = {(e.occurrence, e.date): (e.start, e.end) for e in effects if isinstance(e, Placed)}

    def line(known: Line) -> Line:
        after = known.after
        if after is None or (known.occurrence, after.date) not in starts:
            return known
        start, end = starts[known.occurrence, after.date]
        return structs.replace(known, after=structs.replace(after, start=start, end=end))

    told = structs.replace(
        amendment, lines=tuple(line(known) for known in amendment.lines), findings=(*amendment.findings, *findings)
    )
    return _doing(told, effects, now)


def _doing(amendment: Amendment, effects: tuple[Effect, ...], now: float) -> Amendment:
    """It does something else from now on; calendars must know what it did before."""
    did = Earlier(until=now, effects=amendment.effects)
    return structs.replace(
        amendment, effects=effects, earlier=(*amendment.earlier, did), revision=amendment.revision + 1
    )


def asked_units(amendment: Amendment) -> tuple[str, ...]:
    """The units that have a say: none beside its own in a school's own affair."""
    return () if amendment.internal else POLICIES[amendment.mode].asked(amendment.core, amendment.affected)


def missing(amendment: Amendment, now: float) -> tuple[str, ...]:
    """The units that still stand between the amendment and its application."""
    if POLICIES[amendment.mode].silence_agrees and now >= amendment.deadline:
        return ()
    return tuple(unit for unit in asked_units(amendment) if amendment.answer(unit) is None)


def possible(amendment: Amendment, unit: str, now: float) -> tuple[str, ...]:
    """What `unit` may do now, of agree, object, withdraw and undo."""
    amendment = settle(amendment, now)
    open_to_answers = amendment.state is State.ASKED
    asked_for = open_to_answers and unit in asked_units(amendment)
    takes_part = unit in {amendment.unit, amendment.core, *amendment.affected}
    lasting = amendment.version is not None
    choices = {
        "agree": asked_for and amendment.answer(unit) is None,
        "object": asked_for and unit != amendment.unit,
        "withdraw": amendment.state in (State.ASKED, State.AGREED) and unit == amendment.unit,
        "undo": amendment.state is State.APPLIED and takes_part and (bool(amendment.effects) or lasting),
    }
    return tuple(action for action, may in choices.items() if may)


def _say(amendment: Amendment, consent: Consent, now: float) -> Amendment:
    amendment = settle(amendment, now)
    if amendment.state is not State.ASKED:
        raise NotAllowedNow(amendment.state, consent.answer)
    if consent.unit not in asked_units(amendment):
        raise WrongSide(consent.unit, "answer")
    others = tuple(other for other in amendment.consents if other.unit != consent.unit)
    return structs.replace(amendment, consents=(*others, consent), revision=amendment.revision + 1)


def _changed(amendment: Amendment, event: Event) -> Amendment:
    return structs.replace(amendment, state=_step(amendment, event), revision=amendment.revision + 1)


def _step(amendment: Amendment, event: Event) -> State:
    try:
        return TRANSITIONS[amendment.state, event]
    except KeyError:
        raise NotAllowedNow(amendment.state, event) from None
