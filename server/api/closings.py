"""Sudden closings of schools: declaring one, opening again, and what makes up for the lessons that it took."""

import time

from aiohttp import web

from server.amendment_view import amendment_view
from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import allowed, permit, sees_table, speaks_for, visible_communities
from server.auth.principal import Principal
from server.closing_view import closing_view, week_view
from server.county import County
from server.keys import amendments_key, closings_key, counties_key
from server.shapes.closing import (
    ClosableCommunity,
    ClosingRevision,
    ClosingsView,
    ClosingView,
    GivenDays,
    MakeUpAnswer,
    MakeUpPlanView,
    NewClosing,
    NewMakeUps,
    NewOwnMakeUps,
    OwnMakeUpPlanView,
)
from server.shapes.table import NameRef
from server.web import InvalidBody, body, reply
from timetable.agreement.amendment_policy import consent_of
from timetable.agreement.amendments import AmendmentRefused
from timetable.days.changes import MakeUp, MakeUpOwn, MakeUpPlace
from timetable.days.closings import Closing
from timetable.errors import NotFound
from timetable.model import Community

routes = web.RouteTableDef()


@routes.get("/api/closings")
async def show_all(request: web.Request) -> web.Response:
    """Those that concern communities whose table the asker sees, the newest first."""
    asker = principal(request)
    county = await request.app[counties_key].now()
    seen = {unit for community in visible_communities(asker, county.register.communities) for unit in community.units}
    begins = county.register.term.first_day
    every = await request.app[closings_key].all()
    found = [one for one in every if one.last >= begins and seen.intersection(one.units)]
    views = [await _view(request, asker, county, one, may=_may(asker, county, one)) for one in found]
    own = set(_closable(asker, county))
    closable = tuple(
        ClosableCommunity(
            community=community.id,
            name=community.name,
            units=tuple(
                NameRef(id=unit.id, name=unit.name, unit=unit.id)
                for unit in county.units_of(community)
                if unit.id in own
            ),
        )
        for community in visible_communities(asker, county.register.communities)
        if own.intersection(community.units)
    )
    view = ClosingsView(closings=tuple(views), closable=closable, weekdays=county.register.weekdays)
    return reply(request, view)


@routes.post("/api/closings")
async def declare(request: web.Request) -> web.Response:
    """`?check=1` only looks."""
    wanted = await body(request, NewClosing)
    asker = principal(request)
    county = await request.app[counties_key].now()
    units = tuple(dict.fromkeys(wanted.units)) or _closable(asker, county)
    if not units:
        raise NotPermitted("close_schools")
    for unit in units:
        _permit(asker, county, county.unit(unit).id)
    closing = Closing(
        id="new",
        units=units,
        first=wanted.first,
        last=wanted.last,
        start=wanted.start,
        end=wanted.end,
        reason=wanted.reason.strip() or wanted.reason,
        make_up_days=wanted.make_up_days,
        by=asker.name,
        at=0.0,
    )
    closings = request.app[closings_key]
    if request.query.get("check"):
        looked, losses = await closings.look(closing)
        return reply(request, closing_view(county, looked, losses, may=False, kept=False))
    declared, losses = await closings.declare(closing)
    plans_for = _plans_for(asker, county, declared)
    return reply(request, closing_view(county, declared, losses, may=True, plans_for=plans_for), 201)


@routes.post("/api/closings/{closing}/reopen")
async def reopen(request: web.Request) -> web.Response:
    """The schools open again; what has not begun takes place."""
    wanted = await body(request, ClosingRevision)
    asker, county, closing = await _own(request)
    changed = await request.app[closings_key].reopen(closing.id, by=asker.name, revision=wanted.revision)
    return reply(request, await _view(request, asker, county, changed, may=True))


@routes.put("/api/closings/{closing}/make-up-days")
async def give_days(request: web.Request) -> web.Response:
    """On which free days lost lessons may be made up."""
    wanted = await body(request, GivenDays)
    asker, county, closing = await _own(request)
    changed = await request.app[closings_key].give_days(closing.id, wanted.make_up_days, revision=wanted.revision)
    return reply(request, await _view(request, asker, county, changed, may=True))


@routes.get("/api/communities/{community}/closings/{closing}/make-ups")
async def make_ups(request: web.Request) -> web.Response:
    """When each lost shared lesson could be held instead."""
    asker, community = await _reader(request)
    plan = await request.app[closings_key].plan(community.id, request.match_info["closing"])
    newest = (await request.app[amendments_key].in_force()).newest(community.id)
    return reply(
        request,
        MakeUpPlanView(
            plan=plan,
            version=newest.number if newest else 0,
            may_ask=_unit(asker, community) is not None,
        ),
    )


@routes.post("/api/communities/{community}/closings/{closing}/make-ups")
async def take(request: web.Request) -> web.Response:
    """Ask for choices of the plan, each as an amendment of its own; one that does not fit keeps back no other."""
    wanted = await body(request, NewMakeUps)
    asker, community = await _reader(request)
    unit = _unit(asker, community)
    if unit is None:
        raise NotPermitted("negotiate")
    closing = await request.app[closings_key].get(request.match_info["closing"])
    answers = []
    for choice in wanted.choices:
        change = MakeUp(occurrence=choice.occurrence, date=choice.date, period=choice.period)
        try:
            asked = await request.app[amendments_key].ask(
                community.id,
                change,
                unit=unit,
                by=asker.name,
                reason=wanted.reason.strip() or closing.reason,
                version=wanted.version,
            )
        except AmendmentRefused as refused:
            answers.append(MakeUpAnswer(occurrence=choice.occurrence, findings=refused.findings))
        else:
            view = amendment_view(asked, unit, time.time())
            answers.append(MakeUpAnswer(occurrence=choice.occurrence, amendment=view))
    return reply(request, answers, 201)


@routes.get("/api/communities/{community}/closings/{closing}/make-ups/{unit}")
async def own_make_ups(request: web.Request) -> web.Response:
    """When each lesson that the unit lost of its own could be held instead."""
    asker, community = await _reader(request)
    unit = _member(request, community)
    plan = await request.app[closings_key].own_plan(community.id, unit, request.match_info["closing"])
    newest = (await request.app[amendments_key].in_force()).newest(community.id)
    asks = _asks_for(asker, community, unit)
    return reply(
        request,
        OwnMakeUpPlanView(
            plan=plan,
            version=newest.number if newest else 0,
            may_ask=asks is not None,
            consent=consent_of(community, unit, asks=asks) if asks is not None else "none",
        ),
    )


@routes.post("/api/communities/{community}/closings/{closing}/make-ups/{unit}")
async def take_own(request: web.Request) -> web.Response:
    """Hold lessons that the unit lost of its own on other dates: one amendment, which asks at most that unit."""
    wanted = await body(request, NewOwnMakeUps)
    asker, community = await _reader(request)
    unit = _member(request, community)
    asks = _asks_for(asker, community, unit)
    if asks is None:
        raise NotPermitted("negotiate")
    closing = await request.app[closings_key].get(request.match_info["closing"])
    lessons = tuple(
        MakeUpPlace(occurrence=choice.occurrence, date=choice.date, period=choice.period) for choice in wanted.choices
    )
    asked = await request.app[amendments_key].ask(
        community.id,
        MakeUpOwn(unit=unit, lessons=lessons),
        unit=asks,
        by=asker.name,
        reason=wanted.reason.strip() or closing.reason,
        version=wanted.version,
    )
    return reply(request, amendment_view(asked, asks, time.time()), 201)


@routes.get("/api/communities/{community}/week")
async def week(request: web.Request) -> web.Response:
    """`?week=N&version=N`: the community's lessons on the dates of a term week, against a published version."""
    _, community = await _reader(request)
    county = await request.app[counties_key].now()
    present = await request.app[amendments_key].present()
    versions = present.tables.versions(community.id)
    wanted = request.query.get("version", "")
    shown = (
        next((one for one in versions if str(one.number) == wanted), None)
        if wanted
        else present.tables.newest(community.id)
    )
    if shown is None:
        raise NotFound("version", wanted[:20])
    number = request.query.get("week", "")
    if not number.isdecimal() or not 1 <= int(number) <= 60:
        raise InvalidBody("a week of the term", "$.week")
    return reply(request, week_view(county, community, present.grounds, present.tables, shown, int(number)))


async def _view(request: web.Request, asker: Principal, county: County, closing: Closing, *, may: bool) -> ClosingView:
    losses = await request.app[closings_key].losses(closing)
    return closing_view(county, closing, losses, may=may, plans_for=_plans_for(asker, county, closing))


def _plans_for(asker: Principal, county: County, closing: Closing) -> tuple[str, ...]:
    homes = ((unit, county.community_of(unit)) for unit in closing.units)
    return tuple(unit for unit, home in homes if home is not None and _asks_for(asker, home, unit) is not None)


async def _reader(request: web.Request) -> tuple[Principal, Community]:
    asker = principal(request)
    community = (await request.app[counties_key].now()).community(request.match_info["community"])
    if not sees_table(asker, community):
        raise NotPermitted("view_table")
    return asker, community


def _member(request: web.Request, community: Community) -> str:
    unit = request.match_info["unit"]
    if unit not in community.units:
        raise NotFound("unit", unit)
    return unit


async def _own(request: web.Request) -> tuple[Principal, County, Closing]:
    """The closing, all of whose schools the asker may close and open."""
    asker = principal(request)
    if not allowed(asker, "close_schools"):
        raise NotPermitted("close_schools")
    county = await request.app[counties_key].now()
    closing = await request.app[closings_key].get(request.match_info["closing"])
    if not _may(asker, county, closing):
        raise NotPermitted("close_schools")
    return asker, county, closing


def _unit(asker: Principal, community: Community) -> str | None:
    return speaks_for(asker, community.core, community.units, community.id)


def _asks_for(asker: Principal, community: Community, unit: str) -> str | None:
    """The unit in whose name the asker may ask for `unit`'s own make-ups: the school itself, or the core school, which
    may ask for any change; the mode says whether the school is heard then. None: the asker may not."""
    speaks = _unit(asker, community)
    return speaks if speaks in (unit, community.core) else None


def _may(asker: Principal, county: County, closing: Closing) -> bool:
    return all(_reaches(asker, county, unit) for unit in closing.units)


def _closable(asker: Principal, county: County) -> tuple[str, ...]:
    return tuple(unit.id for unit in county.register.units if _reaches(asker, county, unit.id))


def _reaches(asker: Principal, county: County, unit: str) -> bool:
    community = county.community_of(unit)
    return allowed(asker, "close_schools", units=(unit,), community=community.id if community else None)


def _permit(asker: Principal, county: County, unit: str) -> None:
    community = county.community_of(unit)
    permit(asker, "close_schools", units=(unit,), community=community.id if community else None)
