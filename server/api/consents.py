"""The consent of classes to being recorded: who speaks for them looks, withdraws and agrees anew."""

from aiohttp import web

from server.auth.middleware import principal
from server.keys import consents_key
from server.shapes.consent import NamedPupils, NewConsent
from server.web import body, reply

routes = web.RouteTableDef()


@routes.get("/api/consents")
async def rows(request: web.Request) -> web.Response:
    """The classes that the asker speaks for, those that have left among them."""
    return reply(request, await request.app[consents_key].rows(principal(request)))


@routes.get("/api/consents/{class}")
async def show(request: web.Request) -> web.Response:
    return reply(request, await request.app[consents_key].show(principal(request), request.match_info["class"]))


@routes.put("/api/consents/{class}")
async def say(request: web.Request) -> web.Response:
    """Withdraw, or write down a new consent."""
    new = await body(request, NewConsent)
    consent = await request.app[consents_key].say(
        principal(request), request.match_info["class"], agreed=new.agreed, revision=new.revision
    )
    return reply(request, consent)


@routes.get("/api/consents/{class}/words")
async def words(request: web.Request) -> web.Response:
    """What was written about the lessons of a class that does not agree: it may name its pupils."""
    return reply(request, await request.app[consents_key].words(principal(request), request.match_info["class"]))


@routes.post("/api/consents/{class}/hidden")
async def hide(request: web.Request) -> web.Response:
    """Texts that name pupils of a class that has withdrawn: nobody reads them any more."""
    named = await body(request, NamedPupils)
    await request.app[consents_key].hide(principal(request), request.match_info["class"], named.words)
    return web.Response(status=204)
