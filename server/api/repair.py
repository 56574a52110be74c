"""Moving lessons of a draft: which slots a lesson could have, a repair worked out, accepted, undone, redone."""

from aiohttp import web

from server.api.timetable import view_of
from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import sees_table, speaks_for
from server.auth.principal import Principal
from server.keys import counties_key, repairs_key
from server.shapes.repair import MoveView, NewRepair, RepairView, SlotsView, SlotView
from server.shapes.table import Revision
from server.storage.proposal_store import Proposal
from server.web import body, reply, while_wanted
from timetable.errors import NotFound
from timetable.model import Community, Slot

routes = web.RouteTableDef()


@routes.get("/api/communities/{community}/slots")
async def slots(request: web.Request) -> web.Response:
    """`?lesson=ID`: every period of its host's week, with what moving it there would mean; in the draft, or in
    `?version=N`."""
    asker = principal(request)
    community = await _community(request)
    if asker.kind == "room" or not sees_table(asker, community):
        raise NotPermitted("view_table")
    lesson = request.query.get("lesson", "")
    version = request.query.get("version", "draft")
    if version != "draft" and not version.isdecimal():
        raise NotFound("version", version[:20])
    number = None if version == "draft" else int(version[:9])
    revision, found = await request.app[repairs_key].slots(community.id, lesson, version=number)
    rows = tuple(
        SlotView(
            weekday=slot.weekday,
            period=slot.period,
            start=slot.start,
            verdict=slot.verdict,
            delta=slot.delta,
            rules=slot.rules,
            reasons=slot.reasons,
            lessons=slot.lessons,
            repairable=slot.repairable,
        )
        for slot in found
    )
    return reply(request, SlotsView(lesson=lesson, revision=revision, slots=rows))


@routes.post("/api/communities/{community}/repairs")
async def propose(request: web.Request) -> web.Response:
    """Work out what else has to move, as long as somebody waits for it; nothing is changed yet."""
    wanted = await body(request, NewRepair)
    _, community = await _director(request)
    search = request.app[repairs_key].propose(
        community.id,
        lesson=wanted.lesson,
        target=Slot(weekday=wanted.weekday, period=wanted.period),
        revision=wanted.revision,
    )
    proposal = await while_wanted(request, search)
    return reply(request, _repair(proposal), 201)


@routes.post("/api/communities/{community}/repairs/{repair}/accept")
async def accept(request: web.Request) -> web.Response:
    """The repaired table becomes the draft."""
    asker, community = await _director(request)
    await request.app[repairs_key].accept(community.id, request.match_info["repair"], author=asker.name)
    return reply(request, await view_of(request, community, asker, "draft"))


@routes.post("/api/communities/{community}/undo")
async def undo(request: web.Request) -> web.Response:
    """The table before the last repair or build becomes the draft again."""
    wanted = await body(request, Revision)
    asker, community = await _director(request)
    await request.app[repairs_key].undo(community.id, author=asker.name, revision=wanted.revision)
    return reply(request, await view_of(request, community, asker, "draft"))


@routes.post("/api/communities/{community}/redo")
async def redo(request: web.Request) -> web.Response:
    """The table that was undone last becomes the draft again."""
    wanted = await body(request, Revision)
    asker, community = await _director(request)
    await request.app[repairs_key].redo(community.id, author=asker.name, revision=wanted.revision)
    return reply(request, await view_of(request, community, asker, "draft"))


async def _community(request: web.Request) -> Community:
    return (await request.app[counties_key].now()).community(request.match_info["community"])


async def _director(request: web.Request) -> tuple[Principal, Community]:
    """The asker, who must speak for the core school: whoever may build may move."""
    asker = principal(request)
    community = await _community(request)
    if speaks_for(asker, community.core, community.units, community.id) != community.core:
        raise NotPermitted("build")
    return asker, community


def _repair(proposal: Proposal) -> RepairView:
    done = proposal.repair
    return RepairView(
        id=proposal.id,
        revision=proposal.revision,
        lesson=proposal.lesson,
        moves=tuple(MoveView(lesson=move.lesson, source=move.source, target=move.target) for move in done.moves),
        cost_before=done.cost_before,
        cost_after=done.cost_after,
        units=done.units,
        rung=done.rung,
        seconds=done.seconds,
        verified=done.verified,
    )
