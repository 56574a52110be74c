"""A small county on the real application: two communities, everybody signed in, panels paired, a published table."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import ClientSession, DummyCookieJar, web
from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher
from multidict import CIMultiDictProxy

from config.settings import load
from server.app import create_app
from server.auth.middleware import COOKIE, auth_key
from server.keys import (
    counties_key,
    importing_key,
    people_key,
    site_key,
    timetable_key,
)
from server.logs import AccessLog
from server.shapes.people import Grant, PersonRole
from server.storage.people_store import PairedRoom, Person
from tests.community_builder import CommunityBuilder, bell_times
from timetable.agreement.service import TimetableService
from timetable.model import SHARED_KINDS, Lesson, Party, PlacedParty, Register, Requirement, Table, Term
from timetable.term import local_date

PUBLIC = "http://tongke.test"
PASSWORD = "correct horse 电池"
PROBLEM = "application/problem+json"

CORE, MEMBER, THIRD = "A0", "A1", "A2"
"""The first community's schools; the third one's class may not be recorded."""
FOREIGN = "B0"
"""The core school of the other community."""
SYNC = "A-r1.1"
"""The sync lesson of all three schools, two days from now; `SYNC_REQUIREMENT` is what it comes from."""
SYNC_REQUIREMENT = "A-r1"
LOCAL = "A-r2.1"
STARTS, ENDS = "10:30", "11:10"


def remote_room(unit: str) -> str:
    return f"{unit}-remote1"


class Answer:
    """What the server said, read to its end."""

    def __init__(self, status: int, headers: CIMultiDictProxy[str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """The code of a problem; an assertion fails where the answer is none."""
        assert self.headers["Content-Type"].split(";")[0] == PROBLEM, (self.status, self.headers, self.body[:500])
        assert self.json["status"] == self.status
        return str(self.json["code"])

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.code

    def __repr__(self) -> str:
        return f"<{self.status} {self.body[:300]!r}>"


class Caller:
    """One browser: a cookie, or none, and the headers that our pages send."""

    def __init__(self, http: ClientSession, base: str, cookie: str = "") -> None:
        self._http = http
        self._base = base
        self.headers = {"X-Tongke": "1"} | ({"Cookie": cookie} if cookie else {})

    async def ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        sent = {name: value for name, value in {**self.headers, **(headers or {})}.items() if value}
        options.setdefault("allow_redirects", False)
        async with self._http.request(method, f"{self._base}{path}", headers=sent, **options) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.ask("POST", path, **({"json": body} if body is not None else {}), **options)

    async def put(self, path: str, body: Any, **options: Any) -> Answer:
        return await self.ask("PUT", path, json=body, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.ask("DELETE", path, **options)


class CountyServer:
    """The running application, and a `Caller` for everybody in the county."""

    def __init__(self, app: web.Application, server: TestServer, http: ClientSession) -> None:
        self.app = app
        self.base = str(server.make_url("")).rstrip("/")
        self.address = (server.host, int(server.port or 0))
        self.http = http
        self.nobody = Caller(http, self.base)

    async def person(self, name: str) -> Caller:
        """Somebody of PEOPLE in a login session of their own."""
        return await self._session("person", person_id(name))

    async def panel(self, unit: str) -> Caller:
        """The paired remote room of a school."""
        return await self._session("room", remote_room(unit))

    async def _session(self, kind: Any, subject: str) -> Caller:
        return Caller(self.http, self.base, f"{COOKIE}={await self.app[auth_key].open_session(kind, subject)}")


PEOPLE: dict[str, tuple[str | None, str | None, tuple[Grant, ...]]] = {}
"""Everybody: unit, teacher of the register, grants."""


def _somebody(
    name: str, role: PersonRole, *, unit: str | None = None, community: str | None = None, teacher: str | None = None
) -> None:
    PEOPLE[name] = (
        unit or (f"{community}0" if role == "convenor" else None),
        teacher,
        (Grant(role=role, unit=unit, community=community),),
    )


_somebody("bureau_admin", "bureau_admin")
_somebody("bureau_viewer", "bureau_viewer")
_somebody("convenor", "convenor", community="A")
_somebody("researcher", "researcher", community="A")
_somebody("core_principal", "principal", unit=CORE)
_somebody("core_director", "academic_director", unit=CORE)
_somebody("host_teacher", "teacher", unit=CORE, teacher="A0-t1")
_somebody("core_teacher", "teacher", unit=CORE, teacher="A0-t4")
_somebody("member_principal", "principal", unit=MEMBER)
_somebody("member_director", "academic_director", unit=MEMBER)
_somebody("member_teacher", "teacher", unit=MEMBER, teacher="A1-t2")
_somebody("third_director", "academic_director", unit=THIRD)
_somebody("third_teacher", "teacher", unit=THIRD, teacher="A2-t3")
_somebody("foreign_director", "academic_director", unit=FOREIGN)
_somebody("foreign_teacher", "teacher", unit=FOREIGN, teacher="B0-t1")
_somebody("foreign_researcher", "researcher", community="B")


def person_id(name: str) -> str:
    return f"person.{name}"


def term_around(today: date) -> Term:
    """A term that `today` lies in the middle of."""
    monday = today - timedelta(days=today.weekday())
    first, last = monday - timedelta(weeks=6), monday + timedelta(weeks=6, days=6)
    return Term(
        id="2026-autumn",
        name="第一学期",
        first_day=first.isoformat(),
        last_day=last.isoformat(),
        week_one=first.isoformat(),
    )


def county_register(today: date, schools: int = 3) -> Register:
    """Two communities, of `schools` (three) and two schools. All ring their bells on all seven days, so that no test
    depends on the day it runs on."""
    first, second = _community("A", schools), _community("B", 2)
    joined = {
        field: (*getattr(first, field), *getattr(second, field))
        for field in ("communities", "campuses", "travel", "units", "rooms", "teachers", "classes", "requirements")
    }
    joined["communities"] = (
        joined["communities"][0],
        msgspec.structs.replace(joined["communities"][1], number=2, mode="merged"),
    )
    register = msgspec.structs.replace(first, term=term_around(today), weekdays=(1, 2, 3, 4, 5, 6, 7), **joined)
    return msgspec.structs.replace(
        register,
        units=tuple(
            msgspec.structs.replace(
                unit, bells=tuple(msgspec.structs.replace(b, weekdays=(1, 2, 3, 4, 5, 6, 7)) for b in unit.bells)
            )
            for unit in register.units
        ),
        classes=tuple(msgspec.structs.replace(c, recording_consent=c.unit != THIRD) for c in register.classes),
    )


def _community(id: str, schools: int) -> Register:
    builder = CommunityBuilder(community=id)
    units = [builder.unit(bell_times(500 + 5 * number, 30, 840), remote_rooms=1) for number in range(schools)]
    classes = [builder.school_class(unit) for unit in units]
    teachers = [builder.teacher(unit, subject="科学") for unit in units]
    parties = [
        Party(unit=unit, classes=(school_class,), teachers=(teacher,))
        for unit, school_class, teacher in zip(units, classes, teachers, strict=True)
    ]
    builder.require("sync", "科学", 1, *parties)
    builder.local(classes[0], "语文", 2, builder.teacher(units[0], subject="语文"))
    return builder.register()


def county_table(register: Register, community: str, weekday: int, start: str = STARTS, end: str = ENDS) -> Table:
    """The community's table by hand: the sync lesson in the remote rooms, the local ones after it."""
    lessons = []
    for requirement in register.requirements:
        if requirement.community == community:
            shared = requirement.kind in SHARED_KINDS
            day = weekday if shared else weekday % 7 + 1
            lessons.append(_lesson(register, requirement, day, start, end))
    return Table(community=community, term=register.term.id, lessons=tuple(lessons), cost=7)


def _lesson(register: Register, requirement: Requirement, weekday: int, start: str, end: str) -> Lesson:
    homes = {school_class.id: school_class.room for school_class in register.classes}
    shared = requirement.kind in SHARED_KINDS
    return Lesson(
        id=f"{requirement.id}.1",
        requirement=requirement.id,
        kind=requirement.kind,
        subject=requirement.subject,
        weekday=weekday,
        start=start,
        end=end,
        parties=tuple(
            PlacedParty(
                unit=party.unit,
                period=3,
                start=start,
                end=end,
                room=remote_room(party.unit) if shared else homes[party.classes[0]],
                classes=party.classes,
                teachers=party.teachers,
            )
            for party in requirement.parties
        ),
    )


async def agree_on(tables: TimetableService, table: Table, units: tuple[str, ...]) -> None:
    """Through the negotiation to the next version; the core school is the first of `units`."""
    draft = await tables.draft(table.community)
    revision = draft.revision if draft else 0
    revision = (await tables.take_draft(table.community, table, author="排课", revision=revision)).revision
    core, *members = units
    revision = (await tables.propose(table.community, unit=core, by="教务", revision=revision)).revision
    for unit in members:
        draft = await tables.draft(table.community)
        assert draft is not None
        if unit in draft.negotiation.silent:
            revision = (await tables.agree(table.community, unit=unit, by="教务", revision=revision)).revision
    await tables.publish(table.community, unit=core, by="教务", revision=revision)


async def furnish(app: web.Application, *, days_ahead: int = 2, publish: bool = True, schools: int = 3) -> None:
    """Bring the county in by the ways that a real one takes: import, negotiation, pairing. The sync lessons take
    place in `days_ahead` days."""
    today = local_date(time.time())
    register = county_register(today, schools)
    await app[importing_key].run({"county.json": msgspec.json.encode(register)}, "tests")
    register = (await app[counties_key].now()).register
    if publish:
        weekday = (today + timedelta(days=days_ahead)).isoweekday()
        for community in register.communities:
            await agree_on(app[timetable_key], county_table(register, community.id, weekday), community.units)
    for unit in register.units:
        await app[people_key].pair(
            PairedRoom(
                room=remote_room(unit.id), name=f"{unit.name}远程教室", unit=unit.id, paired_at=1.0, paired_by="tests"
            )
        )


async def enrol(app: web.Application) -> None:
    """Give everybody of PEOPLE an account."""
    password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await app[people_key].save(
        [
            Person(
                id=person_id(name),
                login=name,
                name=f"某{name}",
                unit=unit,
                teacher=teacher,
                password_hash=password,
                grants=grants,
            )
            for name, (unit, teacher, grants) in PEOPLE.items()
        ]
    )


@contextlib.asynccontextmanager
async def running_county(
    folder: Path,
    empty_database: Path,
    *,
    furnished: bool = True,
    publish: bool = True,
    client: Path | None = None,
    **environ: str,
) -> AsyncIterator[CountyServer]:
    """The application on a free port, its data in `folder`; `empty_database` is a migrated file to begin with. With the
    built `client` browsers may come: its public address is then the one it has."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "tongke.db").exists():
        shutil.copy(empty_database, folder / "tongke.db")
    settings = load(
        None,
        {
            "TONGKE_SERVER_DATA_DIR": str(folder),
            "TONGKE_SERVER_PUBLIC_URL": PUBLIC,
            "TONGKE_MEDIA_PORT": "0",
            "TONGKE_MEDIA_TCP_PORT": "-1",
            **environ,
        },
    )
    app = create_app(settings, static=client or folder / "no-client")
    server = TestServer(app)
    await server.start_server(access_log_class=AccessLog)
    if client is not None:
        app[site_key].public_url = str(server.make_url("")).rstrip("/")
    try:
        async with ClientSession(cookie_jar=DummyCookieJar()) as http:
            await enrol(app)
            if furnished:
                await furnish(app, publish=publish)
            yield CountyServer(app, server, http)
    finally:
        await server.close()
