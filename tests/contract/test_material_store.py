"""Materials and their versions are kept, and their blobs counted, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from server.materials.blobs import DiskBlobs
from server.materials.model import StoredMaterial, StoredPage, StoredVersion
from server.storage.database import Database
from server.storage.material_store import SqlMaterialStore


def version(id: str, number: int, *pages: str) -> StoredVersion:
    return StoredVersion(
        id=id,
        number=number,
        file_name="导学单.pdf",
        original=f"o-{id}",
        bytes=1234,
        pages=tuple(StoredPage(1600, 900, f"large-{page}", f"small-{page}") for page in pages),
        added_at=1_000.0 + number,
        added_by="音乐教师01",
    )


def material(id: str, *versions: StoredVersion, lesson: str = "l1", occurrence: str = "") -> StoredMaterial:
    return StoredMaterial(
        id=id, lesson=lesson, occurrence=occurrence, kind="guide_sheet", title="光的反射", versions=versions
    )


async def test_a_day_has_its_own_materials_and_those_of_every_week(database: Database) -> None:
    store = SqlMaterialStore(database)
    weekly = material("m1", version("v1", 1, "a", "b"))
    thursday = material("m2", version("v2", 1, "c"), occurrence="l1.2026-11-19")
    other_day = material("m3", version("v3", 1, "d"), occurrence="l1.2026-11-26")
    other_lesson = material("m4", version("v4", 1, "e"), lesson="l2")
    for one in (weekly, thursday, other_day, other_lesson):
        assert await store.add(one)
    assert not await store.add(weekly)
    assert await store.of("l1", "l1.2026-11-19") == [weekly, thursday]
    assert await store.of("l1", "") == [weekly]
    assert await store.of("l3", "") == []


async def test_versions_count_up_and_one_number_is_given_once(database: Database) -> None:
    store = SqlMaterialStore(database)
    first, second = version("v1", 1, "a"), version("v2", 2, "a", "b")
    await store.add(material("m1", first))
    assert await store.add_version("m1", second)
    assert not await store.add_version("m1", version("v3", 2, "c"))
    assert not await store.add_version("gone", version("v4", 1, "c"))
    assert await store.of("l1", "") == [material("m1", first, second)]


async def test_a_deleted_material_frees_what_nobody_else_needs(database: Database) -> None:
    store = SqlMaterialStore(database)
    await store.add(material("m1", version("v1", 1, "a", "b")))
    await store.add_version("m1", version("v2", 2, "b", "c"))
    await store.add(material("m2", version("v5", 1, "b")))
    freed = await store.remove("m1")
    assert freed == {"large-a", "small-a", "large-c", "small-c", "o-v1", "o-v2"}
    assert await store.blobs() == {"large-b", "small-b", "o-v5"}
    assert await store.remove("m1") == frozenset()


async def test_a_material_of_thousands_of_pages_is_deleted(database: Database) -> None:
    store = SqlMaterialStore(database)
    await store.add(material("m1", version("v1", 1, *map(str, range(1200)))))
    assert len(await store.remove("m1")) == 2401


async def test_blobs_are_kept_once_and_named_by_their_content(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path / "blobs")
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"the same")
    first, second = await blobs.put(tmp_path / "one"), await blobs.put(tmp_path / "two")
    assert first == second == hashlib.sha256(b"the same").hexdigest()
    assert blobs.path(first).read_bytes() == b"the same"
    assert await blobs.all() == {first}
    await blobs.remove([first, "0" * 64])
    assert await blobs.all() == frozenset()


@pytest.mark.parametrize("id", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_nothing_but_an_id_becomes_a_path(tmp_path: Path, id: str) -> None:
    with pytest.raises(ValueError, match="id of a blob"):
        DiskBlobs(tmp_path).path(id)
