"""Sign-in and who is signed in; the people of a unit."""

from aiohttp import web

from server.auth.middleware import auth_key, principal, remote_address, set_cookie, token
from server.auth.policy import allowed, permit, visible_communities
from server.auth.principal import Principal
from server.county import County, reference
from server.keys import counties_key, people_key, settings_key
from server.shapes.people import CommunityRef, Me, PersonRow, SignIn
from server.web import body, reply
from timetable.errors import NotFound

routes = web.RouteTableDef()


@routes.post("/api/sign-in")
async def sign_in(request: web.Request) -> web.Response:
    """Open a login session; the answer says who that is."""
    wanted = await body(request, SignIn)
    auth = request.app[auth_key]
    opened = await auth.sign_in(wanted.login, wanted.password, remote_address(request))
    # whoever sat here before has left
    await auth.sign_out(token(request))
    response = reply(request, me(await auth.principal(opened), await _county(request)))
    set_cookie(request, response, opened, request.app[settings_key].auth.session_hours * 3600)
    return response


@routes.post("/api/sign-out")
async def sign_out(request: web.Request) -> web.Response:
    await request.app[auth_key].sign_out(token(request))
    response = web.Response(status=204)
    set_cookie(request, response, "", 0)
    return response


@routes.get("/api/me")
async def who(request: web.Request) -> web.Response:
    return reply(request, me(principal(request), await _county(request)))


@routes.get("/api/communities")
async def communities(request: web.Request) -> web.Response:
    return reply(request, _communities(principal(request), await _county(request)))


@routes.get("/api/people")
async def people(request: web.Request) -> web.Response:
    """The people whose unit the asker leads; for the bureau, all."""
    asker = principal(request)
    permit(asker, "view_people")
    county = await _county(request)
    rows = [
        PersonRow(
            id=person.id,
            login=person.login,
            name=person.name,
            unit=person.unit,
            unit_name=county.unit_name(person.unit) if county else "",
            grants=person.grants,
            active=person.active,
        )
        for person in await request.app[people_key].all()
        if allowed(asker, "view_people", units=(person.unit or "-",))
    ]
    return reply(request, rows)


async def _county(request: web.Request) -> County | None:
    """The county; None before the first import, which somebody must sign in for."""
    try:
        return await request.app[counties_key].now()
    except NotFound:
        return None


def me(asker: Principal, county: County | None) -> Me:
    return Me(
        kind=asker.kind,
        id=asker.id,
        name=asker.name,
        unit=asker.unit,
        unit_name=county.unit_name(asker.unit) if county else "",
        grants=asker.grants,
        communities=_communities(asker, county),
        teacher=asker.teacher,
        demo=asker.demo,
    )


def _communities(asker: Principal, county: County | None) -> tuple[CommunityRef, ...]:
    known = county.register.communities if county else ()
    return tuple(reference(community) for community in visible_communities(asker, known))
