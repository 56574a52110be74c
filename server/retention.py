"""Deletes recordings whose time is over: a lesson's after the retention time, a rehearsal's after a week.

What people wrote in the review stays; the pictures and voices of the pupils do not.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import structlog

from recordings.errors import JournalLocked
from recordings.journal import Journal
from recordings.manifest import MANIFEST_FILE
from recordings.repair import sessions
from signaling.ports import SessionStore

DAY_SECONDS = 86400.0
REHEARSAL_DAYS = 7
PERIOD_SECONDS = 3600.0

log = structlog.get_logger()


class Retention:
    """`clock` gives unix seconds, `days` is how long a lesson's recording is kept."""

    def __init__(self, store: SessionStore, folder: Path, *, days: int, clock: Callable[[], float]) -> None:
        self._store = store
        self._folder = folder
        self._days = days
        self._clock = clock

    async def run(self) -> None:
        """Look once an hour until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:
                log.error("retention_failed", exc_info=error)
            await asyncio.sleep(PERIOD_SECONDS)

    async def look(self) -> list[str]:
        """Delete what is due; the ids of the sessions whose recordings are gone."""
        now, deleted = self._clock(), []
        for folder in await asyncio.to_thread(lambda: list(sessions(self._folder))):
            record = await self._store.get(folder.name)
            if record is None or record.ended_at is None:
                continue
            days = REHEARSAL_DAYS if record.kind == "rehearsal" else self._days
            if now - record.ended_at < days * DAY_SECONDS:
                continue
            if await asyncio.to_thread(_delete, folder):
                log.info("recording_deleted", session=folder.name, kept_days=days)
                deleted.append(folder.name)
        return deleted


def _delete(folder: Path) -> bool:
    """Delete a folder that nobody writes into. The manifest goes last, so that a deletion cut short is repeated."""
    try:
        Journal.open(folder / MANIFEST_FILE).close()
    except JournalLocked:
        return False
    for file in folder.iterdir():
        if file.name != MANIFEST_FILE:
            file.unlink()
    shutil.rmtree(folder)
    return True
