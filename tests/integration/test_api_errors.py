"""Whatever is sent is answered by a problem with a code that is documented and has a sentence."""

from __future__ import annotations

import asyncio
import io
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server import logs
from server.errors import HTTP_CODES, STATUS
from server.sentences import catalogue
from tests.county_server import PASSWORD, PROBLEM, CountyServer

ROOT = Path(__file__).parents[2]
CODES = {*STATUS, *HTTP_CODES.values(), "http_error", "internal_error"}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_code_has_a_sentence_and_a_line_in_the_protocol(language: str) -> None:
    sentences = catalogue(language)
    assert sorted(code for code in CODES if f"error.{code}" not in sentences) == []
    protocol = (ROOT / "PROTOCOL.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `([a-z_]+)` \| (?:\d{3}|any) \|", protocol, re.MULTILINE))
    assert documented == CODES


async def raw(county: CountyServer, request: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection(*county.address)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}, body


POST = b"POST /api/sign-in HTTP/1.1\r\nHost: x\r\nX-Tongke: 1\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (POST + JSON + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", 400, "bad_request"),
        (POST + JSON + b"Content-Length: 70000\r\n\r\n" + b" " * 70000, 413, "body_too_large"),
        (POST + b"Content-Type: a;;;=\xff\r\nContent-Length: 2\r\n\r\n{}", 415, "unsupported_media_type"),
        (POST + JSON + b"Content-Length: 2\r\n\r\n[]", 422, "invalid_body"),
        (POST + JSON + b"Content-Length: 1\r\n\r\n{", 400, "malformed_body"),
        (b"PATCH /api/me HTTP/1.1\r\nHost: x\r\nX-Tongke: 1\r\nConnection: close\r\n\r\n", 405, "method_not_allowed"),
        (b"GET /api/absent HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404, "not_found"),
        (b"GET /api/reviews/a%00b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400, "bad_request"),
        (b"GET /api/sessions?community=%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400, "bad_request"),
        (b"GET /api/reviews/%FF%FE HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 401, "not_signed_in"),
    ],
)
# the server's own library warns of bodies that it had to give up
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_broken_requests_are_problems(county: CountyServer, request_bytes: bytes, status: int, code: str) -> None:
    answered, headers, body = await raw(county, request_bytes)
    assert (answered, headers["content-type"].split(";")[0]) == (status, PROBLEM)
    assert json.loads(body)["code"] == code
    assert headers["x-content-type-options"] == "nosniff"
    assert (await county.nobody.get("/healthz")).status == 200


async def test_a_nul_is_in_no_text(county: CountyServer) -> None:
    post = county.nobody.post
    assert (await post("/api/sign-in", {"login": "a\0b", "password": "x"})).refusal == (422, "invalid_body")
    packed = msgspec.msgpack.encode({"login": "a\0b", "password": "x"})
    kind = {"Content-Type": "application/msgpack"}
    assert (await post("/api/sign-in", data=packed, headers=kind)).refusal == (422, "invalid_body")
    # six characters that only look like one
    assert (await post("/api/sign-in", {"login": "\\u0000", "password": "x"})).refusal == (401, "wrong_password")
    packed = msgspec.msgpack.encode({"login": "host_teacher", "password": PASSWORD})
    assert (await post("/api/sign-in", data=packed, headers=kind)).status == 200


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/sign-in": {"login": "x", "password": "y"},
    "POST /api/feeds": {"kind": "unit", "target": "A0", "device": ""},
    "POST /api/pairing/poll": {"secret": "x"},
    "POST /api/pairing/confirm": {"code": "1", "room": "A0-remote1"},
    "POST /api/sessions": {"lesson": "A-r1.1"},
    "POST /api/communities/A/builds": {"revision": 0, "seconds": 1},
    "POST /api/communities/A/propose": {"revision": 0},
    "POST /api/communities/A/object": {
        "revision": 5,
        "reason": "x",
        "lesson": "A-r1.1",
        "counterWeekday": 1,
        "counterPeriod": 1,
    },
    "POST /api/communities/A/publish": {"revision": 0},
    "POST /api/reviews/x/comments": {"text": "x", "at": 1, "label": "", "replyTo": None},
    "PUT /api/reviews/x/score": {"points": {"goals": 1}},
    "PUT /api/reviews/x/conclusion": {"worked": "x", "change": "y"},
    "POST /api/reviews/x/close": {"revision": 1},
    "POST /api/room/preflight": {"session": "x", "camera": "ok", "microphone": "ok", "rttMs": 1},
}


async def test_bodies_of_anything_are_never_an_internal_error(county: CountyServer) -> None:
    """Each field of each body replaced by anything, and odd names in the addresses."""
    cases: list[tuple[str, Any]] = []

    @settings(max_examples=250, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(BODIES)), st.data())
    def collect(route: str, data: st.DataObject) -> None:
        body = dict(BODIES[route])
        field = data.draw(st.sampled_from(sorted(body)))
        body[field] = data.draw(ANYTHING)
        cases.append((route, body))

    collect()
    lines = io.StringIO()
    logs.configure(lines)
    callers = [await county.person("core_director"), await county.panel("A1"), await county.person("bureau_admin")]
    seen: dict[int, int] = {}
    for number, (route, body) in enumerate(cases):
        method, _, path = route.partition(" ")
        answer = await callers[number % len(callers)].ask(method, path, json=body)
        seen[answer.status] = seen.get(answer.status, 0) + 1
        assert answer.status < 500, (route, body, answer)
        assert answer.status < 400 or answer.code in CODES, (route, body, answer)
    assert "internal_error" not in lines.getvalue()
    assert 422 in seen


@pytest.mark.parametrize("id", ["%FF", "a%2Fb", "..%2F..%2Fx", "%E4%B8%80", "x" * 4000, "'--", "{}", "%C2%85", "%7f"])
async def test_odd_names_in_addresses_are_unknown_names(county: CountyServer, id: str) -> None:
    director = await county.person("core_director")
    for method, path in (
        ("GET", f"/api/communities/{id}/timetable"),
        ("GET", f"/api/communities/A/timetable?version={id}"),
        ("GET", f"/api/builds/{id}"),
        ("GET", f"/api/builds/{id}/events"),
        ("DELETE", f"/api/builds/{id}"),
        ("GET", f"/api/sessions/{id}"),
        ("POST", f"/api/sessions/{id}/join"),
        ("GET", f"/api/reviews/{id}"),
        ("DELETE", f"/api/feeds/{id}"),
        ("DELETE", f"/api/rooms/{id}/device"),
        ("GET", f"/api/today?community={id}"),
        ("GET", f"/api/reviews?community={id}"),
        ("GET", f"/feeds/{id}.ics"),
        ("GET", f"/demo/enter/{id}"),
        ("DELETE", f"/rtc/{id}"),
    ):
        answer = await director.ask(method, path)
        assert answer.status in (401, 404), (method, path, answer)
        assert answer.code in ("not_found", "session_not_found", "review_not_found", "token_missing")


async def test_an_error_says_nothing_about_the_inside(county: CountyServer) -> None:
    director = await county.person("core_director")
    for path in ("/api/communities/x/timetable", "/api/reviews/x", "/api/absent", "/media/a/b?t=x"):
        text = (await director.get(path)).body.decode()
        assert not re.search(r"Traceback|File \"|site-packages|sqlite|/data/", text), text
