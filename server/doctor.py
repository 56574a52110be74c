"""This module owns what makes an installation sound: small checks that each say what they found."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from collections.abc import Awaitable, Callable
from importlib.util import find_spec

from msgspec import Struct
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from server import pages
from server.bus import BusError, open_bus
from server.free_space import SPARE_BYTES, DiskFull, FreeSpace, folders_of
from server.materials.fonts import draws_chinese
from server.storage.database import Database, DatabaseUnusable
from server.storage.migrate import SchemaTooNew, pending

LEAST_OPEN_FILES = 4096
NEEDED_MODULES = ("aiortc", "av", "ortools", "psycopg", "argon2")
PROBE = b"doctor"


class Finding(Struct, frozen=True):
    """What one check saw."""

    check: str
    good: bool
    detail: str


Check = Callable[[Settings], Awaitable[tuple[bool, str]]]


async def examine(settings: Settings) -> list[Finding]:
    """Run every check, in order; none of them changes anything that stays."""
    return [Finding(name, *await check(settings)) for name, check in CHECKS.items()]


async def _python(_settings: Settings) -> tuple[bool, str]:
    missing = [name for name in NEEDED_MODULES if find_spec(name) is None]
    if missing:
        return False, f"missing: {', '.join(missing)}"
    return sys.version_info >= (3, 11), f"Python {sys.version.split()[0]}"


async def _client(_settings: Settings) -> tuple[bool, str]:
    found = sorted(page.stem for page in pages.STATIC.glob("*.html"))
    return bool(found), f"{len(found)} pages" if found else "the web client is not built"


async def _data(settings: Settings) -> tuple[bool, str]:
    # looking must not make the folder either: it would be whose who looks, perhaps root's
    folder, space = settings.server.data_dir, FreeSpace(folders_of(settings))
    try:
        await asyncio.to_thread(space.check)
    except DiskFull as error:
        return False, f"{folder}: {error}"
    rooms = ", ".join(f"{setting} {free / 1024**3:.1f} GiB free" for setting, free in space.latest.items())
    if space.low is not None:
        return False, f"{folder}: {rooms}; recordings want {SPARE_BYTES / 1024**3:.0f} at least"
    return True, f"{folder} {'can be written' if folder.exists() else 'will be made at the first start'}, {rooms}"


async def _database(settings: Settings) -> tuple[bool, str]:
    # looking must not create a database that an operator did not ask for
    if settings.database_file is not None and not settings.database_file.exists():
        return True, "will be created at the first start"
    try:
        database = Database.open(settings.database_url, read_only=True)
    except DatabaseUnusable as error:
        return False, str(error)
    try:
        steps = await asyncio.to_thread(pending, database.engine)
        damage = await database.damage()
    except (SQLAlchemyError, SchemaTooNew, DatabaseUnusable) as error:
        return False, str(error).splitlines()[0]
    finally:
        await database.close()
    if damage:
        return False, f"damaged: {damage}"
    return (
        True,
        f"reachable, {len(steps)} migration(s) waiting for the next start" if steps else "reachable, up to date",
    )


async def _bus(settings: Settings) -> tuple[bool, str]:
    if not settings.bus.redis_url:
        return True, "in this process"
    bus = open_bus(settings.bus.redis_url)
    try:
        async with asyncio.timeout(5), bus.subscribe("tongke.doctor") as messages:
            await bus.publish("tongke.doctor", PROBE)
            await anext(messages)
    except (BusError, RedisError, OSError, TimeoutError) as error:
        return False, str(error) or "no answer within 5 seconds"
    finally:
        await bus.close()
    return True, "Redis carries messages"


async def _port(settings: Settings) -> tuple[bool, str]:
    return _bindable(socket.SOCK_STREAM, settings.server.host, settings.server.port)


async def _media_port(settings: Settings) -> tuple[bool, str]:
    return _bindable(socket.SOCK_DGRAM, settings.media.host, settings.media.port)


async def _open_files(_settings: Settings) -> tuple[bool, str]:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft == resource.RLIM_INFINITY or soft >= LEAST_OPEN_FILES, f"{soft} open files allowed"


async def _fonts(_settings: Settings) -> tuple[bool, str]:
    if draws_chinese():
        return True, "Chinese pages are drawn"
    return False, "no Chinese font: PDF pages that do not carry theirs stay blank (on Debian: fonts-wqy-microhei)"


def _bindable(kind: socket.SocketKind, host: str, port: int) -> tuple[bool, str]:
    name = "TCP" if kind == socket.SOCK_STREAM else "UDP"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return False, f"{name} {host}:{port}: {error.strerror} (is the server running already?)"
    return True, f"{name} {host}:{port} is free"


CHECKS: dict[str, Check] = {
    "python": _python,
    "client": _client,
    "data": _data,
    "database": _database,
    "bus": _bus,
    "port": _port,
    "media_port": _media_port,
    "open_files": _open_files,
    "fonts": _fonts,
}
