"""This module owns files as browsers send them: a form read whole, within limits, with the names that people gave, and
how many come at a time.

An upload holds memory or disk until it is done, so there are places for them: some for large ones, many for photos of
pupils' work, few for one person. Whoever finds none free is told when to come again, before anything was read.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.typedefs import Handler

from server.auth.middleware import principal
from server.web import MalformedBody

UPLOAD_LIMIT = 64 << 20
FILES_LIMIT = 64
LONGEST_SECONDS = 1800.0
"""A large file over 300 kbit/s takes half an hour; one that drips longer keeps others out."""

Size = Literal["large", "photo"]
OF_ONE: Final[dict[Size, int]] = {"large": 2, "photo": 4}
"""Uploads of one person or panel at a time."""
COME_AGAIN: Final[dict[Size, float]] = {"large": 20.0, "photo": 2.0}


class TooManyUploads(Exception):
    """Another upload must end first: one of the same person, or any of the server's. `retry_after` is in seconds."""

    code = "too_many_uploads"

    def __init__(self, whose: Literal["person", "server"], retry_after: float) -> None:
        super().__init__(f"all places of this {whose} are taken")
        self.whose = whose
        self.retry_after = retry_after


class UploadPlaces:
    """`large`, `photos`: how many of each the server takes at a time."""

    def __init__(self, large: int, photos: int) -> None:
        self._most: dict[Size, int] = {"large": large, "photo": photos}
        self._taken: Counter[tuple[Size, str]] = Counter()

    @contextlib.contextmanager
    def place(self, size: Size, who: str) -> Iterator[None]:
        """A place for one upload of `who`; raises TooManyUploads."""
        if self._taken[size, who] >= OF_ONE[size]:
            raise TooManyUploads("person", COME_AGAIN[size])
        if sum(count for (kind, _), count in self._taken.items() if kind == size) >= self._most[size]:
            raise TooManyUploads("server", COME_AGAIN[size])
        self._taken[size, who] += 1
        try:
            yield
        finally:
            self._taken[size, who] -= 1
            self._taken += Counter()


uploads_key: web.AppKey[UploadPlaces] = web.AppKey("uploads", UploadPlaces)


def takes_place(handler: Handler, size: Size = "large") -> Handler:
    """A handler that is begun only when there is a place for its upload."""

    @functools.wraps(handler)
    async def placed(request: web.Request) -> web.StreamResponse:
        with request.app[uploads_key].place(size, principal(request).id):
            deadline = asyncio.timeout(LONGEST_SECONDS)
            try:
                async with deadline:
                    return await handler(request)
            except TimeoutError:
                if deadline.expired():
                    raise web.HTTPRequestTimeout from None
                raise

    return placed


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
