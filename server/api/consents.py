"""The consent of classes to being recorded: who speaks for them looks, withdraws and agrees anew."""

from aiohttp import web

from server.auth.middleware import principal
from server.keys import consents_key
from server.shapes.consent import NamedPupil, NewConsent
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


@routes.post("/api/consents/{class}/hidden")
async def name(request: web.Request) -> web.Response:
    """A text in a review names a pupil of a class that has withdrawn: nobody reads it any more."""
    named = await body(request, NamedPupil)
    consent = await request.app[consents_key].name(
        principal(request), request.match_info["class"], named.review, named.word
    )
    return reply(request, consent)
