"""This module owns work that people watch: what is known of it by now, told whenever it changes, until it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, Literal, TypeVar

from msgspec import structs

State = Literal["running", "done", "failed", "cancelled", "interrupted"]
"""`interrupted`: the server was killed meanwhile."""

V = TypeVar("V", bound=Any)


class Watched(Generic[V]):
    """Work with a view that has a `state` and the `seconds` it took; `clock` need not be the wall's."""

    def __init__(self, view: V, clock: Callable[[], float]) -> None:
        self._view = view
        self._clock = clock
        self._began = clock()
        self._changed = asyncio.Event()

    @property
    def running(self) -> bool:
        return bool(self._view.state == "running")

    def view(self) -> V:
        return structs.replace(self._view, seconds=self._seconds()) if self.running else self._view

    async def watch(self) -> AsyncIterator[V]:
        """The view whenever it changes, and at least every second; the last one says how it ended."""
        while True:
            changed, view = self._changed, self.view()
            yield view
            if view.state != "running":
                return
            # a second without news is news too: the seconds go on
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), 1.0)

    def _show(self, **fields: object) -> None:
        self._view = structs.replace(self._view, **fields)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _end(self, state: State, **fields: object) -> None:
        self._show(state=state, phase="done", seconds=self._seconds(), **fields)

    def _seconds(self) -> float:
        return round(self._clock() - self._began, 1)
