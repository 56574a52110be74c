"""Calendar feeds over HTTP: a person's addresses, and the feeds themselves for calendar clients."""

import re
from email.utils import formatdate, parsedate_to_datetime

from aiohttp import ETag, web

from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import allowed
from server.auth.principal import Principal
from server.calendars import target_name
from server.county import County
from server.keys import calendars_key, counties_key, site_key
from server.shapes.people import FeedRow, NewFeed
from server.storage.feed_store import Feed
from server.web import body, reply
from timetable.errors import NotFound

NO_QUALITY = re.compile(r"q=0(\.0*)?")

routes = web.RouteTableDef()


@routes.get("/api/feeds")
async def own(request: web.Request) -> web.Response:
    asker = principal(request)
    county = await request.app[counties_key].now()
    return reply(request, [_row(county, feed) for feed in await request.app[calendars_key].of(asker.id)])


@routes.post("/api/feeds")
async def create(request: web.Request) -> web.Response:
    """The address stands in this answer only."""
    wanted = await body(request, NewFeed)
    asker = principal(request)
    county = await request.app[counties_key].now()
    if not _may_read(asker, county, wanted):
        raise NotPermitted("create_feed")
    feed, secret = await request.app[calendars_key].create(
        wanted.kind, wanted.target, owner=asker.id, device=wanted.device[:80]
    )
    url = f"{request.app[site_key].public_url}/feeds/{secret}.ics"
    return reply(request, _row(county, feed, url), 201)


@routes.delete("/api/feeds/{feed}")
async def revoke(request: web.Request) -> web.Response:
    await request.app[calendars_key].revoke(request.match_info["feed"], principal(request).id)
    return web.Response(status=204)


@routes.get("/feeds/{secret:[A-Za-z0-9_-]{43}}.ics")
async def read(request: web.Request) -> web.Response:
    """The feed. If-None-Match goes before If-Modified-Since (RFC 9110); a 304 repeats the validators."""
    rendered = await request.app[calendars_key].read(request.match_info["secret"])
    packed = _takes_gzip(request.headers.get("Accept-Encoding", ""))
    tag = rendered.packed_tag if packed else rendered.plain_tag
    headers = {
        "ETag": f'"{tag}"',
        "Last-Modified": formatdate(int(rendered.modified), usegmt=True),
        "Cache-Control": "private, must-revalidate",
        "Vary": "Accept-Encoding",
        # the secret is in the address: it must not travel on
        "Referrer-Policy": "no-referrer",
    }
    if _unchanged(request, tag, rendered.modified):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = "text/calendar; charset=utf-8"
    headers["Content-Disposition"] = 'inline; filename="tongke.ics"'
    if packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=rendered.packed if packed else rendered.plain, headers=headers)


def _unchanged(request: web.Request, tag: str, modified: float) -> bool:
    wanted: tuple[ETag, ...] | None = request.if_none_match
    if wanted is not None:
        return any(held.value in ("*", tag) for held in wanted)
    since = request.headers.get("If-Modified-Since", "")
    try:
        return bool(since) and int(modified) <= parsedate_to_datetime(since).timestamp()
    except (ValueError, OverflowError):
        return False


def _takes_gzip(accepted: str) -> bool:
    """RFC 9110: `gzip`, or `*`, without a quality of zero."""
    choices: dict[str, bool] = {}
    for choice in accepted.lower().split(","):
        coding, _, quality = choice.partition(";")
        choices[coding.strip()] = NO_QUALITY.fullmatch(quality.replace(" ", "")) is None
    return choices.get("gzip", choices.get("x-gzip", choices.get("*", False)))


def _may_read(asker: Principal, county: County, wanted: NewFeed) -> bool:
    """Whose table it is decides: anybody of a unit may follow that unit's classes, rooms and teachers."""
    if wanted.kind == "community":
        community = county.community(wanted.target)
        return allowed(asker, "create_feed", units=community.units, community=community.id)
    if wanted.kind == "teacher":
        units = county.teacher(wanted.target).posts
    elif wanted.kind == "class":
        units = (county.school_class(wanted.target).unit,)
    elif wanted.kind == "room":
        units = (county.room(wanted.target).unit,)
    else:
        units = (county.unit(wanted.target).id,)
    home = county.community_of(units[0])
    return allowed(asker, "create_feed", units=units, community=home.id if home else None)


def _name(county: County, feed: Feed) -> str:
    try:
        return target_name(county, feed.kind, feed.target)
    except NotFound:
        # whoever it was about has left the register: the row still stands there to be revoked
        return feed.target


def _row(county: County, feed: Feed, url: str | None = None) -> FeedRow:
    return FeedRow(
        id=feed.id,
        kind=feed.kind,
        target=feed.target,
        name=_name(county, feed),
        device=feed.device,
        created_at=feed.created_at,
        last_read=feed.last_read,
        url=url,
    )
