"""This module owns how much room is left where the server writes: when it warns, and when it is not ready any more.

A disk is never filled on purpose, and seldom unseen: what is measured is in the metrics, in the log when it changes, on
the bureau's home page and in what `/healthz` answers, before the first write fails.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

import structlog
from aiohttp import web
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.settings import Settings

SPARE_BYTES = 5 * 1024**3
"""With less, there is a warning: some lessons of eight rooms, each about 1 GB, and the disk is full."""
LEAST_BYTES = 256 * 1024**2
"""With less, the server is not ready: a recorded lesson of eight rooms fills it within some ten minutes."""
LOOK_SECONDS = 15.0
PROBE = b"\0" * 4096

DATA = "server.data_dir"

log = structlog.get_logger()


class DiskFull(Exception):
    """There is next to no room where the server writes, or the disk takes nothing. `setting` names the folder."""

    code = "disk_full"

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write there. Raises OSError."""
    return shutil.disk_usage(_standing(folder)).free


class FreeSpace(Collector):
    """The folders by the setting that names each, `server.data_dir` the first. `measure` gives the free bytes there and
    raises OSError; a folder on the disk of one before it is not measured again."""

    def __init__(self, folders: Mapping[str, Path], measure: Callable[[Path], int] = free_bytes) -> None:
        self._folders = folders
        self._measure = measure
        self.latest: dict[str, int] = {}
        """Free bytes by setting, as they were last measured."""

    def look(self) -> dict[str, int]:
        """Measure; blocks as long as the disks take to answer. Raises OSError."""
        disks: dict[int, str] = {}
        for setting, folder in self._folders.items():
            disks.setdefault(_standing(folder).stat().st_dev, setting)
        before = self.latest
        self.latest = {setting: self._measure(self._folders[setting]) for setting in disks.values()}
        for setting, free in self.latest.items():
            word = _word(free)
            if word != _word(before.get(setting, SPARE_BYTES)):
                tell = log.info if word == "disk_has_room" else log.warning
                tell(word, folder=setting, free_mb=free // 1024**2)
        return self.latest

    def check(self) -> None:
        """Raises DiskFull unless every disk has room and takes what is written to it; blocks like `look`."""
        try:
            for setting, free in self.look().items():
                if free < LEAST_BYTES:
                    raise DiskFull(setting, f"only {free // 1024**2} MB are free, {LEAST_BYTES // 1024**2} are needed")
        except OSError as error:
            raise DiskFull(DATA, f"cannot be measured: {error.strerror}") from error
        for setting in self.latest:
            try:
                # room alone says nothing of quotas, inodes and disks that have gone read-only
                with tempfile.TemporaryFile(dir=_standing(self._folders[setting]), buffering=0) as probe:
                    probe.write(PROBE)
            except OSError as error:
                raise DiskFull(setting, f"nothing can be written: {error.strerror}") from error

    @property
    def low(self) -> int | None:
        """The free bytes of the fullest disk, once there is cause to warn."""
        least = min(self.latest.values(), default=SPARE_BYTES)
        return least if least < SPARE_BYTES else None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """`prometheus_client`'s: as it was last measured, for a disk that does not answer must not hold up the loop."""
        family = GaugeMetricFamily(
            "tongke_disk_free_bytes", "Free bytes of the disk on which a folder lies, by its setting", labels=["folder"]
        )
        for setting, free in self.latest.items():
            family.add_metric([setting], free)
        return [family]

    async def watch(self, _app: web.Application) -> AsyncIterator[None]:
        """Measure again and again while the application runs."""
        task = asyncio.create_task(self._watch(), name="free space")
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.look)
            except OSError as error:
                log.error("disk_not_measured", error=error.strerror)
            await asyncio.sleep(LOOK_SECONDS)


def folders_of(settings: Settings) -> dict[str, Path]:
    """Where a server with these settings writes, by setting."""
    folders = {DATA: settings.server.data_dir}
    if settings.database_file is not None:
        folders["database.url"] = settings.database_file.parent
    return folders | {"recordings.dir": settings.recordings_dir, "materials.dir": settings.materials_dir}


def _word(free: int) -> str:
    """What the log says of so much room."""
    if free >= SPARE_BYTES:
        return "disk_has_room"
    return "disk_filling" if free >= LEAST_BYTES else "disk_full"


def _standing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there already."""
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())
