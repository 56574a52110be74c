"""Schools that join or leave a community in mid-term."""

import asyncio
from datetime import date

from aiohttp import web

from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import allowed, permit, sees_table
from server.auth.principal import Principal
from server.county import County
from server.keys import counties_key, importing_key, memberships_key, timetable_key
from server.memberships import Fitted
from server.shapes.membership import MembershipOutcome, MembershipRow, MembershipsView, NewMembership
from server.shapes.repair import MoveView
from server.shapes.table import NameRef, Revision
from server.storage.membership_store import MembershipChange
from server.uploads import takes_place, uploaded_files
from server.web import InvalidBody, body, reply
from timetable.model import Community, SchoolUnit
from timetable.years.membership import Leave, brought

BODY_LIMIT = 4 * 1024 * 1024

routes = web.RouteTableDef()


@routes.get("/api/communities/{community}/membership")
async def show(request: web.Request) -> web.Response:
    asker, county, community = await _reader(request)
    draft = await request.app[timetable_key].draft(community.id)
    found = await request.app[memberships_key].of(community.id)
    may = _may(asker, community)
    memberships = request.app[memberships_key]
    rows = [_row(county, one, may and await memberships.may_withdraw(one)) for one in found]
    attached = {unit for known in county.register.communities for unit in known.units}
    view = MembershipsView(
        community=community.id,
        core=community.core,
        units=tuple(_name(unit) for unit in county.units_of(community)),
        unattached=tuple(_name(unit) for unit in county.register.units if unit.id not in attached),
        changes=tuple(rows),
        revision=draft.revision if draft else 0,
        may_change=may,
    )
    return reply(request, view)


@routes.post("/api/communities/{community}/membership")
async def change(request: web.Request) -> web.Response:
    """`?check=1` only looks; otherwise the table that fits becomes the draft, to be agreed on by those concerned."""
    asker, _, community = await _reader(request)
    permit(asker, "change_members", units=community.units, community=community.id)
    wanted = await body(request, NewMembership, BODY_LIMIT)
    memberships = request.app[memberships_key]
    if request.query.get("check"):
        return reply(request, _outcome(await memberships.look(community.id, wanted.change)))
    found, _ = await memberships.plan(community.id, wanted.change, by=asker.name, revision=wanted.revision)
    return reply(request, _outcome(found), 201)


@routes.post("/api/communities/{community}/membership/{change}/withdraw")
async def withdraw(request: web.Request) -> web.Response:
    """Take a change back; the table that fits without it becomes the draft."""
    asker, _, community = await _reader(request)
    permit(asker, "change_members", units=community.units, community=community.id)
    wanted = await body(request, Revision)
    found = await request.app[memberships_key].withdraw(
        community.id, request.match_info["change"], by=asker.name, revision=wanted.revision
    )
    return reply(request, _outcome(found))


@routes.post("/api/communities/{community}/membership/files")
@takes_place
async def read_files(request: web.Request) -> web.Response:
    """What the schools' own sheets would bring, as a `join` from `?first=DATE` on; nothing is taken."""
    asker, _, community = await _reader(request)
    permit(asker, "change_members", units=community.units, community=community.id)
    files = await uploaded_files(request)
    first = request.query.get("first", "")
    try:
        date.fromisoformat(first)
    except ValueError as error:
        raise InvalidBody("a date such as 2026-08-31", "?first") from error
    standing, planned = await request.app[importing_key].planned(files)
    return reply(request, await asyncio.to_thread(brought, standing, planned, community.id, first))


async def _reader(request: web.Request) -> tuple[Principal, County, Community]:
    asker = principal(request)
    county = await request.app[counties_key].now()
    community = county.community(request.match_info["community"])
    if asker.kind == "room" or not sees_table(asker, community):
        raise NotPermitted("view_table")
    return asker, county, community


def _may(asker: Principal, community: Community) -> bool:
    return allowed(asker, "change_members", units=community.units, community=community.id)


def _name(unit: SchoolUnit) -> NameRef:
    return NameRef(id=unit.id, name=unit.name, unit=unit.id)


def _row(county: County, change: MembershipChange, may_withdraw: bool) -> MembershipRow:
    return MembershipRow(
        id=change.id,
        kind="leave" if isinstance(change.change, Leave) else "join",
        unit=change.change.unit,
        unit_name=county.unit_short(change.change.unit),
        first=change.change.first,
        by=change.by,
        at=change.at,
        state=change.state,
        may_withdraw=may_withdraw,
    )


def _outcome(found: Fitted) -> MembershipOutcome:
    told = found.report
    return MembershipOutcome(
        possible=told.possible,
        findings=told.findings,
        moves=tuple(MoveView(lesson=one.lesson, source=one.source, target=one.target) for one in told.moves),
        added=told.added,
        dropped=told.dropped,
        changed=told.changed,
        kept=told.kept,
        seconds=told.seconds,
    )
