"""This module owns which room has which camera. An address holds a password: each lies in a file that only the server
reads, beside its other secrets, and not in the database that is copied about."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from server.private_file import write_private

Lessons = Literal["hosting", "all"]


class Camera(msgspec.Struct, frozen=True):
    """`url` is whole, with name and password; `by` and `at`: who gave it, and when (unix seconds). `lessons`: pulled
    into those that are taught from its room, or into all that the room takes part in. `sound`: whether its sound stands
    in for that of the room's panel."""

    room: str
    url: str
    by: str
    at: float
    lessons: Lessons = "hosting"
    sound: bool = True


class CameraStore:
    """Blocking, and small: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> dict[str, Camera]:
        """By room."""
        files = sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []
        found = [msgspec.json.decode(file.read_bytes(), type=Camera) for file in files]
        return {camera.room: camera for camera in found}

    def put(self, camera: Camera) -> None:
        write_private(self._file(camera.room), msgspec.json.encode(camera))

    def remove(self, room: str) -> bool:
        """Whether the room had one."""
        file = self._file(room)
        had = file.exists()
        file.unlink(missing_ok=True)
        return had

    def _file(self, room: str) -> Path:
        # no path is made of a name that came from outside
        return self._folder / f"{hashlib.sha256(room.encode()).hexdigest()[:32]}.json"
