"""The live lessons: their media, journals and recordings, and the reviews that they leave behind."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

from aiohttp import web

from recordings.service import ReviewService
from server.accesses import Accesses
from server.answer_files import AnswerFiles
from server.cameras.certificate import kept_pair
from server.cameras.pulls import CameraPulls
from server.cameras.store import CameraStore
from server.consents import Consents
from server.journals import FileJournals
from server.keys import (
    amendments_key,
    answers_key,
    bus_key,
    camera_store_key,
    cameras_key,
    consents_key,
    counties_key,
    database_key,
    exercises_key,
    importing_key,
    intake_key,
    live_key,
    live_sessions_key,
    materials_key,
    media_key,
    people_key,
    review_news_key,
    reviews_key,
    session_store_key,
    settings_key,
    withdrawals_key,
)
from server.lesson_schedule import LessonSchedule
from server.live_recording import ClassConsents, LiveRecording, repair_ended
from server.live_sessions import LiveSessions
from server.materials.blobs import DiskBlobs
from server.materials.pictures import PagePictures
from server.materials.service import Limits, Materials
from server.media_links import MediaLinks
from server.private_file import kept_secret
from server.recorded import RecordedSessions
from server.retention import Retention
from server.review_news import ReviewNews
from server.reviews import Reviews
from server.sockets.intake import Intake
from server.sockets.line import write_all
from server.steady_clock import SteadyClock
from server.storage.access_store import SqlAccessStore
from server.storage.consent_store import SqlConsentStore
from server.storage.exercise_store import SqlExerciseStore
from server.storage.material_store import SqlMaterialStore
from server.storage.review_store import SqlReviewStore
from server.storage.session_store import SqlSessionStore
from server.withdrawals import Withdrawals
from signaling.media.hub import MediaConfig, MediaHub
from signaling.service import LiveService


async def reviews(app: web.Application) -> AsyncIterator[None]:
    """The bilateral reviews, and the links to their recordings."""
    settings = app[settings_key]
    folder = settings.server.data_dir
    secret = await asyncio.to_thread(kept_secret, folder / "secrets" / "media")
    app[answers_key] = AnswerFiles(folder / "answers")
    sessions = SqlSessionStore(app[database_key])
    service = ReviewService(SqlReviewStore(app[database_key]), time.time, lambda: secrets.token_hex(8))
    recorded = RecordedSessions(FileJournals(folder / "journals"), settings.recordings_dir, sessions, time.time)
    consents = SqlConsentStore(app[database_key])
    news = app[review_news_key] = ReviewNews(app[bus_key])
    app[reviews_key] = Reviews(
        service,
        recorded,
        app[counties_key],
        app[people_key],
        sessions,
        MediaLinks(secret, time.time),
        app[answers_key],
        consents,
        news,
        settings.recordings.retention_days,
        time.time,
    )
    app[consents_key] = Consents(
        consents,
        service,
        recorded,
        app[counties_key],
        app[importing_key],
        app[people_key],
        news,
        settings.recordings.retention_days,
        time.time,
    )
    yield


async def stop_following(app: web.Application) -> None:
    """End the streams of open reviews before the web server waits for those who listen."""
    if review_news_key in app:
        app[review_news_key].close()


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

    async def follow_consents() -> None:
        """What a class has just withdrawn is written no more from now on, in lessons that go on too."""
        await counties.load()
        recording.look()

    app[review_news_key].on_news = follow_consents
    schedule = LessonSchedule(service, counties, app[amendments_key], clock)
    tasks = [
        asyncio.create_task(service.run(), name="live"),
        asyncio.create_task(withdrawals.run(), name="withdrawals"),
        asyncio.create_task(app[review_news_key].run(), name="review news"),
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
