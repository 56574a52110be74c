"""This module owns what a signed-in person is to a lesson's recording: teacher, colleague, researcher or stranger.

Pure: from the asker's grants, the lesson's plan and its review. `recordings.release.refusal` decides from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from recordings.release import Office, Standing
from recordings.review import Review
from recordings.withdrawal import NOTHING, Hidden, Naming, hidden_of
from server.auth.policy import PERMISSIONS, allowed
from server.auth.principal import Principal
from server.shapes.people import Grant
from server.storage.people_store import Person
from signaling.plan import SessionPlan

LEADERS = ("academic_director", "principal")


class TaughtLesson(Struct, frozen=True, kw_only=True):
    """Whose lesson it was. Hosts and assistants are persons; `named_*` teachers of the register, from the plan."""

    units: tuple[str, ...]
    """Those that took part."""
    hidden: Hidden = NOTHING
    """What nobody is shown of it, because a class has withdrawn its consent."""
    community: str
    community_units: tuple[str, ...]
    hosts: frozenset[str] = frozenset()
    assistants: frozenset[str] = frozenset()
    named_hosts: frozenset[str] = frozenset()
    named_assistants: frozenset[str] = frozenset()


def lesson_of(
    plan: SessionPlan,
    review: Review | None,
    community_units: Collection[str],
    taught: Iterable[str] = (),
    refusing: Collection[str] = (),
    namings: Iterable[Naming] = (),
) -> TaughtLesson:
    """The lesson as its plan has it and, once it has a review, as it was held: the assistant of a class that was not
    there was not recorded. `taught`: who is in it, while there is no review yet; `refusing`: classes whose
    last word on being recorded is no; `namings`: what names pupils in the review."""
    hosts = review.parts[0].teachers if review is not None and review.parts else ()
    absent = {part.unit for part in review.parts[1:] if not part.attended} if review is not None else set()
    return TaughtLesson(
        units=plan.units,
        hidden=hidden_of(plan.parts, refusing, namings),
        community=plan.community,
        community_units=tuple(community_units),
        hosts=frozenset(hosts),
        assistants=frozenset(review.taught if review is not None else taught),
        named_hosts=frozenset(plan.host.teachers),
        named_assistants=frozenset(
            teacher for part in plan.members if part.unit not in absent for teacher in part.teachers
        ),
    )


def standing(asker: Principal, lesson: TaughtLesson) -> Standing:
    """What the asker is to the lesson. A paired room is nobody's teacher and holds no office."""
    if asker.kind != "person":
        return Standing(person=asker.id)
    leads = any(grant.role in LEADERS and grant.unit in lesson.units for grant in asker.grants)
    if asker.id in lesson.hosts or asker.teacher in lesson.named_hosts:
        return Standing(person=asker.id, teaches="hosts", office=_office(asker.grants, lesson), leads=leads)
    assists = asker.id in lesson.assistants or asker.teacher in lesson.named_assistants
    return Standing(
        person=asker.id, teaches="assists" if assists else "no", office=_office(asker.grants, lesson), leads=leads
    )


def researchers(people: Iterable[Person], lesson: TaughtLesson) -> list[Person]:
    """Who can be invited: the researchers of the lesson's community and of the county."""
    return [
        person
        for person in people
        if person.active
        and any(grant.role == "researcher" and _reach(grant, lesson) != "none" for grant in person.grants)
    ]


def may_write(asker: Principal, lesson: TaughtLesson) -> bool:
    """Whether the asker may comment and score: who sat in the lesson or watched it live needs no recording."""
    return asker.kind == "person" and allowed(asker, "score_reviews", units=lesson.units, community=lesson.community)


def _office(grants: Iterable[Grant], lesson: TaughtLesson) -> Office:
    ranks: tuple[Office, ...] = ("none", "facts", "community", "unit")
    found: list[Office] = ["none"]
    for grant in grants:
        reach = _reach(grant, lesson)
        watches = grant.role in PERMISSIONS["watch_recordings"]
        found.append(reach if watches or reach == "none" else "facts")
    return max(found, key=ranks.index)


def _reach(grant: Grant, lesson: TaughtLesson) -> Office:
    if grant.unit is not None:
        if grant.unit in lesson.units:
            return "unit"
        return "community" if grant.unit in lesson.community_units else "none"
    return "community" if grant.community in (None, lesson.community) else "none"
