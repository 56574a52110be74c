"""This module owns the typed keys of the application: the only way a handler reaches a service."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from config.settings import Settings
from server.answer_files import AnswerFiles
from server.builds import Builds
from server.bus import Bus
from server.calendars import Calendars
from server.cameras.pulls import CameraPulls
from server.cameras.store import CameraStore
from server.consents import Consents
from server.county import Counties
from server.explanations import Explanations
from server.free_space import FreeSpace
from server.live_sessions import LiveSessions
from server.materials.service import Materials
from server.membership_searches import MembershipSearches
from server.memberships import Memberships
from server.metrics import Metrics
from server.relay import Relay
from server.repairs import Repairs
from server.review_news import ReviewNews
from server.reviews import Reviews
from server.site import Site
from server.sockets.intake import Intake
from server.storage.database import Database
from server.storage.exercise_store import SqlExerciseStore
from server.storage.people_store import SqlPeopleStore
from server.storage.register_store import SqlRegisterStore
from server.storage.session_store import SqlSessionStore
from server.withdrawals import Withdrawals
from signaling.media.hub import MediaHub
from signaling.service import LiveService
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.closing_service import ClosingService
from timetable.agreement.service import TimetableService
from timetable.register.importing import ImportService


class Demonstration(Protocol):
    """What the demonstration's links need; present only where it runs."""

    @property
    def link_secret(self) -> bytes: ...

    async def session(self) -> str:
        """The rehearsal that is open now."""
        ...

    async def newest_review(self) -> str | None:
        """The review of the demo lesson's last rehearsal."""
        ...


settings_key: web.AppKey[Settings] = web.AppKey("settings", Settings)
database_key: web.AppKey[Database] = web.AppKey("database", Database)
bus_key: web.AppKey[Bus] = web.AppKey("bus", Bus)
free_space_key: web.AppKey[FreeSpace] = web.AppKey("free_space", FreeSpace)
metrics_key: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)
site_key: web.AppKey[Site] = web.AppKey("site", Site)
people_key: web.AppKey[SqlPeopleStore] = web.AppKey("people", SqlPeopleStore)
counties_key: web.AppKey[Counties] = web.AppKey("counties", Counties)
membership_searches_key: web.AppKey[MembershipSearches] = web.AppKey("membership_searches", MembershipSearches)
memberships_key: web.AppKey[Memberships] = web.AppKey("memberships", Memberships)
registers_key: web.AppKey[SqlRegisterStore] = web.AppKey("registers", SqlRegisterStore)
timetable_key: web.AppKey[TimetableService] = web.AppKey("timetable", TimetableService)
amendments_key: web.AppKey[AmendmentService] = web.AppKey("amendments", AmendmentService)
closings_key: web.AppKey[ClosingService] = web.AppKey("closings", ClosingService)
builds_key: web.AppKey[Builds] = web.AppKey("builds", Builds)
explanations_key: web.AppKey[Explanations] = web.AppKey("explanations", Explanations)
repairs_key: web.AppKey[Repairs] = web.AppKey("repairs", Repairs)
calendars_key: web.AppKey[Calendars] = web.AppKey("calendars", Calendars)
importing_key: web.AppKey[ImportService] = web.AppKey("importing", ImportService)
intake_key: web.AppKey[Intake] = web.AppKey("intake", Intake)
live_key: web.AppKey[LiveService] = web.AppKey("live", LiveService)
withdrawals_key: web.AppKey[Withdrawals] = web.AppKey("withdrawals", Withdrawals)
live_sessions_key: web.AppKey[LiveSessions] = web.AppKey("live_sessions", LiveSessions)
materials_key: web.AppKey[Materials] = web.AppKey("materials", Materials)
camera_store_key: web.AppKey[CameraStore] = web.AppKey("camera_store", CameraStore)
cameras_key: web.AppKey[CameraPulls] = web.AppKey("cameras", CameraPulls)
relay_key: web.AppKey[Relay] = web.AppKey("relay", Relay)
media_key: web.AppKey[MediaHub] = web.AppKey("media", MediaHub)
session_store_key: web.AppKey[SqlSessionStore] = web.AppKey("session_store", SqlSessionStore)
demo_key: web.AppKey[Demonstration] = web.AppKey("demo", Demonstration)
reviews_key: web.AppKey[Reviews] = web.AppKey("reviews", Reviews)
consents_key: web.AppKey[Consents] = web.AppKey("consents", Consents)
review_news_key: web.AppKey[ReviewNews] = web.AppKey("review_news", ReviewNews)
answers_key: web.AppKey[AnswerFiles] = web.AppKey("answers", AnswerFiles)
exercises_key: web.AppKey[SqlExerciseStore] = web.AppKey("exercises", SqlExerciseStore)
