"""Bilateral reviews over HTTP, and the recordings that they play."""

from aiohttp import web

from server.auth.middleware import principal
from server.event_stream import stream
from server.keys import reviews_key
from server.shapes.review import CloseReview, NewComment, NewConclusion, NewRelease, NewScore
from server.web import body, reply

routes = web.RouteTableDef()


@routes.get("/api/reviews")
async def rows(request: web.Request) -> web.Response:
    found = await request.app[reviews_key].rows(principal(request), request.query.get("community"))
    return reply(request, found)


@routes.get("/api/reviews/{review}")
async def show(request: web.Request) -> web.Response:
    return reply(request, await request.app[reviews_key].view(principal(request), request.match_info["review"]))


@routes.get("/api/reviews/{review}/board")
async def board(request: web.Request) -> web.Response:
    """What was open in the rooms and drawn on it, and when."""
    return reply(request, await request.app[reviews_key].board(principal(request), request.match_info["review"]))


@routes.get("/api/reviews/{review}/shown")
async def shown(request: web.Request) -> web.Response:
    return reply(request, await request.app[reviews_key].shown(principal(request), request.match_info["review"]))


@routes.get("/api/reviews/{review}/shown/events")
async def follow(request: web.Request) -> web.StreamResponse:
    """The same as server-sent events: whoever plays the review hears at once what may be shown no more."""
    asker, review = principal(request), request.match_info["review"]
    await request.app[reviews_key].shown(asker, review)
    return await stream(request, request.app[reviews_key].follow(asker, review))


@routes.post("/api/reviews/{review}/comments")
async def comment(request: web.Request) -> web.Response:
    new = await body(request, NewComment)
    view = await request.app[reviews_key].comment(
        principal(request),
        request.match_info["review"],
        new.text,
        at=new.at,
        label=new.label,
        reply_to=new.reply_to,
    )
    return reply(request, view, 201)


@routes.put("/api/reviews/{review}/score")
async def score(request: web.Request) -> web.Response:
    """One's own points; given again they replace the earlier ones."""
    new = await body(request, NewScore)
    view = await request.app[reviews_key].score(principal(request), request.match_info["review"], new.points)
    return reply(request, view)


@routes.put("/api/reviews/{review}/conclusion")
async def conclude(request: web.Request) -> web.Response:
    new = await body(request, NewConclusion)
    view = await request.app[reviews_key].conclude(
        principal(request),
        request.match_info["review"],
        worked=new.worked,
        change=new.change,
        follow_up=new.follow_up,
        owner=new.owner,
        due=new.due,
    )
    return reply(request, view)


@routes.post("/api/reviews/{review}/close")
async def close(request: web.Request) -> web.Response:
    wanted = await body(request, CloseReview)
    view = await request.app[reviews_key].close(principal(request), request.match_info["review"], wanted.revision)
    return reply(request, view)


@routes.put("/api/reviews/{review}/release")
async def release(request: web.Request) -> web.Response:
    """With whom the recording is shared from now on."""
    new = await body(request, NewRelease)
    return reply(request, await request.app[reviews_key].release(principal(request), request.match_info["review"], new))


@routes.get("/media/{session}/{segment}")
async def segment(request: web.Request) -> web.StreamResponse:
    """A recorded segment by byte ranges. The link is good for one person and some hours; no download by default."""
    file = await request.app[reviews_key].segment(
        principal(request),
        request.match_info["session"],
        request.match_info["segment"],
        request.query.get("t", ""),
    )
    _check_range(request, file.stat().st_size)
    kind = f"video/{file.suffix.removeprefix('.')}"
    headers = {"Content-Type": kind, "Cache-Control": "private, no-cache", "Content-Disposition": "inline"}
    return web.FileResponse(file, headers=headers)


def _check_range(request: web.Request, size: int) -> None:
    """Refuse a range outside the file as a problem; aiohttp itself would send an empty answer."""
    try:
        start = request.http_range.start
    except ValueError:
        start = size
    if start is not None and start >= size:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
