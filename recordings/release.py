"""This module owns who may watch what was recorded of a lesson, and who may change that.

A recording belongs to the teachers of its lesson until the host shares it: with the units that took part, then with the
whole community and its researchers; single researchers are invited by name. Everything here is pure, and every way to
recorded pictures, voices and single answers asks `refusal` and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from recordings.errors import InvalidEntry, NotYoursToShare, VersionConflict
from recordings.review import Dossier, Release, Scope

MOST_INVITED = 20

WIDER: Mapping[Scope, int] = {"teachers": 0, "units": 1, "community": 2}
"""How far each scope reaches, the widest last."""

Office = Literal["none", "facts", "community", "unit"]
"""Where a person's office, not the lesson itself, puts them: nowhere, with those who see facts and no pictures, in the
community or its research group, in a unit that took part."""

Withheld = Literal["not_involved", "facts_only", "not_shared", "units_only"]
"""Why somebody may not watch: nothing to do with the lesson; an office that sees no pictures; only the lesson's
teachers have it; only the units that took part have it."""


class Standing(Struct, frozen=True, kw_only=True):
    """What a person is to a lesson. `leads`: a unit that took part."""

    person: str
    teaches: Literal["no", "assists", "hosts"] = "no"
    office: Office = "none"
    leads: bool = False


class ReleaseChanged(Struct, frozen=True, kw_only=True, tag="release_changed", tag_field="type"):
    """The event in the session's journal."""

    review: str
    scope: Scope
    invited: tuple[str, ...]
    by: str


def refusal(standing: Standing, release: Release) -> Withheld | None:
    """Why the person may not watch; None: they may."""
    if standing.teaches != "no":
        return None
    if standing.office == "none":
        return "not_involved"
    if standing.office == "facts":
        return "facts_only"
    if release.scope == "community" or standing.person in release.invited:
        return None
    if release.scope == "units":
        return None if standing.office == "unit" else "units_only"
    return "not_shared"


def scopes_open_to(standing: Standing, release: Release) -> tuple[Scope, ...]:
    """The scopes that the person may set: the host any, who assists or leads a unit that took part only narrower ones
    or, to take back an invitation, the one that stands."""
    if standing.teaches == "hosts":
        return tuple(WIDER)
    if standing.teaches == "assists" or standing.leads:
        return tuple(scope for scope in WIDER if WIDER[scope] <= WIDER[release.scope])
    return ()


def change(
    dossier: Dossier, standing: Standing, wanted: Release, invitable: Sequence[str], *, expected: int
) -> Dossier:
    """Share, or take back; the number of changes must still be `expected`.

    Only who is in `invitable` can be invited anew. A closed review's recording is shared and taken back like another's.
    Raises NotYoursToShare, VersionConflict, InvalidEntry.
    """
    before = dossier.release
    fresh = [person for person in wanted.invited if person not in before.invited]
    if wanted.scope not in scopes_open_to(standing, before) or (fresh and standing.teaches != "hosts"):
        raise NotYoursToShare(dossier.review.id, standing.person)
    if len(dossier.releases) != expected:
        raise VersionConflict(dossier.review.id, expected, len(dossier.releases))
    if fresh and len(wanted.invited) > MOST_INVITED:
        raise InvalidEntry("invited", "too_many")
    if any(person not in invitable for person in fresh):
        raise InvalidEntry("invited", "unknown_person")
    invited = tuple(sorted(set(wanted.invited)))
    if (wanted.scope, invited) == (before.scope, before.invited):
        return dossier
    return replace(dossier, releases=(*dossier.releases, replace(wanted, invited=invited)))
