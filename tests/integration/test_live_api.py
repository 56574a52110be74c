"""Sessions over HTTP: which there are, who may be what in them, rehearsals, and the way in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert

from server.accesses import AFTER, MOST, Accesses
from server.api import live
from server.auth.middleware import _principal_key
from server.auth.principal import Principal
from server.county import Counties
from server.errors import problems
from server.journals import FileJournals
from server.keys import live_sessions_key, relay_key, site_key
from server.live_sessions import LiveSessions
from server.relay import Relay
from server.shapes.people import Grant
from server.site import Site
from server.storage.access_store import SqlAccessStore
from server.storage.amendment_store import SqlAmendmentStore
from server.storage.database import Database
from server.storage.register_store import SqlRegisterStore
from server.storage.session_store import SqlSessionStore
from server.storage.table_store import SqlTableStore, versions
from signaling.errors import TokenInvalid
from signaling.media.hub import MediaConfig, MediaHub
from signaling.service import LiveService
from tests.community_builder import CommunityBuilder, bell_times
from tests.live_lessons import Clock
from tests.live_server import Notebook
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.service import TimetableService
from timetable.days.versions import Diff, Version
from timetable.model import Lesson, Party, PlacedParty, Table
from timetable.term import moment, occurrences_on

THURSDAY = date(2026, 11, 19)
STARTS, ENDS = "10:30", "11:05"


class County:
    """A community of two schools with one published sync lesson on Thursdays, and the server of its sessions."""

    def __init__(self, database: Database, folder: Path, hub: MediaHub) -> None:
        builder = CommunityBuilder()
        self.core, self.member = (builder.unit(bell_times(500, 30, 840)) for _ in range(2))
        self.classes = tuple(builder.school_class(unit) for unit in (self.core, self.member))
        self.teacher, self.assistant = (builder.teacher(unit, subject="音乐") for unit in (self.core, self.member))
        requirement = builder.require(
            "sync",
            "音乐",
            1,
            Party(unit=self.core, classes=self.classes[:1], teachers=(self.teacher,)),
            Party(unit=self.member, classes=self.classes[1:], teachers=(self.assistant,)),
        )
        self.lesson = Lesson(
            id=f"{requirement}.1",
            requirement=requirement,
            kind="sync",
            subject="音乐",
            weekday=4,
            start=STARTS,
            end=ENDS,
            parties=tuple(
                PlacedParty(
                    unit=unit,
                    period=3,
                    start=STARTS,
                    end=ENDS,
                    room=f"{unit}-remote1",
                    classes=(school_class,),
                    teachers=(teacher,),
                )
                for unit, school_class, teacher in zip(
                    (self.core, self.member), self.classes, (self.teacher, self.assistant), strict=True
                )
            ),
        )
        self.register = builder.register()
        self.clock = Clock(moment(THURSDAY, "08:00"))
        self.database = database
        counties = self.counties = Counties(SqlRegisterStore(database))
        store = SqlSessionStore(database)
        tables = TimetableService(SqlTableStore(database), counties, now=self.clock, announce=keep_quiet)
        self.service = LiveService(
            store=store,
            journals=FileJournals(folder),
            media=hub,
            recording=Notebook(),
            secret=b"s" * 32,
            clock=self.clock,
            new_id=lambda: secrets.token_hex(4),
        )
        self.amendments = AmendmentService(
            SqlAmendmentStore(database),
            tables,
            now=self.clock,
            aside=asyncio.to_thread,
            announce=keep_quiet,
            announce_version=keep_quiet,
        )
        self.sessions = LiveSessions(
            self.service,
            store,
            counties,
            self.amendments,
            clock=self.clock,
            new_id=lambda: secrets.token_hex(4),
            accesses=Accesses(SqlAccessStore(database), self.service, self.clock),
        )
        self.asker: Principal | None = None

    @property
    def session(self) -> str:
        """The id of the lesson's session on Thursday."""
        (occurrence,) = occurrences_on(self.register.term, (self.lesson,), THURSDAY)
        return occurrence.id

    async def publish(self) -> None:
        await SqlRegisterStore(self.database).save(self.register, "test", 0.0, 0)
        community = self.register.communities[0].id
        table = Table(community=community, term=self.register.term.id, lessons=(self.lesson,))
        version = Version(
            community=community, number=1, author="test", at=0.0, table=table, diff=Diff(added=(self.lesson.id,))
        )
        row = {"community": community, "number": 1, "author": "test", "at": 0.0}
        body = msgspec.json.encode(version).decode()
        await self.database.write(lambda c: c.execute(insert(versions).values(**row, body=body)))

    def sign_in(self, kind: str) -> None:
        """Ask from now on as one of those whom the lesson knows."""
        people = {
            "host": person("host", self.core, "teacher", teacher=self.teacher),
            "assistant": person("assistant", self.member, "teacher", teacher=self.assistant),
            "director": person("director", self.core, "academic_director"),
            "stranger": person("stranger", "elsewhere", "teacher"),
            "room": Principal(kind="room", id=f"{self.member}-remote1", name="远程教室1", unit=self.member),
            "other room": Principal(kind="room", id="room-elsewhere", name="别处", unit="elsewhere"),
        }
        self.asker = people[kind]

    @web.middleware
    async def identify(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.asker is not None:
            request[_principal_key] = self.asker
        response: web.StreamResponse = await handler(request)
        return response


async def keep_quiet(_news: object) -> None:
    """Nobody follows the tables here."""


def person(name: str, unit: str, role: Any, teacher: str | None = None) -> Principal:
    return Principal(
        kind="person", id=f"p-{name}", name=name, unit=unit, teacher=teacher, grants=(Grant(role=role, unit=unit),)
    )


class Page:
    """A page that asks the server."""

    def __init__(self, county: County, client: TestClient[Any, Any]) -> None:
        self.county, self.client = county, client

    async def get(self, path: str) -> Any:
        async with self.client.get(path) as response:
            return await response.json(content_type=None)

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.client.post(path, json=body) as response:
            return response.status, await response.json(content_type=None)


@pytest.fixture
async def page(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Page]:
    database, hub = Database.open(sqlite_url), MediaHub(MediaConfig())
    await hub.open()
    county = County(database, tmp_path / "journals", hub)
    await county.publish()
    app = web.Application(middlewares=[problems, county.identify])
    app[live_sessions_key] = county.sessions
    app[site_key] = Site("http://tongke.test")
    app[relay_key] = Relay(["turn:t.test"], "s" * 20, 60.0, county.clock)
    app.add_routes(live.routes)
    async with TestClient(TestServer(app)) as client:
        yield Page(county, client)
    await county.service.close()
    await hub.close()
    await database.close()


async def test_day_shows_lessons_to_come_under_the_id_of_their_session(page: Page) -> None:
    page.county.sign_in("host")
    (row,) = await page.get("/api/sessions")
    assert {key: row[key] for key in ("lesson", "state", "role", "rehearsal", "units", "review")} == {
        "lesson": page.county.lesson.id,
        "state": "scheduled",
        "role": "host",
        "rehearsal": False,
        "units": [page.county.core, page.county.member],
        "review": None,
    }
    page.county.clock.now = row["starts"] - 60
    await page.post(f"/api/sessions/{row['id']}/join")
    (opened,) = await page.get("/api/sessions")
    assert opened == row | {"state": "open"}


async def test_day_is_chosen_by_date_and_community(page: Page) -> None:
    page.county.sign_in("host")
    assert len(await page.get("/api/sessions?date=2026-11-26")) == 1
    assert await page.get("/api/sessions?date=2026-11-20") == []
    assert await page.get("/api/sessions?community=other") == []
    assert (await page.get("/api/sessions?date=tomorrow"))["code"] == "invalid_body"


async def test_nobody_is_asked_to_sign_in(page: Page) -> None:
    assert (await page.get("/api/sessions"))["code"] == "not_signed_in"


async def test_room_sees_its_own_lessons_only(page: Page) -> None:
    page.county.sign_in("room")
    assert [row["role"] for row in await page.get("/api/sessions")] == ["endpoint"]
    page.county.sign_in("other room")
    assert await page.get("/api/sessions") == []


async def test_join_opens_the_doors_when_it_is_time(page: Page) -> None:
    page.county.sign_in("room")
    (row,) = await page.get("/api/sessions")
    status, problem = await page.post(f"/api/sessions/{row['id']}/join")
    assert (status, problem["code"]) == (409, "session_not_open")
    assert problem["fields"]["opens"] == row["starts"] - 900
    page.county.clock.now = row["starts"] - 900
    status, reply = await page.post(f"/api/sessions/{row['id']}/join")
    assert (status, reply["role"], reply["participant"]) == (200, "endpoint", f"{page.county.member}-remote1")
    assert reply["socketUrl"] == "ws://tongke.test/ws/live"
    assert reply["assistantUrl"] == f"http://tongke.test/classroom/{row['id']}?as=assistant"
    assert reply["expiresAt"] == page.county.clock.now + 300
    (server,) = reply["iceServers"]
    assert (server["urls"], server["username"].partition(":")[0]) == (["turn:t.test"], str(int(row["starts"] - 840)))


@pytest.mark.parametrize(
    ("asker", "wish", "result"),
    [
        ("host", None, "host"),
        ("host", "observer", "observer"),
        ("host", "assistant", "not_in_lesson"),
        ("assistant", "assistant", "assistant"),
        ("director", None, "observer"),
        ("director", "host", "host"),
        ("director", "encoder", "not_in_lesson"),
        ("director", "king", "not_in_lesson"),
        ("stranger", None, "not_in_lesson"),
        ("room", "host", "not_in_lesson"),
    ],
)
async def test_role_is_the_wished_one_where_it_is_the_askers(
    page: Page, asker: str, wish: str | None, result: str
) -> None:
    page.county.sign_in(asker)
    page.county.clock.now = moment(THURSDAY, STARTS)
    session = page.county.session
    query = f"?as={wish}" if wish else ""
    status, reply = await page.post(f"/api/sessions/{session}/join{query}")
    assert (status, reply.get("role") or reply["code"]) == (403 if result == "not_in_lesson" else 200, result)


async def test_host_rehearses_at_any_hour_and_once_at_a_time(page: Page) -> None:
    page.county.sign_in("host")
    status, row = await page.post("/api/sessions", {"lesson": page.county.lesson.id})
    assert (status, row["state"], row["rehearsal"], row["ends"] - row["starts"]) == (201, "open", True, 35 * 60)
    assert await page.post("/api/sessions", {"lesson": page.county.lesson.id}) == (201, row)
    assert await page.get(f"/api/sessions/{row['id']}") == row
    assert row in await page.get("/api/sessions")


@pytest.mark.parametrize("asker", ["assistant", "room", "stranger"])
async def test_only_a_host_rehearses(page: Page, asker: str) -> None:
    page.county.sign_in(asker)
    status, problem = await page.post("/api/sessions", {"lesson": page.county.lesson.id})
    assert (status, problem["code"]) == (403, "not_in_lesson")


@pytest.mark.parametrize(("kind", "entry"), [("encoder", "whip"), ("player", "whep")])
async def test_host_gives_programs_a_way_in(page: Page, kind: str, entry: str) -> None:
    page.county.sign_in("host")
    session, ends = page.county.session, moment(THURSDAY, ENDS)
    status, found = await page.post(f"/api/sessions/{session}/access", {"kind": kind})
    assert (status, found["url"]) == (201, f"http://tongke.test/{entry}/{page.county.lesson.id}")
    assert found["expiresAt"] == ends + 3600
    claims = page.county.service.admission.bearer(found["token"])
    assert (claims.session, claims.role) == (page.county.lesson.id, "encoder" if kind == "encoder" else "observer")
    for other in ("assistant", "room", "stranger"):
        page.county.sign_in(other)
        assert (await page.post(f"/api/sessions/{session}/access", {"kind": kind}))[1]["code"] == "not_in_lesson"


async def test_withdrawn_access_stays_withdrawn_after_a_restart(page: Page) -> None:
    page.county.sign_in("host")
    path = f"/api/sessions/{page.county.session}/access"
    kept, gone = [(await page.post(path, {"kind": "encoder"}))[1] for _ in range(2)]
    async with page.client.delete(f"{path}/{gone['id']}") as response:
        assert response.status == 204
    async with page.client.delete(f"{path}/{gone['id']}") as response:
        assert response.status == 404
    county = page.county
    fresh = LiveService(
        store=SqlSessionStore(county.database),
        journals=FileJournals(Path()),
        media=MediaHub(MediaConfig()),
        recording=Notebook(),
        secret=b"s" * 32,
        clock=county.clock,
        new_id=lambda: "x",
    )
    again = Accesses(SqlAccessStore(county.database), fresh, county.clock)
    await again.load()
    assert [one.id for one in again.of(county.lesson.id)] == [kept["id"]]
    assert fresh.admission.bearer(kept["token"]).jti == kept["id"]
    with pytest.raises(TokenInvalid):
        fresh.admission.bearer(gone["token"])
    for _ in range(MOST - 1):
        assert (await page.post(path, {"kind": "player"}))[0] == 201
    assert (await page.post(path, {"kind": "player"}))[1]["code"] == "too_many_accesses"
    county.clock.now = moment(THURSDAY, ENDS) + AFTER
    assert again.of(county.lesson.id) == []


async def test_unknown_lessons_and_sessions_are_not_found(page: Page) -> None:
    page.county.sign_in("host")
    assert (await page.get("/api/sessions/none"))["code"] == "session_not_found"
    assert (await page.post("/api/sessions/none/join"))[1]["code"] == "session_not_found"
    assert (await page.post("/api/sessions", {"lesson": "none"}))[1]["code"] == "not_found"
    assert (await page.post("/api/sessions", {"lesson": 3}))[1]["code"] == "invalid_body"
