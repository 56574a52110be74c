"""Uploads take places: few of one person's, some of the server's, and none is kept by one that is over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import FormData
from hypothesis import given
from hypothesis import strategies as st

from server.uploads import OF_ONE, Size, TooManyUploads, UploadPlaces, uploads_key
from tests.county_server import Answer, Caller, running_county
from tests.media_clients import until


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.booleans()), max_size=60))
def test_places_are_never_more_than_there_are_and_come_back(steps: list[tuple[str, bool]]) -> None:
    places, held = UploadPlaces(3, 1), list[tuple[str, contextlib.ExitStack]]()
    for who, begins in steps:
        if not begins:
            if held:
                held.pop(0)[1].close()
            continue
        stack, own = contextlib.ExitStack(), sum(1 for name, _ in held if name == who)
        if own == OF_ONE["large"] or len(held) == 3:
            with pytest.raises(TooManyUploads) as refused:
                stack.enter_context(places.place("large", who))
            assert refused.value.whose == ("person" if own == OF_ONE["large"] else "server")
        else:
            stack.enter_context(places.place("large", who))
            held.append((who, stack))
        assert len(held) <= 3
    with places.place("photo", "a"):  # the other size has places of its own
        assert len(held) <= 3
    for _, stack in held:
        stack.close()
    assert not places._taken


class Slow:
    """An upload that goes on until it is told to end."""

    def __init__(self, caller: Caller, path: str) -> None:
        self._end = asyncio.Event()
        self.task = asyncio.create_task(self._send(caller, path))

    async def _send(self, caller: Caller, path: str) -> Answer:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        return await caller.ask("POST", path, data=self._body(), headers=headers)

    async def _body(self) -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        await self._end.wait()
        yield b"a,b\r\n--x--\r\n"

    async def end(self) -> Answer:
        self._end.set()
        return await self.task


async def test_third_upload_of_a_person_and_any_beyond_the_servers_come_again_later(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with running_county(tmp_path / "data", migrated_sqlite, TONGKE_UPLOADS_AT_ONCE="3") as county:
        places = county.app[uploads_key]
        director, other, third = [
            await county.person(name) for name in ("member_director", "core_director", "third_director")
        ]
        path = "/api/import?check=1"

        def taken(size: Size = "large") -> int:
            return sum(count for (kind, _), count in places._taken.items() if kind == size)

        slow = [Slow(director, path), Slow(director, path)]
        await until(lambda: taken() == 2)
        refused = await director.ask("POST", path, data=FormData({"file": "x"}))
        assert (refused.refusal, refused.json["fields"]["whose"]) == ((429, "too_many_uploads"), "person")
        assert int(refused.headers["Retry-After"]) > 0
        slow.append(Slow(other, path))
        await until(lambda: taken() == 3)
        refused = await third.ask("POST", "/api/sessions/x/materials?kind=exercise&title=x", data=b"")
        assert (refused.refusal, refused.json["fields"]["whose"]) == ((429, "too_many_uploads"), "server")
        for one in slow:
            assert (await one.end()).status in (200, 422)
        await until(lambda: taken() == 0)
        # one that is cut off gives its place back, too
        cut = Slow(director, path)
        await until(lambda: taken() == 1)
        cut.task.cancel()
        await until(lambda: taken() == 0)
