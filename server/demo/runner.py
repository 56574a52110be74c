"""The demonstration: the demo county on embedded defaults, with links that open everything."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec
from aiohttp import web
from msgspec import structs

from config.settings import Settings, load
from server import logs
from server.app import create_app
from server.auth.middleware import auth_key
from server.calendars import target_name
from server.county import County
from server.demo import exercises
from server.demo import state as demo_state
from server.demo.accounts import accounts
from server.demo.announcement import Access, Announcement, EndpointEntry, FeedEntry, LessonEntry, users
from server.demo.county_load import demo_lesson, import_county, publish_tables
from server.demo.links import Link, Page, seal
from server.demo.materials import supply
from server.demo.rehearsal import RehearsalKeeper
from server.demo.state import DemoState
from server.keys import (
    calendars_key,
    counties_key,
    demo_key,
    exercises_key,
    importing_key,
    live_key,
    materials_key,
    people_key,
    session_store_key,
    settings_key,
    site_key,
    timetable_key,
)
from server.private_file import write_private
from server.process import run as run_process
from server.storage.people_store import PairedRoom
from server.today import lesson_title
from timetable.export.feeds import FeedKind
from timetable.model import Lesson

SOLVE_SECONDS = 24.0
"""For all six communities together; the first tables take a third of it."""
TOKEN_SECONDS = 366 * 86400.0
OWNER = "demo"
ANNOUNCEMENT = "demo.json"


def run(port: int, folder: Path) -> None:
    """Serve the demonstration on the loopback until it is asked to stop."""
    logs.configure()
    folder = folder.resolve()
    settings = load(None, os.environ)
    settings = structs.replace(
        settings,
        server=structs.replace(settings.server, host="127.0.0.1", port=port, data_dir=folder),
        media=structs.replace(settings.media, host="127.0.0.1", port=0),
        demo=structs.replace(settings.demo, enabled=True),
    )
    demo = Demo(folder)
    run_process(settings, demo.build, demo.prepare)


class Demo:
    """The demonstration of one data folder: what its links need, and its way from an empty folder to `demo.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: DemoState = demo_state.load(folder)
        self._keeper: RehearsalKeeper | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._app: web.Application | None = None

    @property
    def link_secret(self) -> bytes:
        return bytes.fromhex(self._state.link_secret)

    async def session(self) -> str:
        """The rehearsal that is open now."""
        assert self._keeper is not None
        return await self._keeper.current()

    async def newest_review(self) -> str | None:
        """The review of the demo lesson's last rehearsal."""
        assert self._app is not None
        records = await self._app[session_store_key].of_lesson(self._state.lesson)
        return next((record.review for record in records if record.review is not None), None)

    def build(self, settings: Settings) -> web.Application:
        # an address of an earlier run must not look like one of this; the folder is ours by now
        (self._folder / ANNOUNCEMENT).unlink(missing_ok=True)
        app = create_app(settings)
        app[demo_key] = self
        app.on_shutdown.append(self._stop)
        return app

    async def prepare(self, app: web.Application) -> None:
        """Bring the county in, publish its tables, and say where everything is."""
        self._app = app
        began = time.monotonic()

        def tell(text: str) -> None:
            print(f"[{time.monotonic() - began:6.1f} s] {text}", file=sys.stderr, flush=True)

        county = await import_county(app[importing_key], app[counties_key], tell)
        workers = app[settings_key].timetable.workers or os.cpu_count() or 1
        await publish_tables(
            app[timetable_key], county, self._folder / "builds", seconds=SOLVE_SECONDS, workers=workers, tell=tell
        )
        first = min(county.register.communities, key=lambda community: community.number)
        version = await app[timetable_key].newest(first.id)
        assert version is not None
        lesson = demo_lesson(county, version.table)
        self._state.lesson = lesson.id
        await self._people(app, county, lesson)
        await exercises.prepare(app[exercises_key], lesson.id, f"person.{lesson.host.teachers[0]}", time.time())
        feeds = await self._feeds(app, county)
        self._keeper = RehearsalKeeper(app[live_key], app[counties_key], lesson, time.time)
        await supply(app[materials_key], app[live_key].running(await self._keeper.current()).plan)
        self._keeping = asyncio.create_task(self._keeper.keep(), name="rehearsal")
        announcement = await self._announcement(app, county, lesson, feeds)
        demo_state.save(self._folder, self._state)
        write_private(self._folder / ANNOUNCEMENT, msgspec.json.format(msgspec.json.encode(announcement), indent=1))
        tell(f"就绪 / ready: {app[site_key].public_url}")
        _show(announcement, self._state.password)

    async def _stop(self, app: web.Application) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def _people(self, app: web.Application, county: County, lesson: Lesson) -> None:
        """The accounts, and the panels of the lesson's member classrooms."""
        store = app[people_key]
        if not await store.all():
            password_hash = await app[auth_key].hash(self._state.password)
            await store.save(accounts(county, lesson, password_hash))
        paired = {room.room for room in await store.rooms()}
        for party in lesson.parties[1:]:
            if party.room is not None and party.room not in paired:
                room = county.room(party.room)
                await store.pair(
                    PairedRoom(room=room.id, name=room.name, unit=room.unit, paired_at=time.time(), paired_by=OWNER)
                )

    async def _feeds(self, app: web.Application, county: County) -> tuple[FeedEntry, ...]:
        """An address for everybody's calendar; those of an earlier start go on."""
        register = county.register
        wanted: list[tuple[FeedKind, str]] = [
            *(("teacher", teacher.id) for teacher in register.teachers),
            *(("class", school_class.id) for school_class in register.classes),
            *(("room", room.id) for room in register.rooms),
            *(("unit", unit.id) for unit in register.units),
            *(("community", community.id) for community in register.communities),
        ]
        missing = [(kind, target) for kind, target in wanted if f"{kind}:{target}" not in self._state.feeds]
        if missing:
            created = await app[calendars_key].create_all(missing, owner=OWNER, device="demo.json")
            for feed, secret in created:
                self._state.feeds[f"{feed.kind}:{feed.target}"] = secret
        base = app[site_key].public_url
        return tuple(
            FeedEntry(
                kind=kind,
                id=target,
                name=target_name(county, kind, target),
                url=f"{base}/feeds/{self._state.feeds[f'{kind}:{target}']}.ics",
            )
            for kind, target in wanted
        )

    async def _announcement(
        self, app: web.Application, county: County, lesson: Lesson, feeds: tuple[FeedEntry, ...]
    ) -> Announcement:
        base = app[site_key].public_url
        people = await app[people_key].all()
        live = app[live_key]
        plan = live.running(await self.session()).plan
        observer = next(
            person
            for person in people
            if any(grant.role == "researcher" and grant.community == plan.community for grant in person.grants)
        )

        def link(page: Page, subject: str) -> str:
            return f"{base}/demo/enter/{seal(self.link_secret, Link(page, subject))}"

        host, member = lesson.parties[0], lesson.parties[1]
        host_url = link("host", f"person.{host.teachers[0]}")
        return Announcement(
            base_url=base,
            users=users(people, self._state.password),
            feeds=feeds,
            lesson=LessonEntry(
                id=lesson.id,
                title=lesson_title(county, lesson),
                host_url=host_url,
                assistant_url=link("assistant", f"person.{member.teachers[0]}"),
                endpoint_urls=tuple(
                    EndpointEntry(unit=party.unit, room=party.room or "", url=link("endpoint", party.room or ""))
                    for party in lesson.parties[1:]
                ),
                observer_url=link("observer", observer.id),
                review_url=link("review", f"person.{host.teachers[0]}"),
            ),
            whip=Access(url=f"{base}/whip/{lesson.id}", token=live.admission.invite_encoder(plan, TOKEN_SECONDS)[0]),
            whep=Access(url=f"{base}/whep/{lesson.id}", token=live.admission.invite_player(plan, TOKEN_SECONDS)[0]),
        )


def _show(announcement: Announcement, password: str) -> None:
    """The links to open, for a person at the terminal."""
    lesson = announcement.lesson
    directors = [user for user in announcement.users if user.role == "academic_director"]
    print(f"\n同课 Tongke  {announcement.base_url}")
    print(f"  登录 sign in     {directors[0].login}  {password}")
    print(f"  {lesson.title}")
    print(f"  主讲 host        {lesson.host_url}")
    for endpoint in lesson.endpoint_urls:
        print(f"  教室 classroom   {endpoint.url}")
    print(f"  助教 assistant   {lesson.assistant_url}")
    print(f"  观摩 observer    {lesson.observer_url}")
    print(f"  研讨 review      {lesson.review_url}\n", flush=True)
