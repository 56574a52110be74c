"""This module owns what is kept of a lesson's materials, and the two ports behind which it is kept."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from signaling.materials import Material, MaterialKind


class StoredPage(Struct, frozen=True, array_like=True):
    """One page: the size of its large picture in pixels, and the ids under which both pictures are kept."""

    width: int
    height: int
    large: str
    small: str


class StoredVersion(Struct, frozen=True, kw_only=True):
    """One version of a material; it never changes."""

    id: str
    number: int
    file_name: str
    original: str
    """Id of the file as it was handed in; empty where several pictures were."""
    bytes: int
    pages: tuple[StoredPage, ...]
    added_at: float
    added_by: str

    @property
    def blobs(self) -> frozenset[str]:
        """Everything that is kept for it."""
        pictures = {blob for page in self.pages for blob in (page.large, page.small)}
        return frozenset(pictures | {self.original} - {""})


class StoredMaterial(Struct, frozen=True, kw_only=True):
    """A material of a lesson, the newest version last. It belongs to one occurrence, or (empty) to every week's."""

    id: str
    lesson: str
    occurrence: str
    kind: MaterialKind
    title: str
    versions: tuple[StoredVersion, ...]

    @property
    def newest(self) -> StoredVersion:
        return self.versions[-1]

    def version(self, id: str) -> StoredVersion | None:
        return next((version for version in self.versions if version.id == id), None)

    def on_shelf(self) -> Material:
        """The newest version, as rooms see it."""
        return Material(
            version=self.newest.id,
            material=self.id,
            kind=self.kind,
            title=self.title,
            number=self.newest.number,
            pages=tuple((page.width, page.height) for page in self.newest.pages),
        )


class MaterialStore(Protocol):
    """The list of materials and versions."""

    async def of(self, lesson: str, occurrence: str) -> list[StoredMaterial]:
        """Those of one occurrence and those of every week's, the oldest first."""
        ...

    async def add(self, material: StoredMaterial) -> bool:
        """Keep a new material with its first version."""
        ...

    async def add_version(self, material: str, version: StoredVersion) -> bool:
        """Keep a further version; False when the material is gone, or has a version of that number already."""
        ...

    async def remove(self, material: str) -> frozenset[str]:
        """Forget a material with all its versions; the blobs that nobody needs any more."""
        ...

    async def blobs(self) -> frozenset[str]:
        """All blobs that a version needs."""
        ...


class Blobs(Protocol):
    """Bytes under the id that follows from them: what is there never changes, and twice the same is kept once."""

    async def put(self, file: Path) -> str:
        """Take the file over, and return its id once it would survive a power cut."""
        ...

    def path(self, id: str) -> Path:
        """Where it lies on this machine's disk."""
        ...

    async def remove(self, ids: Collection[str]) -> None:
        """Forget them; one that is not there is no error."""
        ...

    async def all(self) -> frozenset[str]: ...
