"""This module owns bodies and queries: decoded on the way in, encoded as the client likes on the way out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar, cast

import msgspec
from aiohttp import web

from timetable.model import Finding
from timetable.register.json_faults import json_fault

T = TypeVar("T")
C = TypeVar("C", bound=str)

JSON = "application/json"
MSGPACK = "application/msgpack"
BODY_LIMIT = 64 * 1024
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The character as JSON writes it. No text of ours holds one, and PostgreSQL takes none."""
LOOKED_AFTER = 0.1
"""Seconds between two looks at whether somebody still waits for an answer that takes long."""
WORTH_COMPRESSING = 4096
"""Bytes from which on a reply is compressed; answers with secrets in them are smaller."""


class BodyError(Exception):
    """Base of what can be wrong with a request's body."""

    code = "bad_body"


class MalformedBody(BodyError):
    """The bytes are not what their content type says."""

    code = "malformed_body"


class InvalidBody(BodyError):
    """The body can be read but does not fit; `path` is the place, like `$.classes[2]`. `findings` say the same so that
    it can be put into the reader's language."""

    code = "invalid_body"

    def __init__(self, reason: str, path: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(f"{reason} at {path}" if path else reason)
        self.reason = reason
        self.path = path
        self.findings = tuple(findings)


class UnsupportedBody(BodyError):
    """The content type is neither JSON nor MessagePack."""

    code = "unsupported_media_type"


async def body(request: web.Request, kind: type[T], limit: int = BODY_LIMIT) -> T:
    """Decode the body as `kind`, JSON or MessagePack by its content type; at most `limit` bytes."""
    raw = await (request if limit == BODY_LIMIT else request.clone(client_max_size=limit)).read()
    if request.content_type not in {JSON, MSGPACK}:
        raise UnsupportedBody(f"send {JSON} or {MSGPACK}")
    packed = request.content_type == MSGPACK
    try:
        value = msgspec.msgpack.decode(raw, type=kind) if packed else msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        raise InvalidBody(reason, path.rstrip("`"), (json_fault(error),)) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedBody(str(error)) from error
    if NUL.search(msgspec.json.encode(value) if packed else raw):
        raise InvalidBody("a NUL character", "")
    return value


async def while_wanted(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """What the work brings. When whoever asked has gone it is cancelled, and so is the handler, as nobody is left to
    be answered."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            if request.transport is None:
                raise asyncio.CancelledError
            await asyncio.wait({task}, timeout=LOOKED_AFTER)
    finally:
        task.cancel()
    return task.result()


def reply(request: web.BaseRequest, value: object, status: int = 200) -> web.Response:
    """Encode `value` as the client accepts it: MessagePack where it asks for it, otherwise JSON."""
    if MSGPACK in request.headers.get("Accept", ""):
        response = web.Response(body=msgspec.msgpack.encode(value), content_type=MSGPACK, status=status)
    else:
        response = web.Response(body=msgspec.json.encode(value), content_type=JSON, status=status)
    if response.content_length and response.content_length >= WORTH_COMPRESSING:
        response.enable_compression()
    return response


def choice(request: web.Request, name: str, allowed: Sequence[C], default: C | None = None) -> C:
    """One of a few words in the query; InvalidBody for any other."""
    given = request.query.get(name, default or "")
    if given not in allowed:
        raise InvalidBody(f"{name} is one of {', '.join(allowed)}", f"?{name}")
    return cast(C, given)
