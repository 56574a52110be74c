"""Why there is no table: a search for concessions, started, watched, cancelled; and making one of them."""

from collections.abc import AsyncIterator

from aiohttp import web

from server.api.timetable import community_of, permit_build
from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import may_change, sees_table
from server.auth.principal import Principal
from server.county import County
from server.event_stream import stream
from server.explanations import Explaining, ExplanationState, Verified
from server.keys import counties_key, explanations_key
from server.shapes.explanation import Conceded, ConcessionView, ExplanationView, MissingLessons, StartExplanation
from server.web import InvalidBody, body, reply
from timetable.errors import NotFound
from timetable.titles import requirement_title

LONGEST = 600
"""Seconds: the solver takes every core that it is allowed."""

routes = web.RouteTableDef()


@routes.post("/api/communities/{community}/explanations")
async def explain(request: web.Request) -> web.Response:
    """Look for what would have to be conceded for a table to exist."""
    wanted = await body(request, StartExplanation)
    county, community, asker = await community_of(request)
    permit_build(asker, community)
    if not 1 <= wanted.seconds <= LONGEST:
        raise InvalidBody(f"from 1 to {LONGEST}", "$.seconds")
    started = await request.app[explanations_key].start(community.id, seconds=wanted.seconds)
    return reply(request, _view(started, started.view(), county, asker), 201)


@routes.get("/api/communities/{community}/explanations")
async def listed(request: web.Request) -> web.Response:
    """The searches that are remembered, the newest first."""
    county, community, asker = await community_of(request)
    if asker.kind == "room":
        raise NotPermitted("view_table")
    known = request.app[explanations_key].of(community.id)
    return reply(request, [_view(one, one.view(), county, asker) for one in known])


@routes.get("/api/explanations/{explanation}")
async def show(request: web.Request) -> web.Response:
    watched, county, asker = await _explaining(request)
    return reply(request, _view(watched, watched.view(), county, asker))


@routes.get("/api/explanations/{explanation}/events")
async def events(request: web.Request) -> web.StreamResponse:
    """The concessions as they are found, as server-sent events, each an ExplanationView."""
    watched, county, asker = await _explaining(request)

    async def views() -> AsyncIterator[ExplanationView]:
        async for state in watched.watch():
            yield _view(watched, state, county, asker)

    return await stream(request, views())


@routes.delete("/api/explanations/{explanation}")
async def cancel(request: web.Request) -> web.Response:
    """Stop looking; what was found stays."""
    watched, county, asker = await _explaining(request)
    permit_build(asker, county.community(watched.community))
    await watched.process.stop()
    return reply(request, _view(watched, watched.view(), county, asker))


@routes.post("/api/explanations/{explanation}/concessions/{number}")
async def concede(request: web.Request) -> web.Response:
    """Make the concession in the register; refused where somebody changed the register since."""
    watched, county, asker = await _explaining(request)
    permit_build(asker, county.community(watched.community))
    number = request.match_info["number"]
    if not number.isdecimal():
        raise NotFound("concession", number[:20])
    report = await request.app[explanations_key].concede(
        watched.id, int(number[:9]), author=asker.name, may=lambda touched: may_change(asker, touched, county)
    )
    return reply(request, Conceded(version=report.version or 0))


async def _explaining(request: web.Request) -> tuple[Explaining, County, Principal]:
    asker = principal(request)
    found = request.app[explanations_key].get(request.match_info["explanation"])
    county = await request.app[counties_key].now()
    if asker.kind == "room" or not sees_table(asker, county.community(found.community)):
        raise NotPermitted("view_table")
    return found, county, asker


def _view(explaining: Explaining, state: ExplanationState, county: County, asker: Principal) -> ExplanationView:
    ranked = sorted(enumerate(state.concessions), key=lambda numbered: numbered[1].concession.price)
    return ExplanationView(
        id=explaining.id,
        community=explaining.community,
        state=state.state,
        phase=state.phase,
        seconds=state.seconds,
        limit=explaining.limit,
        tried=state.tried,
        of=state.of,
        feasible=state.feasible,
        complete=state.complete,
        findings=state.findings,
        missing=tuple(MissingLessons(title=_title(county, id), lessons=count) for id, count in state.missing.items()),
        concessions=tuple(_concession(number, one, county, asker) for number, one in ranked),
    )


def _concession(number: int, verified: Verified, county: County, asker: Principal) -> ConcessionView:
    concession = verified.concession
    return ConcessionView(
        number=number,
        kind=concession.kind,
        price=concession.price,
        finding=concession.finding,
        units=tuple(sorted(verified.touched.units)),
        may=may_change(asker, verified.touched, county),
    )


def _title(county: County, id: str) -> str:
    """Subject, schools and classes of a requirement: 科学 西河 五(2)班、固隆 五(1)班."""
    requirement = next((one for one in county.register.requirements if one.id == id), None)
    if requirement is None:
        return id
    return requirement_title(county.register, requirement)
