"""The composition root: the one module that knows every adapter and joins them to the domain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from sqlalchemy import text

from config.settings import Settings
from server import pages
from server.bus import open_bus
from server.errors import problems
from server.headers import secure
from server.keys import bus_key, database_key, metrics_key, settings_key
from server.metrics import Metrics
from server.storage.database import Database
from server.storage.migrate import migrate
from server.web import BODY_LIMIT, reply


def create_app(settings: Settings, static: Path = pages.STATIC) -> web.Application:
    """Build the application. Nothing is opened before it starts, so tests can make as many as they like."""
    metrics = Metrics()
    app = web.Application(middlewares=[metrics.measure, problems], client_max_size=BODY_LIMIT)
    app[settings_key] = settings
    app[metrics_key] = metrics
    app.on_response_prepare.append(secure)
    app.cleanup_ctx.extend([database, bus, metrics.watch_loop])
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics.show)
    app.add_routes(pages.routes(static))
    return app


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


async def healthz(request: web.Request) -> web.Response:
    """`GET /healthz`: 200 when the process answers and reaches its database."""
    await request.app[database_key].read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
    return reply(request, {"status": "ok"})
