"""Signing in and out over HTTP: cookies, seats, forged requests, guessing, and who is shown whom."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from pathlib import Path

import msgspec
import pytest

from server.auth.middleware import COOKIE
from server.auth.service import ADDRESS_BURST, LONGEST
from server.keys import people_key
from tests.county_server import (
    CORE,
    PASSWORD,
    PEOPLE,
    PUBLIC,
    Answer,
    Caller,
    CountyServer,
    remote_room,
    running_county,
)

SIGN_IN = "/api/sign-in"
TEACHER = {"login": "host_teacher", "password": PASSWORD}


def cookie_of(answer: Answer, name: str = COOKIE) -> tuple[str, SimpleCookie]:
    """The cookie as a browser sends it back, and its flags."""
    jar = SimpleCookie(answer.headers["Set-Cookie"])
    return f"{name}={jar[name].value}", jar


CHANGES = [
    ("POST", SIGN_IN),
    ("POST", "/api/sign-out"),
    ("POST", "/api/feeds"),
    ("DELETE", "/api/feeds/x"),
    ("PUT", "/api/reviews/x/score"),
    ("POST", "/api/import"),
    ("POST", "/api/pairing"),
    ("POST", "/api/absent"),
]

# the cookie


async def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_do_not_get(county: CountyServer) -> None:
    answer = await county.nobody.post(SIGN_IN, TEACHER)
    assert answer.status == 200
    cookie, jar = cookie_of(answer)
    flags = jar[COOKIE]
    assert (flags["httponly"], flags["samesite"], flags["path"], flags["max-age"]) == (True, "Lax", "/", str(12 * 3600))
    assert len(flags.value) == 43
    assert flags["secure"] == ""
    me = await Caller(county.http, county.base, cookie).get("/api/me")
    assert me.json == answer.json
    assert (me.json["id"], me.json["teacher"], me.json["communities"][0]["id"]) == ("person.host_teacher", "A0-t1", "A")


async def test_behind_https_the_cookie_is_secure(county: CountyServer) -> None:
    answer = await county.nobody.post(SIGN_IN, TEACHER, headers={"X-Forwarded-Proto": "https"})
    assert cookie_of(answer)[1][COOKIE]["secure"] is True


async def test_signing_out_ends_the_session_and_takes_the_cookie_back(county: CountyServer) -> None:
    teacher = Caller(county.http, county.base, cookie_of(await county.nobody.post(SIGN_IN, TEACHER))[0])
    gone = await teacher.post("/api/sign-out")
    assert (gone.status, cookie_of(gone)[1][COOKIE]["max-age"]) == (204, "0")
    assert (await teacher.get("/api/me")).refusal == (401, "not_signed_in")
    assert (await teacher.post("/api/sign-out")).status == 204


async def test_signing_in_again_ends_the_earlier_session_of_the_seat(county: CountyServer) -> None:
    before = Caller(county.http, county.base, cookie_of(await county.nobody.post(SIGN_IN, TEACHER))[0])
    assert (await before.post(SIGN_IN, {"login": "researcher", "password": PASSWORD})).status == 200
    assert (await before.get("/api/me")).refusal == (401, "not_signed_in")


async def test_each_seat_has_its_own_session(county: CountyServer) -> None:
    left = await county.nobody.post(SIGN_IN, TEACHER, headers={"X-Tongke-Seat": "left"})
    right = await county.nobody.post(f"{SIGN_IN}?seat=right.2", {"login": "researcher", "password": PASSWORD})
    both = f"{cookie_of(left, f'{COOKIE}_left')[0]}; {cookie_of(right, f'{COOKIE}_right.2')[0]}"
    browser = Caller(county.http, county.base, both)
    assert (await browser.get("/api/me", headers={"X-Tongke-Seat": "left"})).json["id"] == "person.host_teacher"
    assert (await browser.get("/api/me?seat=right.2")).json["id"] == "person.researcher"
    assert (await browser.get("/api/me")).refusal == (401, "not_signed_in")
    await browser.post("/api/sign-out", headers={"X-Tongke-Seat": "left"})
    assert (await browser.get("/api/me?seat=left")).status == 401
    assert (await browser.get("/api/me?seat=right.2")).status == 200


async def test_a_seat_that_is_no_name_is_the_common_one(county: CountyServer) -> None:
    for seat in ("a b", "a;b", "ü", "x" * 97, "../x"):
        answer = await county.nobody.ask("POST", SIGN_IN, params={"seat": seat}, json=TEACHER)
        assert answer.headers["Set-Cookie"].startswith(f"{COOKIE}="), seat


async def test_a_cookie_of_anything_is_nobody(county: CountyServer) -> None:
    for cookie in (b"", b"x", b"a" * 3000, b"\xff\xfe", b'"', b"%00"):
        reader, writer = await asyncio.open_connection(*county.address)
        writer.write(
            b"GET /api/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: tongke_session=" + cookie + b"\r\n\r\n"
        )
        head = await reader.read()
        writer.close()
        assert head.startswith(b"HTTP/1.1 401 "), cookie
        assert b"not_signed_in" in head


# forged requests


@pytest.mark.parametrize(
    "headers",
    [{"X-Tongke": ""}, {"X-Tongke": "2"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
async def test_a_request_of_another_site_changes_nothing(county: CountyServer, headers: dict[str, str]) -> None:
    person = await county.person("core_director")
    for method, path in CHANGES:
        assert (await person.ask(method, path, json=TEACHER, headers=headers)).refusal == (403, "foreign_request"), path


async def test_our_own_pages_may_change_things_and_anybody_may_read(county: CountyServer) -> None:
    assert (await county.nobody.post(SIGN_IN, TEACHER, headers={"Origin": PUBLIC})).status == 200
    teacher = await county.person("host_teacher")
    assert (await teacher.get("/api/me", headers={"X-Tongke": "", "Origin": "https://evil.example"})).status == 200


async def test_no_answer_may_be_read_by_another_site(county: CountyServer) -> None:
    teacher = await county.person("host_teacher")
    answer = await teacher.get("/api/me", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert answer.headers["Cache-Control"] == "no-store"


# passwords


@pytest.mark.parametrize(
    "wrong",
    [
        {"login": "host_teacher", "password": "x"},
        {"login": "nobody", "password": PASSWORD},
        {"login": "host_teacher", "password": ""},
        {"login": "x" * (LONGEST + 1), "password": PASSWORD},
        {"login": "host_teacher", "password": "x" * (LONGEST + 1)},
    ],
)
async def test_what_does_not_fit_is_one_answer(county: CountyServer, wrong: dict[str, str]) -> None:
    answer = await county.nobody.post(SIGN_IN, wrong)
    assert answer.refusal == (401, "wrong_password")
    assert "Set-Cookie" not in answer.headers
    assert "host_teacher" not in answer.body.decode()


async def test_guessing_is_slowed_down_and_says_for_how_long(county: CountyServer) -> None:
    answers = [await county.nobody.post(SIGN_IN, {"login": "researcher", "password": str(n)}) for n in range(9)]
    assert [answer.status for answer in answers] == [401] * 8 + [429]
    assert answers[-1].code == "too_many_attempts"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 20
    # other people are let in
    assert (await county.nobody.post(SIGN_IN, TEACHER)).status == 200


async def test_one_address_cannot_try_many_names(county: CountyServer) -> None:
    long = "x" * (LONGEST + 1)
    for number in range(ADDRESS_BURST):
        answer = await county.nobody.post(SIGN_IN, {"login": f"{number}{long}", "password": "x"})
        assert answer.status == 401
    assert (await county.nobody.post(SIGN_IN, TEACHER)).refusal == (429, "too_many_attempts")


async def test_somebody_who_has_left_is_out_at_once(county: CountyServer) -> None:
    teacher = await county.person("host_teacher")
    person = await county.app[people_key].by_id("person.host_teacher")
    assert person is not None
    await county.app[people_key].save([msgspec.structs.replace(person, active=False)])
    assert (await teacher.get("/api/me")).refusal == (401, "not_signed_in")
    assert (await county.nobody.post(SIGN_IN, TEACHER)).refusal == (401, "wrong_password")


async def test_before_the_first_import_somebody_can_sign_in_to_do_it(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with running_county(tmp_path, migrated_sqlite, furnished=False) as county:
        answer = await county.nobody.post(SIGN_IN, {"login": "bureau_admin", "password": PASSWORD})
        assert (answer.status, answer.json["communities"]) == (200, [])
        caller = Caller(county.http, county.base, cookie_of(answer)[0])
        assert (await caller.get("/api/communities")).json == []
        assert len((await caller.get("/api/people")).json) == len(PEOPLE)
        assert (await caller.get("/api/sessions")).json == []
        for path in ("/api/today", "/api/rooms", "/api/communities/A/timetable"):
            assert (await caller.get(path)).refusal == (404, "not_found")


# whom one sees


async def test_leaders_see_the_people_of_their_own_school(county: CountyServer) -> None:
    rows = (await (await county.person("member_director")).get("/api/people")).json
    assert {row["login"] for row in rows} == {"member_principal", "member_director", "member_teacher"}
    assert not [key for row in rows for key in row if "assword" in key]
    everybody = (await (await county.person("bureau_admin")).get("/api/people")).json
    assert len(everybody) == len(PEOPLE)


async def test_everybody_sees_the_communities_of_their_own(county: CountyServer) -> None:
    seen = {}
    for name in ("bureau_viewer", "researcher", "member_teacher", "foreign_teacher"):
        seen[name] = [ref["id"] for ref in (await (await county.person(name)).get("/api/communities")).json]
    assert seen == {"bureau_viewer": ["A", "B"], "researcher": ["A"], "member_teacher": ["A"], "foreign_teacher": ["B"]}
    panel = await county.panel(CORE)
    assert [ref["id"] for ref in (await panel.get("/api/communities")).json] == ["A"]
    me = (await panel.get("/api/me")).json
    assert (me["kind"], me["id"], me["grants"], me["unit"]) == ("room", remote_room(CORE), [], CORE)
