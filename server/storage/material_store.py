"""Lesson materials: which there are, their versions, and which blobs these need."""

from __future__ import annotations

import msgspec
from sqlalchemy import Column, Connection, Double, Integer, Row, Table, Text, delete, insert, select

from server.materials.model import StoredMaterial, StoredVersion
from server.storage.database import Database, metadata

materials = Table(
    "material",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lesson", Text, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("added_at", Double, nullable=False),
)
versions = Table(
    "material_version",
    metadata,
    Column("id", Text, primary_key=True),
    Column("material", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
needed = Table(
    "material_blob",
    metadata,
    Column("version", Text, primary_key=True),
    Column("blob", Text, primary_key=True),
)


class SqlMaterialStore:
    """`server.materials.model.MaterialStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, lesson: str, occurrence: str) -> list[StoredMaterial]:
        """Those of one occurrence and those of every week's, the oldest first."""
        query = (
            select(materials, versions.c.body)
            .join(versions, versions.c.material == materials.c.id)
            .where(materials.c.lesson == lesson, materials.c.occurrence.in_({"", occurrence}))
            .order_by(materials.c.added_at, materials.c.id, versions.c.number)
        )
        found: dict[str, StoredMaterial] = {}
        for row in await self._database.read(lambda c: c.execute(query).all()):
            before = found[row.id].versions if row.id in found else ()
            found[row.id] = _material(row, (*before, msgspec.json.decode(row.body, type=StoredVersion)))
        return list(found.values())

    async def add(self, material: StoredMaterial) -> bool:
        """Keep a new material with its first version; False where one of that id is there."""

        def body(connection: Connection) -> bool:
            if connection.execute(select(materials.c.id).where(materials.c.id == material.id)).first():
                return False
            connection.execute(
                insert(materials).values(
                    id=material.id,
                    lesson=material.lesson,
                    occurrence=material.occurrence,
                    kind=material.kind,
                    title=material.title,
                    added_at=material.newest.added_at,
                )
            )
            _insert(connection, material.id, material.newest)
            return True

        return await self._database.write(body)

    async def add_version(self, material: str, version: StoredVersion) -> bool:
        """Keep a further version; False when the material is gone, or has a version of that number already."""

        def body(connection: Connection) -> bool:
            here = select(materials.c.id).where(materials.c.id == material)
            taken = select(versions.c.id).where(versions.c.material == material, versions.c.number == version.number)
            if connection.execute(here).first() is None or connection.execute(taken).first() is not None:
                return False
            _insert(connection, material, version)
            return True

        return await self._database.write(body)

    async def remove(self, material: str) -> frozenset[str]:
        """Forget a material with all its versions; the blobs that nobody needs any more."""

        def body(connection: Connection) -> frozenset[str]:
            own = select(versions.c.id).where(versions.c.material == material)
            held = select(needed.c.blob).where(needed.c.version.in_(own))
            freed = set(connection.execute(held).scalars())
            connection.execute(delete(needed).where(needed.c.version.in_(own)))
            connection.execute(delete(versions).where(versions.c.material == material))
            connection.execute(delete(materials).where(materials.c.id == material))
            # in parts: a database takes so many values in one question, and a material may have thousands of pages
            listed = sorted(freed)
            for start in range(0, len(listed), 500):
                still = select(needed.c.blob).where(needed.c.blob.in_(listed[start : start + 500]))
                freed -= set(connection.execute(still).scalars())
            return frozenset(freed)

        return await self._database.write(body)

    async def blobs(self) -> frozenset[str]:
        """All blobs that a version needs."""
        query = select(needed.c.blob).distinct()
        return frozenset(await self._database.read(lambda c: c.execute(query).scalars().all()))


def _insert(connection: Connection, material: str, version: StoredVersion) -> None:
    connection.execute(
        insert(versions).values(
            id=version.id,
            material=material,
            number=version.number,
            body=msgspec.json.encode(version).decode(),
        )
    )
    connection.execute(insert(needed), [{"version": version.id, "blob": blob} for blob in sorted(version.blobs)])


def _material(row: Row[tuple[object, ...]], found: tuple[StoredVersion, ...]) -> StoredMaterial:
    return StoredMaterial(
        id=row.id,
        lesson=row.lesson,
        occurrence=row.occurrence,
        kind=row.kind,
        title=row.title,
        versions=found,
    )
