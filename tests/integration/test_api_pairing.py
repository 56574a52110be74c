"""Panels and rooms over HTTP: a code that is shown, confirmed by a person, and collected once; and a panel's day."""

from __future__ import annotations

import time
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from server.auth.middleware import COOKIE
from server.auth.service import PAIRING_BURST
from server.keys import counties_key, database_key, timetable_key
from server.storage.people_store import sessions
from tests.county_server import (
    CORE,
    ENDS,
    FOREIGN,
    MEMBER,
    STARTS,
    SYNC,
    Answer,
    Caller,
    CountyServer,
    agree_on,
    county_table,
    remote_room,
    running_county,
)
from timetable.term import local_date, moment

ROOM = remote_room(MEMBER)


async def poll(county: CountyServer, secret: str) -> Answer:
    return await county.nobody.post("/api/pairing/poll", {"secret": secret})


async def test_a_panel_is_paired_by_a_person_who_reads_its_code(county: CountyServer) -> None:
    shown = await county.nobody.post("/api/pairing")
    assert shown.status == 201
    code, secret = shown.json["code"], shown.json["secret"]
    assert len(code) == 8
    assert 290 < shown.json["expiresAt"] - time.time() <= shown.json["expiresIn"] == 300
    # what the director's phone opens holds the code and never the secret
    assert parse_qs(urlsplit(shown.json["confirmUrl"]).query) == {"code": [code]}
    waiting = await poll(county, secret)
    assert (waiting.json["state"], "Set-Cookie" in waiting.headers) == ("waiting", False)

    old_panel = await county.panel(MEMBER)
    director = await county.person("member_director")
    assert (await director.post("/api/pairing/confirm", {"code": code, "room": ROOM})).status == 204
    assert (await old_panel.get("/api/room/day")).refusal == (401, "not_signed_in")

    confirmed = await poll(county, secret)
    assert (confirmed.json["state"], confirmed.json["roomName"]) == ("confirmed", "远程教室1")
    cookie = SimpleCookie(confirmed.headers["Set-Cookie"])[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], int(cookie["max-age"])) == (True, "Lax", 400 * 86400)
    panel = Caller(county.http, county.base, f"{COOKIE}={cookie.value}")
    assert (await panel.get("/api/me")).json["id"] == ROOM

    again = await poll(county, secret)
    assert (again.json["state"], "Set-Cookie" in again.headers) == ("expired", False)
    used = await director.post("/api/pairing/confirm", {"code": code, "room": ROOM})
    assert used.refusal == (404, "pairing_code_wrong")
    [row] = (await director.get("/api/rooms")).json
    assert (row["id"], row["pairedBy"]) == (ROOM, "某member_director")

    assert (await director.delete(f"/api/rooms/{ROOM}/device")).status == 204
    assert (await panel.get("/api/room/day")).refusal == (401, "not_signed_in")
    [row] = (await director.get("/api/rooms")).json
    assert row["pairedAt"] is None


async def test_a_panels_cookie_is_given_again_while_it_is_in_use(county: CountyServer) -> None:
    """A browser forgets a cookie after its 400 days, in the middle of some lesson."""
    panel = await county.panel(MEMBER)
    assert "Set-Cookie" not in (await panel.get("/api/room/day")).headers
    old = update(sessions).where(sessions.c.kind == "room").values(expires_at=time.time() + 86400)
    await county.app[database_key].write(lambda connection: connection.execute(old))
    again = SimpleCookie((await panel.get("/api/room/day")).headers["Set-Cookie"])[COOKIE]
    assert (panel.headers["Cookie"], int(again["max-age"])) == (f"{COOKIE}={again.value}", 400 * 86400)
    assert "Set-Cookie" not in (await panel.get("/api/room/day")).headers


async def test_only_the_schools_own_leaders_confirm_and_only_remote_rooms(county: CountyServer) -> None:
    code = (await county.nobody.post("/api/pairing")).json["code"]
    confirm = {"code": code, "room": ROOM}
    for name in ("foreign_director", "core_director", "member_teacher", "convenor", "researcher", "bureau_viewer"):
        refused = await (await county.person(name)).post("/api/pairing/confirm", confirm)
        assert refused.refusal == (403, "not_permitted"), name
    director = await county.person("member_director")
    home = await director.post("/api/pairing/confirm", {"code": code, "room": "room-A1-5-1"})
    assert home.refusal == (404, "not_found")
    absent = await director.post("/api/pairing/confirm", {"code": code, "room": "room-absent"})
    assert absent.refusal == (404, "not_found")
    # the code still waits for the right person
    bureau = await county.person("bureau_admin")
    assert (await bureau.post("/api/pairing/confirm", confirm)).status == 204


async def test_codes_cannot_be_guessed(county: CountyServer) -> None:
    director = await county.person("member_director")
    codes = [f"{number:08d}" for number in range(PAIRING_BURST + 1)]
    answers = [await director.post("/api/pairing/confirm", {"code": code, "room": ROOM}) for code in codes]
    assert {answer.code for answer in answers[:-1]} == {"pairing_code_wrong"}
    assert answers[-1].refusal == (429, "too_many_attempts")


async def test_one_address_does_not_fill_the_table_of_codes(county: CountyServer) -> None:
    answers = [await county.nobody.post("/api/pairing") for _ in range(PAIRING_BURST + 1)]
    assert [answer.status for answer in answers] == [201] * PAIRING_BURST + [429]
    assert len({answer.json["code"] for answer in answers[:-1]}) == PAIRING_BURST


async def test_a_secret_of_anybody_is_an_expired_pairing(county: CountyServer) -> None:
    for secret in ("", "x", "x" * 5000):
        assert (await poll(county, secret)).json == {"state": "expired", "roomName": ""}


# a panel's day


@pytest.mark.parametrize("who", ["member_director", "bureau_admin"])
async def test_a_rooms_day_is_for_the_room(county: CountyServer, who: str) -> None:
    assert (await (await county.person(who)).get("/api/room/day")).refusal == (403, "not_permitted")
    assert (await county.nobody.get("/api/room/day")).refusal == (401, "not_signed_in")


async def test_a_panel_shows_its_lessons_of_today(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with running_county(tmp_path, migrated_sqlite, publish=False) as county:
        today = local_date(time.time())
        register = (await county.app[counties_key].now()).register
        # the window that is farther from now: no session opens by itself while the test runs
        middle = moment(today, "12:00")
        start, end = (STARTS, ENDS) if time.time() > middle + 1800 else ("22:10", "22:50")
        table = county_table(register, "A", today.isoweekday(), start, end)
        await agree_on(county.app[timetable_key], table, register.communities[0].units)
        panel = await county.panel(MEMBER)
        day = (await panel.get("/api/room/day")).json
        assert (day["room"], day["unit"], day["date"], day["join"]) == (ROOM, MEMBER, today.isoformat(), None)
        assert [(row["title"], row["start"], row["state"], row["session"]) for row in day["lessons"]] == [
            ("科学 A0-5-1班", start, "scheduled", None)
        ]
        assert day["lessons"][0]["starts"] == moment(today, start)
        assert (await (await county.panel(FOREIGN)).get("/api/room/day")).json["lessons"] == []
        [row] = (await (await county.person("member_director")).get("/api/rooms")).json
        assert abs(row["lastSeen"] - time.time()) < 60


async def test_a_panel_is_sent_into_the_rehearsal_of_its_lesson_and_no_other(county: CountyServer) -> None:
    teacher = await county.person("host_teacher")
    session = (await teacher.post("/api/sessions", {"lesson": SYNC})).json["id"]
    for unit, wanted in ((MEMBER, session), (CORE, None), (FOREIGN, None)):
        assert (await (await county.panel(unit)).get("/api/room/day")).json["join"] == wanted, unit
    today = local_date(time.time())
    later = moment(today + timedelta(days=2), "00:00")
    assert (await (await county.panel(MEMBER)).get("/api/room/day")).json["serverTime"] < later
