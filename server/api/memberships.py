"""Schools that join or leave a community in mid-term."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

from aiohttp import web

from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import allowed, permit, sees_table
from server.auth.principal import Principal
from server.county import County
from server.event_stream import stream
from server.keys import counties_key, importing_key, membership_searches_key, memberships_key, timetable_key
from server.membership_course import Fitted
from server.membership_searches import MembershipSearch, SearchState
from server.shapes.membership import (
    MembershipOutcome,
    MembershipRow,
    MembershipSearchView,
    MembershipsView,
    NewMembership,
)
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
    search = request.app[membership_searches_key].shown(community.id)
    if search is not None and not _sees(asker, community, search):
        search = None
    view = MembershipsView(
        community=community.id,
        core=community.core,
        units=tuple(_name(unit) for unit in county.units_of(community)),
        unattached=tuple(_name(unit) for unit in county.register.units if unit.id not in attached),
        changes=tuple(rows),
        revision=draft.revision if draft else 0,
        may_change=may,
        search=_search(search, search.view()) if search else None,
        looked=search.change if search and may else None,
    )
    return reply(request, view)


@routes.post("/api/communities/{community}/membership")
async def change(request: web.Request) -> web.Response:
    """Begins a search. `?check=1` only looks; otherwise the table that fits becomes the draft, to be agreed on by those
    concerned."""
    asker, _, community = await _reader(request)
    permit(asker, "change_members", units=community.units, community=community.id)
    wanted = await body(request, NewMembership, BODY_LIMIT)
    searches = request.app[membership_searches_key]
    if request.query.get("check"):
        search = searches.look(community.id, wanted.change, by=asker.name)
    else:
        search = await searches.plan(community.id, wanted.change, by=asker.name, revision=wanted.revision)
    return reply(request, _search(search, search.view()), 202)


@routes.post("/api/communities/{community}/membership/{change}/withdraw")
async def withdraw(request: web.Request) -> web.Response:
    """Begins to take a change back; the table that fits without it becomes the draft."""
    asker, _, community = await _reader(request)
    permit(asker, "change_members", units=community.units, community=community.id)
    wanted = await body(request, Revision)
    search = await request.app[membership_searches_key].withdraw(
        community.id, request.match_info["change"], by=asker.name, revision=wanted.revision
    )
    return reply(request, _search(search, search.view()), 202)


@routes.get("/api/membership-searches/{search}")
async def show_search(request: web.Request) -> web.Response:
    search, _ = await _searching(request)
    return reply(request, _search(search, search.view()))


@routes.get("/api/membership-searches/{search}/events")
async def events(request: web.Request) -> web.StreamResponse:
    """How far it is, as server-sent events, each a MembershipSearchView."""
    search, _ = await _searching(request)

    async def views() -> AsyncIterator[MembershipSearchView]:
        async for state in search.watch():
            yield _search(search, state)

    return await stream(request, views())


@routes.delete("/api/membership-searches/{search}")
async def cancel(request: web.Request) -> web.Response:
    """Stop it; nothing is kept."""
    search, community = await _searching(request)
    permit(principal(request), "change_members", units=community.units, community=community.id)
    await search.process.stop()
    return reply(request, _search(search, search.view()))


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


async def _searching(request: web.Request) -> tuple[MembershipSearch, Community]:
    asker = principal(request)
    search = request.app[membership_searches_key].get(request.match_info["search"])
    community = (await request.app[counties_key].now()).community(search.community)
    if asker.kind == "room" or not sees_table(asker, community):
        raise NotPermitted("view_table")
    if not _sees(asker, community, search):
        raise NotPermitted("change_members")
    return search, community


def _sees(asker: Principal, community: Community, search: MembershipSearch) -> bool:
    """Which school somebody only thinks of is not for all to see: what is put before the schools is."""
    return search.wanted != "look" or _may(asker, community)


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


def _search(search: MembershipSearch, state: SearchState) -> MembershipSearchView:
    return MembershipSearchView(
        id=search.id,
        community=search.community,
        wanted=search.wanted,
        kind="leave" if isinstance(search.change, Leave) else "join",
        unit=search.change.unit,
        first=search.change.first,
        by=search.by,
        state=state.state,
        seconds=state.seconds,
        limit=search.limit,
        step=state.step,
        of=state.of,
        rung=state.rung,
        found=state.found,
        outcome=_outcome(state.fitted) if state.fitted else None,
        error=state.error,
        findings=state.findings,
    )
