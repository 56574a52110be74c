"""Lesson materials over HTTP: what there is, adding by a streamed upload, the pictures of the pages, deleting."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import get_args
from urllib.parse import quote

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import BadHttpMessage

from server.auth.middleware import principal
from server.keys import materials_key
from server.materials.errors import (
    MaterialNotFound,
    MaterialTooLarge,
    MaterialTooManyPages,
    MaterialUnwritable,
    MaterialWrongType,
)
from server.materials.service import Handed, Materials, NewMaterial
from server.shapes.materials import MaterialRow
from server.uploads import file_name, takes_place
from server.web import InvalidBody, MalformedBody, reply
from signaling.materials import MaterialKind

FOREVER = "private, max-age=31536000, immutable"
WRITE_BYTES = 1 << 20
LONGEST_TITLE = 120
LOOK_SECONDS = 0.5
"""How often to see whether the sender is still there while its pages are drawn."""

routes = web.RouteTableDef()


@routes.get("/api/sessions/{id}/materials")
async def show(request: web.Request) -> web.Response:
    return reply(request, await request.app[materials_key].view(principal(request), request.match_info["id"]))


@routes.post("/api/sessions/{id}/materials")
@takes_place
async def add(request: web.Request) -> web.Response:
    """A form with one PDF, or with pictures of a page each. The query says what it is to become."""
    asker, materials = principal(request), request.app[materials_key]
    new = _new(request)
    plan = await materials.may_add(asker, request.match_info["id"], new)
    folder = await asyncio.to_thread(_folder, materials)
    try:
        files = await _received(request, folder, materials.limits.megabytes, materials.limits.pages)
        adding = asyncio.ensure_future(materials.add(asker, plan, new, files, folder))
        return reply(request, await _unless_gone(request, adding), 201)
    except OSError as error:
        if isinstance(error, ConnectionError):
            raise
        raise MaterialUnwritable(str(error)) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)


@routes.delete("/api/sessions/{id}/materials/{material}")
async def remove(request: web.Request) -> web.Response:
    await request.app[materials_key].remove(
        principal(request), request.match_info["id"], request.match_info["material"]
    )
    return web.Response(status=204)


@routes.get("/api/sessions/{id}/materials/{version}/pages/{page}")
async def page(request: web.Request) -> web.StreamResponse:
    """The picture of a page, `?size=small` for a thumb or a weak line. A version never changes: keep it for good."""
    number = request.match_info["page"]
    file = await request.app[materials_key].page(
        principal(request),
        request.match_info["id"],
        request.match_info["version"],
        int(number) if number.isascii() and number.isdecimal() and len(number) < 5 else 0,
        small=request.query.get("size") == "small",
    )
    return await _file(request, file, {"Content-Type": "image/webp", "Cache-Control": FOREVER})


@routes.get("/api/sessions/{id}/materials/{version}/file")
async def original(request: web.Request) -> web.StreamResponse:
    """The file as it was handed in, to be saved, never shown: a stranger's file must not run as a page of ours."""
    file, name = await request.app[materials_key].original(
        principal(request), request.match_info["id"], request.match_info["version"]
    )
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "private, no-cache",
    }
    return await _file(request, file, headers)


def _folder(materials: Materials) -> Path:
    try:
        return materials.new_folder()
    except OSError as error:
        raise MaterialUnwritable(str(error)) from error


async def _file(request: web.Request, file: Path, headers: dict[str, str]) -> web.StreamResponse:
    if not await asyncio.to_thread(file.is_file):
        raise MaterialNotFound(request.match_info["version"])
    return web.FileResponse(file, headers=headers)


async def _unless_gone(request: web.Request, adding: asyncio.Future[MaterialRow]) -> MaterialRow:
    """What is added, unless its sender gives up before."""
    try:
        while not adding.done():
            await asyncio.wait({adding}, timeout=LOOK_SECONDS)
            if request.transport is None and not adding.done():
                raise web.HTTPRequestTimeout
        return await adding
    finally:
        if not adding.done():
            adding.cancel()
            await asyncio.wait({adding})


def _new(request: web.Request) -> NewMaterial:
    kind = next((known for known in get_args(MaterialKind) if known == request.query.get("kind")), None)
    if kind is None:
        raise InvalidBody("not a kind of material", "kind")
    title = request.query.get("title", "").strip()
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise InvalidBody(f"from 1 to {LONGEST_TITLE} characters", "title")
    return NewMaterial(
        kind=kind,
        title=title,
        weekly=request.query.get("weekly") == "1",
        replaces=request.query.get("replaces") or None,
    )


async def _received(request: web.Request, folder: Path, megabytes: int, most: int) -> list[Handed]:
    """The files of the form, written to `folder` while they arrive."""
    if not request.content_type.startswith("multipart/"):
        raise MalformedBody("send the files as multipart/form-data")
    files: list[Handed] = []
    room = megabytes << 20
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise MalformedBody("a form in the form")
            if part.filename is None:
                continue
            if len(files) >= most:
                raise MaterialTooManyPages(len(files) + 1, most)
            received = await _write(part, folder / f"file-{len(files)}", room, megabytes)
            room -= received.bytes
            files.append(received)
    except (ValueError, RuntimeError, AssertionError, BadHttpMessage) as error:
        # the reader of multipart bodies says in many ways that it cannot read one
        raise MalformedBody("not a form that can be read") from error
    if not files:
        raise MalformedBody("no file in the form")
    if len(files) > 1 and any(_kind(_beginning(one.file)) == "pdf" for one in files):
        raise MaterialWrongType("a PDF comes alone")
    return files


async def _write(part: BodyPartReader, target: Path, room: int, megabytes: int) -> Handed:
    size, waiting, known = 0, bytearray(), False
    with target.open("wb") as opened:
        while chunk := await part.read_chunk(WRITE_BYTES // 16):
            size += len(chunk)
            if size > room:
                raise MaterialTooLarge(megabytes)
            waiting += chunk
            if not known and len(waiting) >= 1024:
                known = _check_kind(bytes(waiting[:1024]))
            if len(waiting) >= WRITE_BYTES:
                await asyncio.to_thread(opened.write, bytes(waiting))
                waiting.clear()
        if not known:
            _check_kind(bytes(waiting[:1024]))
        await asyncio.to_thread(opened.write, bytes(waiting))
    return Handed(file=target, name=file_name(part.filename or "")[:LONGEST_TITLE], bytes=size)


def _check_kind(head: bytes) -> bool:
    """Refuses at once what no page can be drawn of, before the rest of it is uploaded."""
    if _kind(head) is None:
        raise MaterialWrongType("neither PDF nor PNG, JPEG or WebP")
    return True


def _kind(head: bytes) -> str | None:
    if b"%PDF-" in head:
        return "pdf"
    pictures = (
        head.startswith(b"\x89PNG\r\n\x1a\n"),
        head.startswith(b"\xff\xd8\xff"),
        head.startswith(b"RIFF") and head[8:12] == b"WEBP",
    )
    return "picture" if any(pictures) else None


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(1024)
