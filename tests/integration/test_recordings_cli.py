"""`tongke recordings`: what a crash left is named, mended, and then there is nothing more to say."""

import json
import os
import subprocess
import sys
from pathlib import Path

from recordings.manifest import Began, Manifest, Opened, Participant


def tongke(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "server", "recordings", *words], capture_output=True, text=True, env={**os.environ}
    )


def crashed(root: Path) -> None:
    """A session whose server died with one segment open and nothing in it."""
    folder = root / "session-1"
    folder.mkdir(parents=True)
    with Manifest.open(folder) as manifest:
        manifest.add(Began("session-1", 1_800_000_000.0))
        manifest.add(Participant("host.p", "host", "core", "主讲", True, 0.0))
        manifest.add(Opened("0001", "host.p", "teacher", "0001.mp4", 0.0, True, True, True))
    (folder / "0001.mp4").write_bytes(b"")


def test_crash_is_found_mended_and_gone(tmp_path: Path) -> None:
    crashed(tmp_path)
    found = tongke("verify", "--folder", str(tmp_path), "--json")
    assert (found.returncode, json.loads(found.stdout)["code"]) == (1, "segment_unfinished")
    mended = tongke("repair", "--folder", str(tmp_path), "--json")
    assert (mended.returncode, json.loads(mended.stdout)["subject"]) == (0, "0001")
    again = tongke("repair", "--folder", str(tmp_path), "--json")
    assert (again.returncode, again.stdout) == (0, "")


def test_empty_folder_has_nothing_wrong(tmp_path: Path) -> None:
    found = tongke("verify", "--folder", str(tmp_path))
    assert (found.returncode, found.stdout.strip()) == (0, "没有发现问题 / nothing wrong")
