"""The composition root: with `server.wiring`, the one place that knows every adapter and joins them to the domain."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from aiohttp import web
from sqlalchemy import text

from config.settings import Settings
from server import pages
from server.api import (
    amendments,
    builds,
    cameras,
    closings,
    consents,
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
from server.auth.middleware import identify, origins_key
from server.errors import STATUS, Problem, problems, respond
from server.free_space import DiskFull, FreeSpace, folders_of
from server.headers import secure
from server.keys import (
    database_key,
    free_space_key,
    metrics_key,
    relay_key,
    settings_key,
    site_key,
)
from server.metrics import Metrics
from server.relay import Relay
from server.site import Site
from server.sockets import live as live_socket
from server.uploads import UploadPlaces, uploads_key
from server.web import BODY_LIMIT, reply
from server.wiring.lessons import lessons, media, reviews, stop_following
from server.wiring.record import auth, bus, county, database
from server.wiring.searches import searches, stop_builds
from server.wiring.tables import tables

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
    consents,
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
    free_space = app[free_space_key] = FreeSpace(folders_of(settings))
    metrics.registry.register(free_space)
    app[site_key] = app[origins_key] = site
    app[uploads_key] = UploadPlaces(settings.uploads.at_once, settings.uploads.photos_at_once)
    app[relay_key] = Relay(settings.turn.urls, settings.turn.secret, settings.turn.seconds, time.time)
    app.on_response_prepare.extend([secure, whip.open_to_any_origin])
    app.on_shutdown.extend([live_socket.close_sockets, stop_builds, stop_following])
    app.cleanup_ctx.extend([database, bus, county, auth, tables, searches, reviews, media, lessons])
    app.cleanup_ctx.extend([metrics.watch_loop, free_space.watch])
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics.show)
    for resource in RESOURCES:
        app.add_routes(resource.routes)
    app.add_routes(pages.routes(static))
    return app


async def healthz(request: web.Request) -> web.Response:
    """`GET /healthz`: 200 when the process answers, reaches its database and has room for what it writes."""
    await request.app[database_key].read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
    try:
        await asyncio.to_thread(request.app[free_space_key].check)
    except DiskFull as full:
        # who asks here looks after the machine: unlike others they are told what is wrong with it
        return respond(request, Problem(STATUS[full.code], full.code, str(full)))
    return reply(request, {"status": "ok"})
