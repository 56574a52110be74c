"""Changes after publication: asking for one, answering it, the days that result, and cover for an absent teacher."""

import time
from datetime import date, timedelta

from aiohttp import web

from server.amendment_view import amendment_check, amendment_view, cover_view, occurrence_row
from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import permit, sees_table, speaks_for
from server.auth.principal import Principal
from server.keys import amendments_key, counties_key
from server.shapes.amendment import AmendmentAnswer, AmendmentObjection, NewAmendment, NewCover, OpeningsView
from server.web import InvalidBody, body, reply
from timetable.agreement.amendments import Amendment
from timetable.errors import NotFound
from timetable.model import Community, Slot
from timetable.term import local_date

MOST_DAYS = 42
"""How many days one answer holds."""

routes = web.RouteTableDef()


@routes.get("/api/communities/{community}/amendments")
async def show_all(request: web.Request) -> web.Response:
    """The newest first."""
    asker, community = await _reader(request)
    unit, now = _unit(asker, community), time.time()
    found = await request.app[amendments_key].all(community.id)
    clashes = await request.app[amendments_key].clashes(found)
    return reply(request, [amendment_view(one, unit, now, clashes.get(one.number, ())) for one in found])


@routes.post("/api/communities/{community}/amendments")
async def ask(request: web.Request) -> web.Response:
    """`?check=1` only looks."""
    wanted = await body(request, NewAmendment)
    asker, community, unit = await _speaker(request)
    amendments = request.app[amendments_key]
    if request.query.get("check"):
        present, outcome = await amendments.look(community.id, wanted.change)
        return reply(request, amendment_check(present.grounds, community, outcome, unit))
    asked = await amendments.ask(
        community.id, wanted.change, unit=unit, by=asker.name, reason=wanted.reason, version=wanted.version
    )
    return _answer(request, asked, unit, 201)


@routes.post("/api/communities/{community}/amendments/{number}/agree")
async def agree(request: web.Request) -> web.Response:
    wanted = await body(request, AmendmentAnswer)
    asker, community, unit = await _speaker(request)
    changed = await request.app[amendments_key].agree(
        community.id, _number(request), unit=unit, by=asker.name, revision=wanted.revision
    )
    return _answer(request, changed, unit)


@routes.post("/api/communities/{community}/amendments/{number}/object")
async def object_to(request: web.Request) -> web.Response:
    wanted = await body(request, AmendmentObjection)
    asker, community, unit = await _speaker(request)
    counter = None
    if wanted.counter_weekday is not None and wanted.counter_period is not None:
        counter = Slot(weekday=wanted.counter_weekday, period=wanted.counter_period)
    changed = await request.app[amendments_key].object(
        community.id,
        _number(request),
        unit=unit,
        by=asker.name,
        revision=wanted.revision,
        reason=wanted.reason,
        counter=counter,
    )
    return _answer(request, changed, unit)


@routes.post("/api/communities/{community}/amendments/{number}/withdraw")
async def withdraw(request: web.Request) -> web.Response:
    wanted = await body(request, AmendmentAnswer)
    _, community, unit = await _speaker(request)
    changed = await request.app[amendments_key].withdraw(
        community.id, _number(request), unit=unit, revision=wanted.revision
    )
    return _answer(request, changed, unit)


@routes.get("/api/communities/{community}/occurrences")
async def occurrences(request: web.Request) -> web.Response:
    """`?first=DATE&last=DATE`, today by default: what takes place, and what was called off."""
    _, community = await _reader(request)
    present = await request.app[amendments_key].present()
    rows = [
        occurrence_row(present.grounds, standing)
        for day in _days(request)
        for standing in present.tables.on(day)
        if standing.community == community.id
    ]
    return reply(request, rows)


@routes.get("/api/communities/{community}/openings")
async def openings(request: web.Request) -> web.Response:
    """`?occurrence=ID&first=DATE&last=DATE`: where an occurrence could stand, and why not elsewhere."""
    _, community = await _reader(request)
    days = _days(request)
    found = await request.app[amendments_key].openings(
        community.id, request.query.get("occurrence", ""), days[0], days[-1]
    )
    return reply(request, OpeningsView(occurrence=request.query.get("occurrence", ""), openings=tuple(found)))


@routes.post("/api/cover")
async def cover(request: web.Request) -> web.Response:
    """Who could stand in for an absent teacher of the asker's school."""
    wanted = await body(request, NewCover)
    asker = principal(request)
    county = await request.app[counties_key].now()
    teacher = county.teacher(wanted.teacher)
    community = county.community_of(teacher.posts[0])
    permit(asker, "negotiate", units=teacher.posts, community=community.id if community else None)
    first, last = _date(wanted.first), _date(wanted.last)
    _permit_range(first, last)
    plan = await request.app[amendments_key].cover(teacher.id, first, last)
    return reply(request, cover_view(county, plan))


async def _reader(request: web.Request) -> tuple[Principal, Community]:
    asker = principal(request)
    community = (await request.app[counties_key].now()).community(request.match_info["community"])
    if not sees_table(asker, community):
        raise NotPermitted("view_table")
    return asker, community


async def _speaker(request: web.Request) -> tuple[Principal, Community, str]:
    asker, community = await _reader(request)
    unit = _unit(asker, community)
    if unit is None:
        raise NotPermitted("negotiate")
    return asker, community, unit


def _unit(asker: Principal, community: Community) -> str | None:
    return speaks_for(asker, community.core, community.units, community.id)


def _number(request: web.Request) -> int:
    number = request.match_info["number"]
    if not number.isdecimal() or len(number) > 9:
        raise NotFound("amendment", number)
    return int(number)


def _days(request: web.Request) -> list[date]:
    today = local_date(time.time()).isoformat()
    first = _date(request.query.get("first", today))
    last = _date(request.query.get("last", first.isoformat()))
    _permit_range(first, last)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _permit_range(first: date, last: date) -> None:
    if not 0 <= (last - first).days < MOST_DAYS:
        raise InvalidBody(f"at most {MOST_DAYS} days, the first one first", "$.last")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidBody("no such date", "$.first") from error


def _answer(request: web.Request, amendment: Amendment, unit: str, status: int = 200) -> web.Response:
    return reply(request, amendment_view(amendment, unit, time.time()), status)
