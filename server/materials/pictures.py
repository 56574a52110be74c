"""This module owns drawing a material's pages: one process per upload, watched, timed, and killed when nobody waits."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from server.materials.errors import (
    MaterialEncrypted,
    MaterialError,
    MaterialTooHeavy,
    MaterialTooManyPages,
    MaterialUnreadable,
)

DRAWER = Path(__file__).with_name("draw_pages.py")
SECONDS = 180.0
"""For one material, by the clock; its processor time is limited by the process itself."""
AT_ONCE = 2
LINE_LIMIT = 4096

log = structlog.get_logger()

Progress = Callable[[int, int], None]
"""Called with the pages that are drawn and how many there are."""


class PagePictures:
    """At most AT_ONCE materials are drawn at a time; the others wait."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def draw(
        self, files: Sequence[Path], folder: Path, most: int, progress: Progress
    ) -> tuple[tuple[int, int], ...]:
        """Draw all pages of `files` into `folder` as `N.large` and `N.small`; the size of each large picture. Raises a
        MaterialError that says why there are none. Cancelled, it leaves no process behind."""
        async with self._turns:
            errors = folder / "errors"
            process = await self._start(files, folder, most, errors)
            try:
                return await asyncio.wait_for(_follow(process, progress), self._seconds)
            except TimeoutError as error:
                raise MaterialTooHeavy("took too long") from error
            except (ValueError, KeyError, TypeError) as error:
                raise MaterialUnreadable("the drawing process speaks nonsense") from error
            except MaterialUnreadable:
                # mostly the file's fault; where it is ours (a library that is missing), the log has to say so
                log.warning("pages_not_drawn", errors=(await asyncio.to_thread(_tail, errors)))
                raise
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    @staticmethod
    async def _start(files: Sequence[Path], folder: Path, most: int, errors: Path) -> asyncio.subprocess.Process:
        opened = await asyncio.to_thread(errors.open, "wb")
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                # isolated: neither our modules nor an environment's settings are there for a stranger's file
                *("-I", str(DRAWER), str(folder), str(most), *map(str, files)),
                cwd=folder,
                env={},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=opened,
                limit=LINE_LIMIT,
                start_new_session=True,
            )
        finally:
            opened.close()


def _tail(file: Path) -> str:
    return file.read_bytes()[-2000:].decode(errors="replace").strip()


async def _follow(process: asyncio.subprocess.Process, progress: Progress) -> tuple[tuple[int, int], ...]:
    assert process.stdout is not None
    sizes: list[tuple[int, int]] = []
    pages = 0
    async for line in process.stdout:
        told: dict[str, Any] = json.loads(line)
        if "refused" in told:
            raise _refusal(told)
        pages = told.get("pages", pages)
        if "page" in told:
            sizes.append((told["width"], told["height"]))
        progress(len(sizes), pages)
    code = await process.wait()
    if code in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGXFSZ):
        raise MaterialTooHeavy(f"the drawing process was stopped: {code}")
    if code != 0 or not sizes or len(sizes) != pages:
        raise MaterialUnreadable(f"the drawing process ended: {code}")
    return tuple(sizes)


def _refusal(told: dict[str, Any]) -> MaterialError:
    match told["refused"]:
        case "material_too_many_pages":
            return MaterialTooManyPages(told["pages"], told["most"])
        case "material_encrypted":
            return MaterialEncrypted("opens with a password only")
        case "material_too_heavy":
            return MaterialTooHeavy("needs too much memory")
        case _:
            return MaterialUnreadable("broken")
