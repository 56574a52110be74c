"""Builds of a community's table: started, watched, stopped; an interrupted one taken as the draft."""

from aiohttp import web

from server.api.timetable import community_of, permit_build
from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import sees_table
from server.auth.principal import Principal
from server.builds import Build
from server.event_stream import stream
from server.keys import builds_key, counties_key, settings_key, timetable_key
from server.shapes.table import BuildView, Revision, StartBuild
from server.web import InvalidBody, body, reply
from timetable.errors import StaleVersion
from timetable.model import Community

routes = web.RouteTableDef()


@routes.get("/api/communities/{community}/builds")
async def listed(request: web.Request) -> web.Response:
    """The builds that are remembered, the newest first."""
    _, community, asker = await community_of(request)
    if asker.kind == "room":
        raise NotPermitted("view_table")
    views: list[BuildView] = [build.view() for build in request.app[builds_key].of(community.id)]
    return reply(request, views)


@routes.post("/api/communities/{community}/builds")
async def start(request: web.Request) -> web.Response:
    """Start the solver; the finished table becomes the draft."""
    wanted = await body(request, StartBuild)
    _, community, asker = await community_of(request)
    permit_build(asker, community)
    longest = request.app[settings_key].timetable.solve_seconds
    if not 1 <= wanted.seconds <= longest:
        raise InvalidBody(f"from 1 to {longest:g}", "$.seconds")
    draft = await request.app[timetable_key].draft(community.id)
    current = draft.revision if draft else 0
    if wanted.revision != current:
        raise StaleVersion(wanted.revision, current)
    started = await request.app[builds_key].start(
        community.id, author=asker.name, revision=wanted.revision, seconds=wanted.seconds
    )
    return reply(request, started.view(), 201)


@routes.get("/api/builds/{build}")
async def show(request: web.Request) -> web.Response:
    return reply(request, (await _build(request))[0].view())


@routes.get("/api/builds/{build}/events")
async def events(request: web.Request) -> web.StreamResponse:
    """The build's progress as server-sent events, each a BuildView; the last one says how it ended."""
    watched, _, _ = await _build(request)
    return await stream(request, watched.watch())


@routes.delete("/api/builds/{build}")
async def stop(request: web.Request) -> web.Response:
    """Stop the solver; the best table so far becomes the draft. One that was interrupted is discarded."""
    watched, community, asker = await _build(request)
    permit_build(asker, community)
    view: BuildView = (await request.app[builds_key].stop(watched.id)).view()
    return reply(request, view)


@routes.post("/api/builds/{build}/take")
async def take(request: web.Request) -> web.Response:
    """Make the best table of an interrupted build the draft."""
    wanted = await body(request, Revision)
    interrupted, community, asker = await _build(request)
    permit_build(asker, community)
    taken = await request.app[builds_key].take(interrupted.id, author=asker.name, revision=wanted.revision)
    return reply(request, taken.view())


async def _build(request: web.Request) -> tuple[Build, Community, Principal]:
    asker = principal(request)
    found = request.app[builds_key].get(request.match_info["build"])
    community = (await request.app[counties_key].now()).community(found.community)
    if asker.kind == "room" or not sees_table(asker, community):
        raise NotPermitted("view_table")
    return found, community, asker
