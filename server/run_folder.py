"""This module owns the folder in which a solver works: made for one run, gone when that has ended.

A folder that is there when a server starts was left by one that was killed. While a solver is still at work in it, the
solver holds the lock of its CLAIM; the operating system lets go of that however the solver ends.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CLAIM = "solver.pid"
PATIENCE_SECONDS = 8.0
"""Longer than a solver takes to end by itself when its server has gone."""
POLL_SECONDS = 0.05


def claim() -> None:
    """Claim the present folder for this process, until it ends."""
    # inherited by nobody: the lock goes with this process
    handle = os.open(CLAIM, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.truncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())


@contextmanager
def run_folder(parent: Path, name: str = "") -> Iterator[Path]:
    """A folder for one run, which goes with it; `name` is for one that another server shall know again."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / name if name else Path(tempfile.mkdtemp(dir=parent))
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def left_behind(parent: Path) -> list[Path]:
    """The folders of runs that nobody ended."""
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


async def vacated(folder: Path) -> None:
    """Wait until no solver works in a folder that was left behind; one that does not end by itself is killed."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (solver := _solver_in(folder)) is not None:
        if solver > 0 and time.monotonic() > until:
            # it holds its claim, so the number is still its own
            with suppress(ProcessLookupError):
                os.kill(solver, signal.SIGKILL)
        await asyncio.sleep(POLL_SECONDS)


def _solver_in(folder: Path) -> int | None:
    """The process that has claimed the folder and lives; 0 for one that has not said its number yet."""
    try:
        handle = os.open(folder / CLAIM, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        written = os.read(handle, 20)
        return int(written) if written.isdigit() else 0
    finally:
        os.close(handle)
    return None
