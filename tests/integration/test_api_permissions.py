"""Who may do what: every role and panel on every route of the API, and that no route is forgotten."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from aiohttp import web

from tests.county_server import (
    FOREIGN,
    MEMBER,
    PEOPLE,
    SYNC,
    THIRD,
    Answer,
    Caller,
    CountyServer,
    county_register,
    remote_room,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

PANELS = {"panel A1": MEMBER, "panel B0": FOREIGN}
PERSONS = frozenset(PEOPLE)
EVERYBODY = PERSONS | frozenset(PANELS)
BUREAU = frozenset({"bureau_admin", "bureau_viewer"})
OF_B = frozenset(name for name in PEOPLE if name.startswith("foreign"))
OF_A = PERSONS - OF_B
"""The people of the first community, the bureau among them."""
DIRECTORS = frozenset(name for name in PEOPLE if name.endswith("director"))
PRINCIPALS = frozenset(name for name in PEOPLE if name.endswith("principal"))
CORE_SPEAKERS = frozenset({"core_director", "core_principal", "convenor"})
SPEAKERS = ((DIRECTORS | PRINCIPALS) - OF_B) | {"convenor"}
CLOSERS = DIRECTORS | PRINCIPALS | {"bureau_admin", "convenor"}
"""Who may close some school."""
IMPORTERS_OF_A1 = frozenset({"bureau_admin", "convenor", "member_director"})
"""Who may change what belongs to the member school."""
SPEAKERS_OF_A1 = frozenset({"bureau_admin", "convenor", "member_director", "member_principal"})
"""Who may withdraw the consent of the member school's class."""
CLASS_OF_A1 = next(one.id for one in county_register(date(2026, 11, 18)).classes if one.unit == MEMBER)
TEACHER_OF_A1 = next(one.id for one in county_register(date(2026, 11, 18)).teachers if one.posts == (MEMBER,))

HOSTS_OF_SYNC = frozenset({"host_teacher", "core_director", "convenor"})
TEACHERS_OF_SYNC = OF_A - BUREAU - {"core_teacher"}
"""Everybody of the community but the bureau, which patrols, and a teacher whom the host has not let in."""

OLD = {"revision": -1}
"""A revision that never stands: who may speak hears that it is stale, and nothing changes."""

NO_PLAN = {"term": {"id": "x", "name": "x", "firstDay": "2030-09-02", "lastDay": "2031-01-10", "weekOne": "2030-09-02"}}

MATRIX: list[tuple[str, str, Any, frozenset[str]]] = [
    ("GET", "/api/me", None, EVERYBODY),
    ("GET", "/api/communities", None, EVERYBODY),
    ("GET", "/api/people", None, DIRECTORS | PRINCIPALS | {"bureau_admin"}),
    ("GET", "/api/feeds", None, EVERYBODY),
    ("POST", "/api/feeds", {"kind": "community", "target": "A"}, OF_A),
    ("POST", "/api/feeds", {"kind": "teacher", "target": "B0-t1"}, OF_B | BUREAU),
    ("DELETE", "/api/feeds/absent", None, EVERYBODY),
    ("GET", "/api/rooms", None, DIRECTORS | PRINCIPALS | {"bureau_admin"}),
    (
        "POST",
        "/api/pairing/confirm",
        {"code": "0", "room": remote_room(MEMBER)},
        frozenset({"bureau_admin", "member_director", "member_principal"}),
    ),
    ("DELETE", f"/api/rooms/{remote_room(THIRD)}/device", None, frozenset({"bureau_admin", "third_director"})),
    ("GET", "/api/cameras", None, DIRECTORS | PRINCIPALS | {"bureau_admin"}),
    ("PUT", f"/api/rooms/{remote_room(THIRD)}", {"listenOnly": False}, frozenset({"bureau_admin", "third_director"})),
    ("PUT", f"/api/rooms/{remote_room(THIRD)}/camera", {"url": "x"}, frozenset({"bureau_admin", "third_director"})),
    ("DELETE", f"/api/rooms/{remote_room(THIRD)}/camera", None, frozenset({"bureau_admin", "third_director"})),
    (
        "POST",
        f"/api/rooms/{remote_room(THIRD)}/camera/look",
        {"url": ""},
        frozenset({"bureau_admin", "third_director"}),
    ),
    ("GET", "/api/room/day", None, frozenset(PANELS)),
    (
        "POST",
        "/api/room/preflight",
        {"session": "absent", "camera": "ok", "microphone": "ok", "rttMs": 1},
        frozenset(PANELS),
    ),
    ("GET", "/api/today?community=A", None, OF_A),
    ("GET", "/api/today", None, PERSONS),
    ("GET", "/api/communities/A/timetable", None, OF_A | {"panel A1"}),
    ("GET", "/api/communities/A/ledger", None, OF_A | {"panel A1"}),
    ("GET", "/api/communities/B/timetable?version=1", None, OF_B | BUREAU | {"panel B0"}),
    ("POST", "/api/communities/A/builds", OLD, CORE_SPEAKERS),
    ("POST", "/api/communities/A/propose", OLD, SPEAKERS),
    ("POST", "/api/communities/A/agree", OLD, SPEAKERS),
    ("POST", "/api/communities/A/object", OLD | {"reason": "x"}, SPEAKERS),
    ("POST", "/api/communities/A/publish", OLD, SPEAKERS),
    ("GET", "/api/communities/A/export?form=csv&for=unit", None, OF_A | {"panel A1"}),
    ("POST", "/api/units/A1/own-table", None, IMPORTERS_OF_A1),
    ("POST", f"/api/teachers/{TEACHER_OF_A1}/calendar", None, IMPORTERS_OF_A1),
    ("POST", f"/api/rooms/{remote_room(MEMBER)}/calendar", None, IMPORTERS_OF_A1),
    ("GET", "/api/communities/A/slots?lesson=absent", None, OF_A),
    (
        "POST",
        "/api/communities/A/repairs",
        OLD | {"lesson": SYNC, "weekday": 1, "period": 1},
        CORE_SPEAKERS,
    ),
    ("POST", "/api/communities/A/repairs/absent/accept", None, CORE_SPEAKERS),
    ("POST", "/api/communities/A/undo", OLD, CORE_SPEAKERS),
    ("POST", "/api/communities/A/redo", OLD, CORE_SPEAKERS),
    ("GET", "/api/communities/A/amendments", None, OF_A | {"panel A1"}),
    (
        "POST",
        "/api/communities/A/amendments",
        {"version": 0, "change": {"kind": "cancel", "occurrence": "absent"}, "reason": "x"},
        SPEAKERS,
    ),
    ("POST", "/api/communities/A/amendments/99/agree", {"revision": 1}, SPEAKERS),
    ("POST", "/api/communities/A/amendments/99/object", {"revision": 1, "reason": "x"}, SPEAKERS),
    ("POST", "/api/communities/A/amendments/99/withdraw", {"revision": 1}, SPEAKERS),
    ("GET", "/api/communities/A/occurrences", None, OF_A | {"panel A1"}),
    ("GET", "/api/communities/A/openings?occurrence=absent", None, OF_A | {"panel A1"}),
    (
        "POST",
        "/api/cover",
        {"teacher": "A1-t2", "first": "2026-11-19", "last": "2026-11-19"},
        frozenset({"member_director", "member_principal", "convenor"}),
    ),
    ("GET", "/api/closings", None, EVERYBODY),
    (
        "POST",
        "/api/closings",
        {"first": "2020-01-01", "last": "2020-01-01", "reason": "雪", "units": ["A1"]},
        frozenset({"bureau_admin", "member_director", "member_principal", "convenor"}),
    ),
    ("POST", "/api/closings/absent/reopen", {"revision": 1}, CLOSERS),
    ("PUT", "/api/closings/absent/make-up-days", {"revision": 1, "makeUpDays": []}, CLOSERS),
    ("GET", "/api/communities/A/closings/absent/make-ups", None, OF_A | {"panel A1"}),
    (
        "POST",
        "/api/communities/A/closings/absent/make-ups",
        {"version": 1, "choices": [{"occurrence": "x", "date": "2026-11-19", "period": 1}]},
        SPEAKERS,
    ),
    ("GET", "/api/communities/A/closings/absent/make-ups/A1", None, OF_A | {"panel A1"}),
    (
        "POST",
        "/api/communities/A/closings/absent/make-ups/A1",
        {"version": 1, "choices": [{"occurrence": "x", "date": "2026-11-19", "period": 1}]},
        frozenset({"member_director", "member_principal", "core_director", "core_principal", "convenor"}),
    ),
    ("GET", "/api/communities/A/week?week=7", None, OF_A | {"panel A1"}),
    ("GET", "/api/terms", None, CLOSERS),
    ("POST", "/api/rollover", {"registerVersion": 0, "plan": NO_PLAN}, frozenset({"bureau_admin"})),
    ("POST", "/api/rollover?check=1", {"registerVersion": 0, "plan": NO_PLAN}, CLOSERS),
    ("GET", "/api/communities/A/membership", None, OF_A),
    (
        "POST",
        "/api/communities/A/membership/files?first=2030-01-01",
        None,
        frozenset({"bureau_admin", "convenor"}),
    ),
    (
        "POST",
        "/api/communities/A/membership",
        {"revision": -1, "change": {"kind": "leave", "unit": "A2", "first": "2030-01-01"}},
        frozenset({"bureau_admin", "convenor"}),
    ),
    ("GET", "/api/communities/A/builds", None, OF_A),
    ("POST", "/api/builds/absent/take", OLD, EVERYBODY),
    ("GET", "/api/communities/A/explanations", None, OF_A),
    ("POST", "/api/communities/A/membership/absent/withdraw", OLD, frozenset({"bureau_admin", "convenor"})),
    ("GET", "/api/membership-searches/absent", None, EVERYBODY),
    ("GET", "/api/membership-searches/absent/events", None, EVERYBODY),
    ("DELETE", "/api/membership-searches/absent", None, EVERYBODY),
    ("GET", "/api/builds/absent", None, EVERYBODY),
    ("GET", "/api/builds/absent/events", None, EVERYBODY),
    ("DELETE", "/api/builds/absent", None, EVERYBODY),
    ("POST", "/api/communities/A/explanations", {"seconds": 0}, CORE_SPEAKERS),
    ("GET", "/api/explanations/absent", None, EVERYBODY),
    ("GET", "/api/explanations/absent/events", None, EVERYBODY),
    ("DELETE", "/api/explanations/absent", None, EVERYBODY),
    ("POST", "/api/explanations/absent/concessions/0", None, EVERYBODY),
    ("POST", "/api/import", {}, DIRECTORS | {"bureau_admin", "convenor"}),
    ("GET", "/api/import/form", None, DIRECTORS | {"bureau_admin", "convenor"}),
    ("POST", "/api/import/fet?unit=x", {}, frozenset({"bureau_admin"})),
    ("GET", "/api/sessions", None, EVERYBODY),
    ("GET", "/api/sessions/absent", None, EVERYBODY),
    ("POST", "/api/sessions", {"lesson": SYNC}, HOSTS_OF_SYNC),
    ("POST", "/api/sessions/absent/join", None, EVERYBODY),
    ("POST", "/api/sessions/absent/access", {"kind": "encoder"}, EVERYBODY),
    ("GET", "/api/sessions/absent/access", None, EVERYBODY),
    ("DELETE", "/api/sessions/absent/access/absent", None, EVERYBODY),
    ("GET", "/api/sessions/absent/materials", None, EVERYBODY),
    ("POST", "/api/sessions/absent/materials?kind=exercise&title=x", None, EVERYBODY),
    ("DELETE", "/api/sessions/absent/materials/absent", None, EVERYBODY),
    ("GET", "/api/sessions/absent/materials/absent/pages/1", None, EVERYBODY),
    ("GET", "/api/sessions/absent/materials/absent/file", None, PERSONS),
    ("GET", f"/api/lessons/{SYNC}/exercises", None, TEACHERS_OF_SYNC),
    ("PUT", f"/api/lessons/{SYNC}/exercises", OLD | {"exercises": []}, HOSTS_OF_SYNC),
    ("POST", "/api/sessions/absent/photos?exercise=x", None, EVERYBODY),
    ("GET", "/api/sessions/absent/photos/x", None, EVERYBODY),
    ("DELETE", "/api/sessions/absent/photos/x", None, EVERYBODY),
    ("GET", "/api/sessions/absent/report", None, EVERYBODY),
    ("GET", "/api/reviews", None, EVERYBODY),
    ("GET", "/api/reviews?community=A", None, EVERYBODY),
    ("GET", "/api/reviews/absent", None, EVERYBODY),
    ("GET", "/api/reviews/absent/board", None, EVERYBODY),
    ("POST", "/api/reviews/absent/comments", {"text": "x"}, EVERYBODY),
    ("PUT", "/api/reviews/absent/score", {"points": {}}, EVERYBODY),
    ("PUT", "/api/reviews/absent/conclusion", {"worked": "x", "change": "x"}, EVERYBODY),
    ("POST", "/api/reviews/absent/close", {"revision": 1}, EVERYBODY),
    ("PUT", "/api/reviews/absent/release", {"revision": 0, "scope": "units"}, EVERYBODY),
    ("GET", "/api/reviews/absent/shown", None, EVERYBODY),
    ("GET", "/api/reviews/absent/shown/events", None, EVERYBODY),
    ("GET", "/api/consents", None, CLOSERS),
    ("GET", f"/api/consents/{CLASS_OF_A1}", None, SPEAKERS_OF_A1),
    ("PUT", f"/api/consents/{CLASS_OF_A1}", OLD | {"agreed": False}, SPEAKERS_OF_A1),
    ("POST", f"/api/consents/{CLASS_OF_A1}/hidden", {"words": [{"review": "x", "word": "x"}]}, SPEAKERS_OF_A1),
    ("GET", f"/api/consents/{CLASS_OF_A1}/words", None, SPEAKERS_OF_A1),
    ("GET", "/media/absent/absent?t=x", None, frozenset()),
]
"""Where there is something to do for somebody, the last column says for whom; what happens to reviews and sessions
that exist is in the tests of each."""

OPEN = {
    "POST /api/sign-in",
    "POST /api/sign-out",
    "POST /api/pairing",
    "POST /api/pairing/poll",
    "GET /feeds/{secret}.ics",
    "GET /healthz",
    "GET /metrics",
    "GET /demo/enter/{link}",
    "GET /ws/live",
    "POST /whip/{session}",
    "POST /whep/{session}",
    "OPTIONS /whip/{session}",
    "OPTIONS /whep/{session}",
    "PATCH /rtc/{resource}",
    "DELETE /rtc/{resource}",
    "GET /whip/{session}",
    "GET /whep/{session}",
    "GET /rtc/{resource}",
    "OPTIONS /rtc/{resource}",
    "GET /",
}
"""Routes that ask for no login session: they have a secret or a token of their own, or show nothing."""


async def caller_of(county: CountyServer, name: str) -> Caller:
    return await (county.panel(PANELS[name]) if name in PANELS else county.person(name))


async def ask(caller: Caller, method: str, path: str, body: Any) -> Answer:
    return await caller.ask(method, path, **({} if body is None else {"json": body}))


@pytest.mark.parametrize(
    ("method", "path", "body", "permitted"), MATRIX, ids=[f"{method} {path}" for method, path, _, _ in MATRIX]
)
async def test_a_route_is_for_those_whom_the_matrix_names(
    shared_county: CountyServer, method: str, path: str, body: Any, permitted: frozenset[str]
) -> None:
    let_in = set()
    for name in sorted(EVERYBODY):
        answer = await ask(await caller_of(shared_county, name), method, path, body)
        assert answer.status < 500, (name, answer)
        if answer.status == 403:
            assert answer.code in ("not_permitted", "not_in_lesson"), (name, answer)
        else:
            assert answer.status != 401, (name, answer)
            let_in.add(name)
    assert let_in == permitted


@pytest.mark.parametrize(
    ("method", "path", "body"), [row[:3] for row in MATRIX], ids=[f"{r[0]} {r[1]}" for r in MATRIX]
)
async def test_nobody_gets_in_without_signing_in(
    shared_county: CountyServer, method: str, path: str, body: Any
) -> None:
    assert (await ask(shared_county.nobody, method, path, body)).refusal == (401, "not_signed_in")


async def test_no_route_is_forgotten(shared_county: CountyServer) -> None:
    app: web.Application = shared_county.app
    patterns = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    untested = {
        pattern
        for pattern in patterns - OPEN
        if not any(_matches(pattern, method, path) for method, path, _, _ in MATRIX)
    }
    assert untested == set()


def _matches(pattern: str, method: str, path: str) -> bool:
    wanted, _, canonical = pattern.partition(" ")
    parts, asked = canonical.split("/"), path.partition("?")[0].split("/")
    return (
        method == wanted
        and len(asked) == len(parts)
        and all(part.startswith("{") or part == given for part, given in zip(parts, asked, strict=True))
    )
