"""Files by their content, on the local disk: `ab/ab12…`, named by SHA-256, moved into place whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Collection
from pathlib import Path

NAME = re.compile(r"[0-9a-f]{64}")


class DiskBlobs:
    """`server.materials.model.Blobs` in `folder`. A file handed to `put` must lie on the same file system."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, file: Path) -> str:
        """Take the file over, and return its id once it would survive a power cut."""
        return await asyncio.to_thread(self._put, file)

    def path(self, id: str) -> Path:
        """Where it lies; raises ValueError for what is no id."""
        if not NAME.fullmatch(id):
            raise ValueError("not the id of a blob")
        return self._folder / id[:2] / id

    async def remove(self, ids: Collection[str]) -> None:
        """Forget them; one that is not there is no error."""
        await asyncio.to_thread(self._remove, ids)

    async def all(self) -> frozenset[str]:
        """The ids of everything kept."""
        return await asyncio.to_thread(
            lambda: frozenset(file.name for file in self._folder.glob("??/*") if NAME.fullmatch(file.name))
        )

    def _remove(self, ids: Collection[str]) -> None:
        for id in ids:
            self.path(id).unlink(missing_ok=True)

    def _put(self, file: Path) -> str:
        with file.open("rb+") as opened:
            id = hashlib.file_digest(opened, "sha256").hexdigest()
            os.fsync(opened.fileno())
        target = self.path(id)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        _sync(target.parent)
        return id


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
