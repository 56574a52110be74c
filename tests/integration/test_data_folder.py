"""A data folder is one server's, for as long as its process lives; several share it only where the settings say so."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from config.settings import Settings, load
from server.data_folder import LOCK, DataFolderTaken, DataFolderUnusable, held

HOLD = """
import sys
from pathlib import Path
from config.settings import load
from server.data_folder import held
with held(load(None, {"TONGKE_SERVER_DATA_DIR": sys.argv[1]})):
    print("held", flush=True)
    sys.stdin.read()
"""


def settings_in(folder: Path, *, redis: str = "", database: str = "") -> Settings:
    settings = load(None, {"TONGKE_SERVER_DATA_DIR": str(folder)})
    return msgspec.structs.replace(
        settings,
        bus=msgspec.structs.replace(settings.bus, redis_url=redis),
        database=msgspec.structs.replace(settings.database, url=database),
    )


@contextmanager
def another(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_server_is_told_which_folder_and_whose(tmp_path: Path) -> None:
    with another(tmp_path) as first:
        with pytest.raises(DataFolderTaken) as taken, held(settings_in(tmp_path)):
            pass
        host = socket.gethostname()
        assert (taken.value.code, taken.value.pid, taken.value.host) == ("data_folder_taken", str(first.pid), host)
        assert str(taken.value) == (
            f"the data folder {tmp_path} is in use by process {first.pid} on {host}: "
            "stop that server, or give this one a folder of its own (server.data_dir)"
        )


def test_the_folder_is_made_for_the_server_s_user_and_the_operators_group(tmp_path: Path) -> None:
    with held(settings_in(tmp_path / "data")):
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o750
        assert stat.S_IMODE((tmp_path / "data" / LOCK).stat().st_mode) == 0o640


def test_a_process_that_is_killed_leaves_nothing_to_clean_up(tmp_path: Path) -> None:
    with another(tmp_path) as first:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        with held(settings_in(tmp_path)):
            assert (tmp_path / LOCK).read_text() == f"{os.getpid()} {socket.gethostname()}\n"


def test_several_that_share_redis_and_postgresql_share_the_folder_but_not_with_one_alone(tmp_path: Path) -> None:
    shared = settings_in(tmp_path, redis="redis://127.0.0.1:1/0", database="postgresql+psycopg://127.0.0.1:1/tongke")
    with held(shared), held(shared), pytest.raises(DataFolderTaken), held(settings_in(tmp_path)):
        pass
    with held(settings_in(tmp_path)), pytest.raises(DataFolderTaken), held(shared):
        pass


@pytest.mark.parametrize("half", [{"redis": "redis://127.0.0.1:1/0"}, {"database": "postgresql+psycopg://h/tongke"}])
def test_one_of_both_is_not_enough(tmp_path: Path, half: dict[str, str]) -> None:
    settings = settings_in(tmp_path, **half)
    with held(settings), pytest.raises(DataFolderTaken), held(settings):
        pass


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DataFolderUnusable, match=r"the data folder .*/file/data cannot be used: Not a directory"),
        held(settings_in(tmp_path / "file" / "data")),
    ):
        pass
