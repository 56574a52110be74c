"""The composition root: the one module that knows every adapter and joins them to the domain."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import structlog
from aiohttp import web
from sqlalchemy import text

from config.settings import Settings
from recordings.service import ReviewService
from server import pages
from server.accesses import Accesses
from server.answer_files import AnswerFiles
from server.api import (
    amendments,
    builds,
    cameras,
    closings,
    demo,
    exercises,
    feeds,
    importing,
    live,
    materials,
    memberships,
    people,
    repair,
    reports,
    room,
    rooms,
    table_io,
    terms,
    timetable,
    today,
    whip,
)
from server.api import explanations as explanation_routes
from server.api import reviews as review_routes
from server.auth.middleware import auth_key, identify, origins_key
from server.auth.service import AuthService
from server.builds import Builds
from server.bus import BusUnavailable, open_bus
from server.calendars import Calendars
from server.cameras.certificate import kept_pair
from server.cameras.pulls import CameraPulls
from server.cameras.store import CameraStore
from server.county import Counties
from server.errors import problems
from server.explanations import Explanations
from server.headers import secure
from server.journals import FileJournals
from server.keys import (
    amendments_key,
    answers_key,
    builds_key,
    bus_key,
    calendars_key,
    camera_store_key,
    cameras_key,
    closings_key,
    counties_key,
    database_key,
    exercises_key,
    explanations_key,
    importing_key,
    intake_key,
    live_key,
    live_sessions_key,
    materials_key,
    media_key,
    memberships_key,
    metrics_key,
    people_key,
    registers_key,
    relay_key,
    repairs_key,
    reviews_key,
    session_store_key,
    settings_key,
    site_key,
    timetable_key,
    withdrawals_key,
)
from server.lesson_schedule import LessonSchedule
from server.live_recording import ClassConsents, LiveRecording, repair_ended
from server.live_sessions import LiveSessions
from server.materials.blobs import DiskBlobs
from server.materials.pictures import PagePictures
from server.materials.service import Limits, Materials
from server.media_links import MediaLinks
from server.memberships import Memberships
from server.metrics import Metrics
from server.new_bells import catch_up, keep_up, tables_follow
from server.private_file import kept_secret
from server.recorded import RecordedSessions
from server.relay import Relay
from server.repairs import Repairs
from server.retention import Retention
from server.reviews import Reviews
from server.site import Site
from server.sockets import live as live_socket
from server.sockets.intake import Intake
from server.sockets.line import write_all
from server.steady_clock import SteadyClock
from server.storage.access_store import SqlAccessStore
from server.storage.amendment_store import SqlAmendmentStore
from server.storage.closing_store import SqlClosingStore
from server.storage.database import Database
from server.storage.draft_history import SqlDraftHistory
from server.storage.exercise_store import SqlExerciseStore
from server.storage.feed_store import SqlFeedStore
from server.storage.material_store import SqlMaterialStore
from server.storage.membership_store import SqlMembershipStore
from server.storage.migrate import migrate
from server.storage.people_store import SqlPeopleStore
from server.storage.proposal_store import SqlProposalStore
from server.storage.register_store import SqlRegisterStore
from server.storage.review_store import SqlReviewStore
from server.storage.session_store import SqlSessionStore
from server.storage.table_store import SqlTableStore
from server.uploads import UploadPlaces, uploads_key
from server.web import BODY_LIMIT, reply
from server.withdrawals import Withdrawals
from signaling.media.hub import MediaConfig, MediaHub
from signaling.service import LiveService
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.amendments import Amendment
from timetable.agreement.closing_service import ClosingService
from timetable.agreement.service import TimetableService
from timetable.days.closings import Closing
from timetable.days.versions import Version
from timetable.register.importing import ImportService

log = structlog.get_logger()

RESOURCES = (
    people,
    rooms,
    cameras,
    room,
    importing,
    today,
    timetable,
    builds,
    explanation_routes,
    table_io,
    repair,
    amendments,
    closings,
    terms,
    memberships,
    feeds,
    live,
    materials,
    live_socket,
    whip,
    exercises,
    reports,
    review_routes,
    demo,
)
"""The modules of the HTTP API and the socket."""


def create_app(settings: Settings, static: Path = pages.STATIC) -> web.Application:
    """Build the application. Nothing is opened before it starts, so tests can make as many as they like."""
    metrics = Metrics()
    site = Site(settings.public_url, settings.allowed_origins)
    app = web.Application(middlewares=[metrics.measure, problems, identify], client_max_size=BODY_LIMIT)
    app[settings_key] = settings
    app[metrics_key] = metrics
    app[site_key] = app[origins_key] = site
    app[uploads_key] = UploadPlaces(settings.uploads.at_once, settings.uploads.photos_at_once)
    app[relay_key] = Relay(settings.turn.urls, settings.turn.secret, settings.turn.seconds, time.time)
    app.on_response_prepare.extend([secure, whip.open_to_any_origin])
    app.on_shutdown.extend([live_socket.close_sockets, stop_builds])
    app.cleanup_ctx.extend([database, bus, county, auth, tables, reviews, media, lessons, metrics.watch_loop])
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics.show)
    for resource in RESOURCES:
        app.add_routes(resource.routes)
    app.add_routes(pages.routes(static))
    return app


async def stop_builds(app: web.Application) -> None:
    """End the solver's work before the web server waits for those who watch them."""
    if builds_key in app:
        await app[builds_key].close()
    if explanations_key in app:
        await app[explanations_key].close()


async def database(app: web.Application) -> AsyncIterator[None]:
    """The record, brought up to date before anything reads it."""
    opened = Database.open(app[settings_key].database_url)
    try:
        await asyncio.to_thread(migrate, opened.engine)
        app[database_key] = opened
        yield
    finally:
        await opened.close()


async def bus(app: web.Application) -> AsyncIterator[None]:
    """The bus between processes."""
    opened = open_bus(app[settings_key].bus.redis_url)
    app[bus_key] = opened
    yield
    await opened.close()


async def county(app: web.Application) -> AsyncIterator[None]:
    """The register, and the way into it."""
    registers = SqlRegisterStore(app[database_key])
    app[registers_key] = registers
    app[counties_key] = Counties(registers)
    app[importing_key] = ImportService(
        registers,
        time.time,
        asyncio.to_thread,
        tables_follow(lambda: app[timetable_key], lambda: app[amendments_key], asyncio.to_thread),
    )
    yield


async def auth(app: web.Application) -> AsyncIterator[None]:
    """People, their login sessions, paired rooms."""
    store = SqlPeopleStore(app[database_key])
    app[people_key] = store
    app[auth_key] = AuthService(store, clock=time.time, session_seconds=app[settings_key].auth.session_hours * 3600.0)
    yield


async def tables(app: web.Application) -> AsyncIterator[None]:
    """The communities' tables: negotiated, built by the solver, followed by calendars."""
    settings, counties = app[settings_key], app[counties_key]

    async def announce(version: Version) -> None:
        news = {"community": version.community, "number": version.number}
        try:
            await app[bus_key].publish("timetable.published", msgspec.msgpack.encode(news))
        except BusUnavailable as error:
            # the version is kept and everybody looks at the record again soon; its author must not hear of a failure
            log.warning("version_not_announced", community=version.community, number=version.number, error=str(error))

    service = TimetableService(SqlTableStore(app[database_key]), counties, now=time.time, announce=announce)
    app[timetable_key] = service

    async def announce_amendment(amendment: Amendment) -> None:
        news = {"community": amendment.community, "number": amendment.number}
        await app[bus_key].publish("timetable.amended", msgspec.msgpack.encode(news))

    changes = SqlAmendmentStore(app[database_key])
    app[amendments_key] = AmendmentService(
        changes,
        service,
        now=time.time,
        aside=asyncio.to_thread,
        announce=announce_amendment,
        announce_version=announce,
    )

    async def announce_closing(closing: Closing) -> None:
        try:
            await app[bus_key].publish("timetable.closed", msgspec.msgpack.encode({"closing": closing.id}))
        except BusUnavailable as error:
            log.warning("closing_not_announced", closing=closing.id, error=str(error))

    app[closings_key] = ClosingService(
        SqlClosingStore(app[database_key]),
        app[amendments_key],
        changes,
        now=time.time,
        new_id=lambda: secrets.token_hex(6),
        aside=asyncio.to_thread,
        announce=announce_closing,
    )
    app[calendars_key] = Calendars(
        SqlFeedStore(app[database_key]),
        counties,
        app[amendments_key],
        service,
        app[registers_key],
        clock=time.time,
        link=lambda lesson: f"{app[site_key].public_url}/lessons?lesson={quote(lesson)}",
    )
    memberships = Memberships(
        SqlMembershipStore(app[database_key]),
        service,
        app[importing_key],
        app[registers_key],
        settings.server.data_dir / "memberships",
        workers=settings.timetable.workers or os.cpu_count() or 1,
        clock=time.time,
    )
    app[memberships_key] = memberships
    repairs = Repairs(
        service,
        counties,
        SqlDraftHistory(app[database_key]),
        SqlProposalStore(app[database_key]),
        foreseen=memberships.foreseen,
    )
    app[repairs_key] = repairs
    building = Builds(
        service,
        settings.server.data_dir / "builds",
        workers=settings.timetable.workers or os.cpu_count() or 1,
        clock=time.monotonic,
        now=time.time,
        foreseen=memberships.foreseen,
        interrupted_days=settings.timetable.interrupted_days,
    )
    app[builds_key] = building
    explaining = Explanations(
        service,
        app[importing_key],
        settings.server.data_dir / "explanations",
        workers=settings.timetable.workers or os.cpu_count() or 1,
        clock=time.monotonic,
    )
    app[explanations_key] = explaining
    await building.recover()
    await explaining.recover()
    await memberships.sweep()
    await catch_up(app[importing_key])
    watching = [
        asyncio.create_task(memberships.run(), name="memberships"),
        asyncio.create_task(building.run(), name="builds"),
        asyncio.create_task(keep_up(app[importing_key]), name="new_bells"),
    ]
    yield
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    await building.close()
    await explaining.close()
    await repairs.close()


async def reviews(app: web.Application) -> AsyncIterator[None]:
    """The bilateral reviews, and the links to their recordings."""
    settings = app[settings_key]
    folder = settings.server.data_dir
    secret = await asyncio.to_thread(kept_secret, folder / "secrets" / "media")
    app[answers_key] = AnswerFiles(folder / "answers")
    sessions = SqlSessionStore(app[database_key])
    app[reviews_key] = Reviews(
        ReviewService(SqlReviewStore(app[database_key]), time.time, lambda: secrets.token_hex(8)),
        RecordedSessions(FileJournals(folder / "journals"), settings.recordings_dir, sessions, time.time),
        app[counties_key],
        app[people_key],
        sessions,
        MediaLinks(secret, time.time),
        app[answers_key],
        settings.recordings.retention_days,
        time.time,
    )
    yield


async def media(app: web.Application) -> AsyncIterator[None]:
    """The one UDP port of all live media."""
    settings = app[settings_key].media
    config = MediaConfig(
        host=settings.host,
        port=settings.port,
        public=settings.public_addresses,
        tcp_port=None if settings.tcp_port < 0 else settings.tcp_port,
    )
    hub = MediaHub(config, clock=time.monotonic)
    await hub.open()
    app[media_key] = hub
    yield
    await hub.close()


async def lessons(app: web.Application) -> AsyncIterator[None]:
    """The live sessions with their journals and recordings, opened as the tables say."""
    settings, counties = app[settings_key], app[counties_key]
    folder = settings.server.data_dir
    recording = LiveRecording(
        app[media_key],
        settings.recordings_dir,
        consents=ClassConsents(counties),
        open_review=app[reviews_key].open,
        clock=time.monotonic,
        wall_clock=time.time,
        call_soon=asyncio.get_running_loop().call_soon_threadsafe,
    )
    store = SqlSessionStore(app[database_key])
    clock = SteadyClock(time.time, time.monotonic)
    intake = app[intake_key] = Intake(asyncio.get_running_loop())
    service = LiveService(
        store=store,
        journals=FileJournals(folder / "journals"),
        media=app[media_key],
        recording=recording,
        secret=await asyncio.to_thread(kept_secret, folder / "secrets" / "join"),
        clock=clock,
        new_id=lambda: secrets.token_hex(8),
        soon=intake.soon,
        write_all=write_all,
    )
    app[session_store_key] = store
    app[exercises_key] = SqlExerciseStore(app[database_key])
    app[live_key] = service
    accesses = Accesses(SqlAccessStore(app[database_key]), service, clock)
    await accesses.load()
    withdrawals = app[withdrawals_key] = Withdrawals(
        app[bus_key], accesses, app[people_key], service, secrets.token_hex(8)
    )
    app[live_sessions_key] = LiveSessions(
        service,
        store,
        counties,
        app[amendments_key],
        clock=clock,
        new_id=lambda: secrets.token_hex(6),
        accesses=accesses,
    )
    lesson_materials = app[materials_key] = Materials(
        SqlMaterialStore(app[database_key]),
        DiskBlobs(settings.materials_dir / "blobs"),
        PagePictures(),
        app[live_sessions_key],
        settings.materials_dir,
        Limits(megabytes=settings.materials.upload_mb, pages=settings.materials.pages),
        running=lambda: service.sessions,
        clock=time.time,
        new_id=lambda: secrets.token_hex(8),
    )
    service.on_opened = lesson_materials.shelve
    await lesson_materials.sweep()
    await counties.load()
    await service.restore()
    app[camera_store_key] = CameraStore(folder / "secrets" / "cameras")
    app[cameras_key] = CameraPulls(
        service,
        app[camera_store_key],
        await asyncio.to_thread(kept_pair, folder / "secrets" / "camera"),
        whip_base=lambda: _own_address(app),
        networks=settings.cameras.networks,
    )
    schedule = LessonSchedule(service, counties, app[amendments_key], clock)
    tasks = [
        asyncio.create_task(service.run(), name="live"),
        asyncio.create_task(withdrawals.run(), name="withdrawals"),
        asyncio.create_task(schedule.run(), name="schedule"),
        asyncio.create_task(recording.run(), name="recording"),
        asyncio.create_task(app[cameras_key].run(), name="cameras"),
        asyncio.create_task(asyncio.to_thread(repair_ended, settings.recordings_dir), name="repair"),
        asyncio.create_task(
            Retention(
                store,
                settings.recordings_dir,
                app[answers_key],
                FileJournals(folder / "journals"),
                days=settings.recordings.retention_days,
                clock=time.time,
            ).run(),
            name="retention",
        ),
    ]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await service.close()
    intake.close()
    await recording.close()


def _own_address(app: web.Application) -> str:
    """Where this process answers programs on its own machine."""
    host = app[settings_key].server.host
    named = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{named}:{app[settings_key].server.port}"


async def healthz(request: web.Request) -> web.Response:
    """`GET /healthz`: 200 when the process answers and reaches its database."""
    await request.app[database_key].read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
    return reply(request, {"status": "ok"})
