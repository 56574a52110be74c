"""This module owns whose a data folder is: one server's, unless several share it on purpose, on Redis and PostgreSQL.

The lock is the kernel's on an open file: it goes with the process, however that ends, and leaves nothing to clean up.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from config.settings import Settings

LOCK = "tongke.lock"
MODE, FOLDER_MODE = 0o640, 0o750
MOST_WRITTEN = 300
"""Bytes: a pid and the longest name that a host can have."""


class DataFolderTaken(Exception):
    """Another server works in the folder. `pid` and `host` are that server's, as it wrote them down: in a container,
    whose processes are counted anew, the host's name tells which. Empty where it has not yet."""

    code = "data_folder_taken"

    def __init__(self, folder: Path, pid: str, host: str) -> None:
        super().__init__(
            f"the data folder {folder} is in use by {f'process {pid} on {host}' if pid else 'another process'}: "
            "stop that server, or give this one a folder of its own (server.data_dir)"
        )
        self.folder = folder
        self.pid = pid
        self.host = host


class DataFolderUnusable(Exception):
    """The folder cannot be made or written."""

    code = "data_folder_unusable"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"the data folder {folder} cannot be used: {reason}")
        self.folder = folder
        self.reason = reason


@contextlib.contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Hold the data folder for as long as this lasts: alone, or with others that share Redis and PostgreSQL with this
    server. Raises DataFolderTaken, DataFolderUnusable."""
    folder = settings.server.data_dir.absolute()
    try:
        folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
    except OSError as error:
        raise DataFolderUnusable(folder, error.strerror or str(error)) from error
    try:
        shared = bool(settings.bus.redis_url) and settings.database_file is None
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataFolderTaken(folder, *_written(handle)) from None
        _write(handle, f"{os.getpid()} {socket.gethostname()}")
        yield
    finally:
        os.close(handle)


def _written(handle: int) -> tuple[str, str]:
    pid, _, host = os.pread(handle, MOST_WRITTEN, 0).decode("utf-8", "replace").strip().partition(" ")
    return (pid, host) if pid.isdecimal() else ("", "")


def _write(handle: int, text: str) -> None:
    """A disk without room must not keep a server from starting: then nobody is told its pid."""
    os.ftruncate(handle, 0)
    with contextlib.suppress(OSError):
        os.pwrite(handle, f"{text}\n".encode(), 0)
