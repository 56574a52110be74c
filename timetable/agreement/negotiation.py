"""How the schools of a community agree on a draft: one state machine, and one policy for each mode.

draft -> proposed -> agreed -> published. A changed draft starts over, but with those who agreed and whose lessons are
the same in it. What each mode asks for is in product.md of the founding documents: merged, the core publishes;
co-built, members may object within a window; collaborative, every affected school must agree and silence is not
agreement.
"""

from collections.abc import Callable, Collection
from enum import StrEnum

from msgspec import Struct, structs

from timetable.agreement.consent import Consent, ReasonMissing, WrongSide
from timetable.errors import NotAllowedNow, TimetableError
from timetable.model import Community, Mode, Slot, Table

OBJECTION_WINDOW_SECONDS = 7 * 86400
"""How long members of a co-built community may object; the deadline shown in the other modes."""


class State(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    AGREED = "agreed"
    PUBLISHED = "published"


class Event(StrEnum):
    REBUILT = "rebuilt"
    PROPOSED = "proposed"
    SETTLED = "settled"
    UNSETTLED = "unsettled"
    PUBLISHED = "published"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.DRAFT, Event.REBUILT): State.DRAFT,
    (State.PROPOSED, Event.REBUILT): State.DRAFT,
    (State.AGREED, Event.REBUILT): State.DRAFT,
    (State.PUBLISHED, Event.REBUILT): State.DRAFT,
    (State.DRAFT, Event.PROPOSED): State.PROPOSED,
    (State.PROPOSED, Event.SETTLED): State.AGREED,
    (State.AGREED, Event.UNSETTLED): State.PROPOSED,
    (State.AGREED, Event.PUBLISHED): State.PUBLISHED,
}


class WindowClosed(TimetableError):
    """The time to object is over; `deadline` is unix seconds."""

    code = "window_closed"

    def __init__(self, deadline: float) -> None:
        super().__init__(f"objections were possible until {deadline:.0f}")
        self.deadline = deadline


class Raised(Struct, frozen=True, kw_only=True):
    """An objection to an earlier draft of this round: against which lesson, where it stood, what was asked for."""

    unit: str
    lesson: str
    stood: Slot
    counter: Slot | None


class Negotiation(Struct, frozen=True, kw_only=True):
    """Where the schools stand on draft number `draft`. `affected` are the units whose day the draft changes."""

    community: str
    mode: Mode
    core: str
    draft: int
    state: State = State.DRAFT
    affected: tuple[str, ...] = ()
    consents: tuple[Consent, ...] = ()
    deadline: float | None = None
    raised: tuple[Raised, ...] = ()

    def answer(self, unit: str) -> Consent | None:
        return next((consent for consent in self.consents if consent.unit == unit), None)

    @property
    def silent(self) -> tuple[str, ...]:
        return tuple(unit for unit in self.affected if self.answer(unit) is None)

    @property
    def objections(self) -> tuple[Consent, ...]:
        return tuple(consent for consent in self.consents if consent.answer == "objected")


class Policy(Struct, frozen=True):
    """What one mode asks for. `missing(negotiation, now)` are the units that still stand between a proposed draft
    and its publication."""

    mode: Mode
    missing: Callable[[Negotiation, float], tuple[str, ...]]


def _nobody(negotiation: Negotiation, now: float) -> tuple[str, ...]:
    return ()


def _objectors_and_those_with_time_left(negotiation: Negotiation, now: float) -> tuple[str, ...]:
    waiting = negotiation.silent if negotiation.deadline is not None and now < negotiation.deadline else ()
    return (*(consent.unit for consent in negotiation.objections), *waiting)


def _all_but_the_agreed(negotiation: Negotiation, now: float) -> tuple[str, ...]:
    return (*(consent.unit for consent in negotiation.objections), *negotiation.silent)


POLICIES: dict[Mode, Policy] = {
    "merged": Policy("merged", _nobody),
    "co_built": Policy("co_built", _objectors_and_those_with_time_left),
    "collaborative": Policy("collaborative", _all_but_the_agreed),
}


def begin(community: Community, draft: int, affected: tuple[str, ...]) -> Negotiation:
    """A new draft on the table: nobody has said anything yet."""
    return Negotiation(community=community.id, mode=community.mode, core=community.core, draft=draft, affected=affected)


def rebuilt(
    negotiation: Negotiation, community: Community, affected: tuple[str, ...], changed: Collection[str]
) -> Negotiation:
    """The draft was changed or built anew. Who agreed, and whose lessons are the same in it, need not say so again."""
    _step(negotiation, Event.REBUILT)
    standing = () if negotiation.state is State.PUBLISHED else negotiation.consents
    kept = tuple(
        consent
        for consent in standing
        if consent.answer == "agreed" and consent.unit in affected and consent.unit not in changed
    )
    return structs.replace(begin(community, negotiation.draft + 1, affected), consents=kept)


def remembered(negotiation: Negotiation, table: Table) -> tuple[Raised, ...]:
    """What was objected to in this round, the objections to `table`, its draft, included: until something is published
    a later draft may meet it."""
    if negotiation.state is State.PUBLISHED:
        return ()
    stood = {lesson.id: Slot(weekday=lesson.weekday, period=lesson.host.period) for lesson in table.lessons}
    raised = (
        Raised(unit=one.unit, lesson=one.lesson, stood=stood[one.lesson], counter=one.counter)
        for one in negotiation.objections
        if one.lesson in stood
    )
    return (*negotiation.raised, *raised)


def propose(negotiation: Negotiation, *, unit: str, by: str, now: float) -> Negotiation:
    """The core school puts the draft before the others; by proposing it agrees."""
    if unit != negotiation.core:
        raise WrongSide(unit, "propose")
    state = _step(negotiation, Event.PROPOSED)
    own = (Consent(unit=unit, answer="agreed", by=by, at=now),) if unit in negotiation.affected else ()
    consents = (*(consent for consent in negotiation.consents if consent.unit != unit), *own)
    proposed = structs.replace(negotiation, state=state, consents=consents, deadline=now + OBJECTION_WINDOW_SECONDS)
    return settle(proposed, now)


def agree(negotiation: Negotiation, *, unit: str, by: str, now: float) -> Negotiation:
    """`unit` agrees to the proposed draft; an earlier objection of its is withdrawn."""
    return _say(negotiation, Consent(unit=unit, answer="agreed", by=by, at=now), now)


def object_to(
    negotiation: Negotiation,
    *,
    unit: str,
    by: str,
    now: float,
    reason: str,
    lesson: str | None = None,
    counter: Slot | None = None,
) -> Negotiation:
    """`unit` objects, with a reason, where it can with the lesson meant and a slot that would suit."""
    if not reason.strip():
        raise ReasonMissing
    if _window_closed(negotiation, now):
        raise WindowClosed(negotiation.deadline or now)
    consent = Consent(unit=unit, answer="objected", by=by, at=now, reason=reason, lesson=lesson, counter=counter)
    return _say(negotiation, consent, now)


def settle(negotiation: Negotiation, now: float) -> Negotiation:
    """Move between proposed and agreed as the policy says; a window that has run out settles a co-built draft."""
    missing = POLICIES[negotiation.mode].missing(negotiation, now)
    if negotiation.state is State.PROPOSED and not missing:
        return structs.replace(negotiation, state=_step(negotiation, Event.SETTLED))
    if negotiation.state is State.AGREED and missing:
        return structs.replace(negotiation, state=_step(negotiation, Event.UNSETTLED))
    return negotiation


def missing(negotiation: Negotiation, now: float) -> tuple[str, ...]:
    """Units that still stand between the proposed draft and its publication."""
    return POLICIES[negotiation.mode].missing(negotiation, now)


def publish(negotiation: Negotiation, *, unit: str, now: float) -> Negotiation:
    """The core school publishes what is agreed."""
    if unit != negotiation.core:
        raise WrongSide(unit, "publish")
    negotiation = settle(negotiation, now)
    return structs.replace(negotiation, state=_step(negotiation, Event.PUBLISHED))


def possible(negotiation: Negotiation, unit: str, now: float) -> tuple[str, ...]:
    """What `unit` may do now, of build, propose, agree, object and publish."""
    negotiation = settle(negotiation, now)
    said = negotiation.answer(unit)
    affected = unit in negotiation.affected and negotiation.state in (State.PROPOSED, State.AGREED)
    core = unit == negotiation.core
    choices = {
        "build": core,
        "propose": core and negotiation.state is State.DRAFT,
        "agree": affected and (said is None or said.answer == "objected"),
        "object": affected and not core and not _window_closed(negotiation, now),
        "publish": core and negotiation.state is State.AGREED,
    }
    return tuple(action for action, possible in choices.items() if possible)


def _window_closed(negotiation: Negotiation, now: float) -> bool:
    """Whether the time to object is over: in a co-built community only, elsewhere no window ends a school's say."""
    return negotiation.mode == "co_built" and negotiation.deadline is not None and now >= negotiation.deadline


def _say(negotiation: Negotiation, consent: Consent, now: float) -> Negotiation:
    if negotiation.state not in (State.PROPOSED, State.AGREED):
        raise NotAllowedNow(negotiation.state, consent.answer)
    if consent.unit not in negotiation.affected:
        raise WrongSide(consent.unit, "answer")
    others = tuple(other for other in negotiation.consents if other.unit != consent.unit)
    return settle(structs.replace(negotiation, consents=(*others, consent)), now)


def _step(negotiation: Negotiation, event: Event) -> State:
    try:
        return TRANSITIONS[negotiation.state, event]
    except KeyError:
        raise NotAllowedNow(negotiation.state, event) from None
