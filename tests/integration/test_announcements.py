"""What was done to a table is done, whether or not the other processes can be told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from server.bus import open_bus
from server.keys import bus_key
from server.wiring.tables import _announce_amendment, _announce_closing, _announce_version
from tests.services import free_port


class Done(NamedTuple):
    """As much of a version, an amendment or a closing as is announced."""

    community: str = "A"
    number: int = 3
    id: str = "snow"


@pytest.mark.parametrize("announce", [_announce_version, _announce_amendment, _announce_closing])
async def test_an_author_hears_of_no_failure_to_announce(
    announce: Callable[[web.Application, Any], Awaitable[None]],
) -> None:
    app = web.Application()
    app[bus_key] = open_bus(f"redis://127.0.0.1:{free_port()}/0")
    await announce(app, Done())
    await app[bus_key].close()
