"""The shared timetable of a community: reading it, agreeing on it, publishing it."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Protocol

import msgspec
from aiohttp import web

from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import sees_table, speaks_for
from server.auth.principal import Principal
from server.county import County
from server.keys import amendments_key, counties_key, registers_key, repairs_key, timetable_key
from server.shapes.table import LedgerView, Objection, Revision, TermChoice, TimetableView
from server.table_view import timetable_view
from server.web import InvalidBody, body, reply
from timetable.agreement.ledger import ledger
from timetable.errors import NotFound
from timetable.model import Community, Slot, Term
from timetable.term import local_date

routes = web.RouteTableDef()


@routes.get("/api/communities/{community}/timetable")
async def show(request: web.Request) -> web.Response:
    """`?version=N`, `?version=draft`, or the newest version, else the draft; `?term=ID` of an earlier term."""
    _, community, asker = await community_of(request)
    wanted, term = request.query.get("version", ""), request.query.get("term", "")
    return reply(request, await view_of(request, community, asker, wanted, term))


@routes.get("/api/communities/{community}/ledger")
async def gave_way(request: web.Request) -> web.Response:
    """Who gave way, how often, as the version or the draft stands that `show` gives for the same query."""
    county, community, asker = await community_of(request)
    view = await view_of(request, community, asker, request.query.get("version", ""))
    history = await request.app[timetable_key].history(community.id)
    amended = await request.app[amendments_key].all(community.id)
    on = local_date(time.time()).isoformat()
    rows = await asyncio.to_thread(ledger, county.register, community, view.lessons, history, amended, on)
    return reply(request, LedgerView(rows=rows))


@routes.post("/api/communities/{community}/propose")
async def propose(request: web.Request) -> web.Response:
    return await _said(request, "draft", request.app[timetable_key].propose)


@routes.post("/api/communities/{community}/agree")
async def agree(request: web.Request) -> web.Response:
    return await _said(request, "draft", request.app[timetable_key].agree)


@routes.post("/api/communities/{community}/publish")
async def publish(request: web.Request) -> web.Response:
    return await _said(request, "", request.app[timetable_key].publish)


@routes.post("/api/communities/{community}/object")
async def object_to(request: web.Request) -> web.Response:
    wanted = await body(request, Objection)
    _, community, asker = await community_of(request)
    draft = await request.app[timetable_key].draft(community.id)
    known = {lesson.id for lesson in draft.table.lessons} if draft else set()
    if wanted.lesson is not None and wanted.lesson not in known:
        raise NotFound("lesson", wanted.lesson[:96])
    await request.app[timetable_key].object(
        community.id,
        unit=_speaker(asker, community),
        by=asker.name,
        revision=wanted.revision,
        reason=wanted.reason,
        lesson=wanted.lesson,
        counter=_counter(wanted),
    )
    return reply(request, await view_of(request, community, asker, "draft"))


class _Step(Protocol):
    """A step of the negotiation by one unit, such as `TimetableService.agree`."""

    def __call__(self, community: str, *, unit: str, by: str, revision: int) -> Awaitable[object]: ...


async def _said(request: web.Request, shown: str, step: _Step) -> web.Response:
    """Take the step in the name of the asker's unit, and show the table that stands then."""
    wanted = await body(request, Revision)
    _, community, asker = await community_of(request)
    await step(community.id, unit=_speaker(asker, community), by=asker.name, revision=wanted.revision)
    return reply(request, await view_of(request, community, asker, shown))


async def community_of(request: web.Request) -> tuple[County, Community, Principal]:
    asker = principal(request)
    county = await request.app[counties_key].now()
    community = county.community(request.match_info["community"])
    if not sees_table(asker, community):
        raise NotPermitted("view_table")
    return county, community, asker


def _speaker(asker: Principal, community: Community) -> str:
    unit = speaks_for(asker, community.core, community.units, community.id)
    if unit is None:
        raise NotPermitted("negotiate")
    return unit


def permit_build(asker: Principal, community: Community) -> None:
    if _speaker(asker, community) != community.core:
        raise NotPermitted("build")


def _counter(wanted: Objection) -> Slot | None:
    """The slot that would suit, checked here: what is kept must be readable for good."""
    if wanted.counter_weekday is None and wanted.counter_period is None:
        return None
    slot = {"weekday": wanted.counter_weekday, "period": wanted.counter_period}
    try:
        return msgspec.convert(slot, Slot)
    except msgspec.ValidationError as error:
        raise InvalidBody("no period of the week", "$.counterPeriod") from error


async def view_of(
    request: web.Request, community: Community, asker: Principal, wanted: str, term: str = ""
) -> TimetableView:
    tables, county = request.app[timetable_key], await request.app[counties_key].now()
    known = await request.app[registers_key].terms()
    if term not in ("", county.register.term.id):
        county = await _county_then(request, known, term)
        community = county.community(community.id)
    over = county.register.term.id != known[0][0].id
    draft = None if over else await tables.draft(community.id)
    history = await tables.history(community.id, county.register.term.id)
    shown = history[0] if history else None
    if wanted == "draft" and draft is not None:
        shown = None
    elif wanted not in ("", "draft"):
        shown = next((version for version in history if str(version.number) == wanted), None)
        if shown is None:
            raise NotFound("version", wanted[:20])
    steps = await request.app[repairs_key].steps(community.id) if shown is None else None
    now = time.time()
    return timetable_view(
        county,
        community,
        draft=draft,
        shown=shown,
        history=history,
        asker=asker,
        steps=steps,
        terms=[TermChoice(id=one.id, name=one.name) for one, _ in known],
        today=local_date(now),
        now=now,
    )


async def _county_then(request: web.Request, known: Sequence[tuple[Term, int]], term: str) -> County:
    """The county as it was at the end of an earlier term."""
    number = next((number for one, number in known if one.id == term), None)
    if number is None:
        raise NotFound("term", term[:96])
    return County(await request.app[registers_key].at(number))
