"""Who may do what: the one table of permissions for people.

What a person may do inside a lesson follows from the lesson and the table (`signaling.roles`), and what a school may
say in a negotiation from the mode (`timetable.negotiation`); here is what comes before either.
"""

from collections.abc import Collection, Iterable
from typing import Literal

from server.auth.errors import NotPermitted
from server.auth.principal import Principal
from server.county import County
from server.shapes.people import Grant
from timetable.model import Community
from timetable.register.reach import Reach

Action = Literal[
    "view_table",
    "negotiate",
    "import_register",
    "view_people",
    "manage_rooms",
    "view_reviews",
    "watch_recordings",
    "score_reviews",
    "withdraw_consent",
    "open_rehearsal",
    "observe",
    "patrol",
    "create_feed",
    "close_schools",
    "change_members",
    "plan_terms",
    "turn_terms",
]

EVERYBODY = frozenset(
    {"bureau_admin", "bureau_viewer", "convenor", "principal", "academic_director", "teacher", "researcher"}
)

PERMISSIONS: dict[Action, frozenset[str]] = {
    "view_table": EVERYBODY,
    "negotiate": frozenset({"academic_director", "principal", "convenor"}),
    "import_register": frozenset({"bureau_admin", "convenor", "academic_director"}),
    "view_people": frozenset({"bureau_admin", "principal", "academic_director"}),
    "manage_rooms": frozenset({"bureau_admin", "principal", "academic_director"}),
    "view_reviews": EVERYBODY,
    "watch_recordings": frozenset({"convenor", "principal", "academic_director", "teacher", "researcher"}),
    "score_reviews": frozenset({"convenor", "principal", "academic_director", "teacher", "researcher"}),
    "withdraw_consent": frozenset({"bureau_admin", "convenor", "principal", "academic_director"}),
    "open_rehearsal": frozenset({"teacher", "academic_director", "convenor"}),
    "observe": frozenset({"researcher", "principal", "academic_director", "convenor", "teacher"}),
    "patrol": frozenset({"bureau_admin", "bureau_viewer"}),
    "create_feed": EVERYBODY,
    "close_schools": frozenset({"bureau_admin", "convenor", "principal", "academic_director"}),
    "change_members": frozenset({"bureau_admin", "convenor"}),
    "plan_terms": frozenset({"bureau_admin", "convenor", "principal", "academic_director"}),
    "turn_terms": frozenset({"bureau_admin"}),
}
"""Administrators see facts, not pictures: no bureau role may watch recordings."""


def allowed(principal: Principal, action: Action, *, units: Collection[str] = (), community: str | None = None) -> bool:
    """Whether `principal` may do `action` to something that belongs to any of `units` or to `community`.

    A grant reaches the county when it names neither unit nor community. Without `units` and `community` only the
    role counts.
    """
    roles = PERMISSIONS[action]
    return any(grant.role in roles and _reaches(grant, units, community) for grant in principal.grants)


def permit(principal: Principal, action: Action, *, units: Collection[str] = (), community: str | None = None) -> None:
    """Raise NotPermitted unless `allowed`."""
    if not allowed(principal, action, units=units, community=community):
        raise NotPermitted(action)


def sees_table(principal: Principal, community: Community) -> bool:
    """Whether `principal` may read the community's table: its people, and the rooms of its schools."""
    if principal.kind == "room":
        return principal.unit in community.units
    return allowed(principal, "view_table", units=community.units, community=community.id)


def visible_communities(principal: Principal, communities: Iterable[Community]) -> list[Community]:
    """Those whose table `principal` may read, the own one first."""
    seen = [community for community in communities if sees_table(principal, community)]
    return sorted(seen, key=lambda community: principal.unit not in community.units)


def speaks_for(principal: Principal, core: str, units: Collection[str], community: str) -> str | None:
    """The unit of a community in whose name the person negotiates: a director's or principal's own, for the
    convenor the core school; None: no say there."""
    for grant in principal.grants:
        if grant.role in ("academic_director", "principal") and grant.unit in units:
            return grant.unit
    if any(grant.role == "convenor" and grant.community == community for grant in principal.grants):
        return core
    return None


def may_change(principal: Principal, touched: Reach, county: County | None) -> bool:
    """Whether `principal` may change what an import touches: a school its own rows, a convenor those of the community;
    what is the county's the bureau alone."""
    if any(grant.role == "bureau_admin" for grant in principal.grants):
        return True
    if touched.county or county is None:
        return False
    for unit in touched.units:
        home = county.community_of(unit)
        if not allowed(principal, "import_register", units=(unit,), community=home.id if home else None):
            return False
    return True


def _reaches(grant: Grant, units: Collection[str], community: str | None) -> bool:
    if grant.unit is None and grant.community is None:
        return True
    if not units and community is None:
        return True
    return grant.unit in units or (community is not None and grant.community == community)
