"""This module owns the life of one server process: it listens, says when it is ready, and stops when it is asked to."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable

import msgspec
import structlog
import uvloop
from aiohttp import web

from config.settings import Settings
from server.collector import spare_what_is_loaded
from server.data_folder import held
from server.logs import AccessLog

SHUTDOWN_SECONDS = 5.0
BACKLOG = 4096
"""Connections that may wait to be accepted: at the bell they all come at once, and one that finds no place tries again
only after a second."""
UMASK = 0o027
"""Recordings show children: what a server writes is for its own user and the operators' group."""

Build = Callable[[Settings], web.Application]
Ready = Callable[[web.Application], Awaitable[None]]

log = structlog.get_logger()


class CannotListen(Exception):
    """The address is taken or is not one of this machine."""

    code = "cannot_listen"


def run(settings: Settings, build: Build, ready: Ready | None = None) -> None:
    """`serve` in an event loop of its own: uvloop, in which being woken for a message costs half as much."""
    uvloop.run(serve(settings, build, ready))


async def serve(settings: Settings, build: Build, ready: Ready | None = None) -> None:
    """Run the application that `build` makes until SIGTERM or SIGINT; `ready` runs once requests are answered.

    `build` gets the settings with the real port, also where they ask for any free one. Raises DataFolderTaken,
    DataFolderUnusable, CannotListen.
    """
    with held(settings):
        await _serve(settings, build, ready)


async def _serve(settings: Settings, build: Build, ready: Ready | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listener = _listen(settings.server.host, settings.server.port)
    server = msgspec.structs.replace(settings.server, port=listener.getsockname()[1])
    settings = msgspec.structs.replace(settings, server=server)
    app = build(settings)
    runner = web.AppRunner(app, access_log_class=AccessLog, shutdown_timeout=SHUTDOWN_SECONDS)
    umask = os.umask(UMASK)
    try:
        await _unless(stop, _start(runner, listener, ready))
        if not stop.is_set():
            log.info("serving", address=settings.public_url)
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()
        listener.close()
        os.umask(umask)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _start(runner: web.AppRunner, listener: socket.socket, ready: Ready | None) -> None:
    await runner.setup()
    spare_what_is_loaded()
    await web.SockSite(runner, listener, backlog=BACKLOG).start()
    if ready is not None:
        await ready(runner.app)


async def _unless(stop: asyncio.Event, starting: Awaitable[None]) -> None:
    """Wait for `starting`, which may take a while, but give it up when the process is asked to stop."""
    task = asyncio.ensure_future(starting)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        if not stop.is_set():
            raise


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error
