"""The demonstration's links: `GET /demo/enter/{link}` signs in and opens the page. Only with `demo.enabled`."""

from typing import Literal

from aiohttp import web

from server.auth.middleware import auth_key, set_cookie
from server.auth.service import ROOM_SESSION_SECONDS
from server.demo.links import Link, is_loopback, unseal
from server.keys import demo_key
from timetable.errors import NotFound

routes = web.RouteTableDef()


@routes.get("/demo/enter/{link}")
async def enter(request: web.Request) -> web.Response:
    """Each link has its own seat, so that the host and all classrooms can sit in the tabs of one browser."""
    demo = request.app.get(demo_key)
    # a proxy in front would make strangers look like neighbours
    if demo is None or not is_loopback(request.remote) or "X-Forwarded-For" in request.headers:
        raise NotFound("link", "…")
    link = unseal(demo.link_secret, request.match_info["link"])
    kind: Literal["person", "room"] = "room" if link.page == "endpoint" else "person"
    opened = await request.app[auth_key].open_session(kind, link.subject)
    seat = link.subject if link.page == "endpoint" else link.page
    response = web.Response(status=303, headers={"Location": await _page(request, link, seat)})
    set_cookie(request, response, opened, ROOM_SESSION_SECONDS, seat)
    if kind == "person":
        # pages without a seat, such as the timetable, know the person who came last
        set_cookie(request, response, opened, ROOM_SESSION_SECONDS, "")
    return response


async def _page(request: web.Request, link: Link, seat: str) -> str:
    demo = request.app[demo_key]
    if link.page == "endpoint":
        return f"/room?seat={seat}"
    if link.page == "review":
        review = await demo.newest_review()
        return f"/review/{review}?seat={seat}" if review else f"/reviews?seat={seat}"
    return f"/classroom/{await demo.session()}?as={link.page}&seat={seat}"
