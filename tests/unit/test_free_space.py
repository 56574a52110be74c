"""How much room there is where the server writes, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from config.settings import load
from server.free_space import DATA, LEAST_BYTES, SPARE_BYTES, DiskFull, FreeSpace, folders_of


class Disk:
    """A disk that the test fills."""

    def __init__(self, free: int) -> None:
        self.free = free

    def __call__(self, _folder: Path) -> int:
        return self.free


@pytest.mark.parametrize("free", [LEAST_BYTES, SPARE_BYTES])
def test_a_disk_with_room_is_ready(tmp_path: Path, free: int) -> None:
    FreeSpace({DATA: tmp_path}, Disk(free)).check()
    assert list(tmp_path.iterdir()) == []


def test_next_to_no_room_is_not_ready_and_says_where(tmp_path: Path) -> None:
    with pytest.raises(DiskFull) as full:
        FreeSpace({DATA: tmp_path}, Disk(LEAST_BYTES - 1)).check()
    assert (full.value.code, str(full.value)) == (
        "disk_full",
        "server.data_dir: only 255 MB are free, 256 are needed",
    )


def test_a_place_that_takes_nothing_is_not_ready(tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("a file where the folder should be")
    with pytest.raises(DiskFull, match=r"recordings.dir: nothing can be written: Not a directory"):
        FreeSpace({"recordings.dir": place}).check()


def test_folders_on_one_disk_are_measured_once_also_before_they_are_made(tmp_path: Path) -> None:
    space = FreeSpace({DATA: tmp_path / "absent", "recordings.dir": tmp_path / "absent" / "recordings"})
    assert list(space.look()) == [DATA]
    assert space.latest[DATA] > 0


def test_the_log_tells_when_it_changes_and_the_metrics_what_was_measured(tmp_path: Path) -> None:
    disk = Disk(SPARE_BYTES)
    space = FreeSpace({DATA: tmp_path}, disk)
    registry = CollectorRegistry()
    registry.register(space)
    with capture_logs() as log:
        for free, low in (
            (SPARE_BYTES, None),
            (SPARE_BYTES - 1, SPARE_BYTES - 1),
            (LEAST_BYTES, LEAST_BYTES),
            (LEAST_BYTES - 1, LEAST_BYTES - 1),
            (SPARE_BYTES, None),
        ):
            disk.free = free
            space.look()
            assert space.low == low
            assert registry.get_sample_value("tongke_disk_free_bytes", {"folder": DATA}) == free
    assert [(line["event"], line["log_level"]) for line in log] == [
        ("disk_filling", "warning"),
        ("disk_full", "warning"),
        ("disk_has_room", "info"),
    ]


def test_the_folders_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = load(None, {"TONGKE_SERVER_DATA_DIR": str(tmp_path), "TONGKE_RECORDINGS_DIR": "/records"})
    assert folders_of(settings) == {
        DATA: tmp_path,
        "database.url": tmp_path,
        "recordings.dir": Path("/records"),
        "materials.dir": tmp_path / "materials",
    }
    postgres = msgspec.structs.replace(settings.database, url="postgresql+psycopg://tongke@db/tongke")
    assert "database.url" not in folders_of(msgspec.structs.replace(settings, database=postgres))
