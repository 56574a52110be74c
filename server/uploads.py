"""This module owns files as browsers send them: a form read whole, within limits, with the names that people gave."""

from __future__ import annotations

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import BadHttpMessage

from server.web import MalformedBody

UPLOAD_LIMIT = 64 << 20
FILES_LIMIT = 64


async def uploaded_files(request: web.Request) -> dict[str, bytes]:
    """The uploaded files by name; MalformedBody for what is no multipart form, 413 for too much."""
    try:
        return await _files(request)
    except (ValueError, RuntimeError, AssertionError, BadHttpMessage) as error:
        # the reader of multipart bodies says in many ways that it cannot read one
        raise MalformedBody("not a form that can be read") from error


async def _files(request: web.Request) -> dict[str, bytes]:
    if not request.content_type.startswith("multipart/"):
        raise MalformedBody("send the files as multipart/form-data")
    files: dict[str, bytes] = {}
    size = parts = 0
    async for part in await request.multipart():
        parts += 1
        if not isinstance(part, BodyPartReader):
            raise MalformedBody("a form in the form")
        content = bytearray()
        while chunk := await part.read_chunk():
            size += len(chunk)
            if size > UPLOAD_LIMIT:
                raise web.HTTPRequestEntityTooLarge(max_size=UPLOAD_LIMIT, actual_size=size)
            content += chunk
        if parts > FILES_LIMIT:
            raise web.HTTPRequestEntityTooLarge(max_size=UPLOAD_LIMIT, actual_size=size)
        if part.filename is None:
            continue
        name = file_name(part.filename)
        if name in files:
            raise MalformedBody("two files of one name")
        files[name] = bytes(content)
    if not files:
        raise MalformedBody("no file in the form")
    return files


def file_name(sent: str) -> str:
    """The file's name as text. Old programs send Chinese names in the encoding of old PCs."""
    raw = sent.encode(errors="surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gb18030", errors="replace")
