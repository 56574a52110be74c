"""All tests in lanes: what computes in two side by side, one for each of two cores; then, on a machine that has nothing
else to do, what lives: pages beside media and servers, at the speed of life.

The live lanes wait for three quarters of their time, but beside those that compute their browsers now and then came too
late. Each lane is a pytest with databases, servers and folders of its own.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).parents[1]
PYTEST = [sys.executable, "-m", "pytest"]
RULES = ("tests/unit", "tests/contract")
PAGES = "tests/e2e"
LESSONS = "tests/e2e/lessons"
LIVE = (
    "tests/integration/test_cameras.py",
    "tests/integration/test_kill.py",
    "tests/integration/test_live_*.py",
    "tests/integration/test_media_*.py",
    "tests/integration/test_page_pictures.py",
    "tests/integration/test_recordings_*.py",
    "tests/integration/test_restart.py",
    "tests/integration/test_whip*.py",
)
"""What drives media and servers at the speed of life, as the pages do."""


def live() -> list[str]:
    """The paths of these tests."""
    return [str(path.relative_to(ROOT)) for pattern in LIVE for path in sorted(ROOT.glob(pattern))]


def side_by_side(shown: list[str], *kept: list[str]) -> int:
    """Run commands; what those of `kept` say is shown once all have ended. Returns the worst exit code.

    SIGTERM and Ctrl-C end all, each with the servers that it has started."""
    with contextlib.ExitStack() as files:
        said = [files.enter_context(tempfile.TemporaryFile()) for _ in kept]
        lanes = [_start(command, file) for command, file in zip(kept, said, strict=True)]
        lanes.append(_start(shown, None))
        try:
            codes = [abs(lane.wait()) for lane in lanes]
        finally:
            _end(*lanes)
            sys.stdout.flush()
            for file in said:
                file.seek(0)
                sys.stdout.buffer.write(file.read())
            sys.stdout.flush()
    return max(codes)


def _start(command: list[str], said: IO[bytes] | None) -> subprocess.Popen[bytes]:
    # in a group of its own, or a terminal's Ctrl-C would reach it a second time, while it stops its servers
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, process_group=0
    )


def _end(*lanes: subprocess.Popen[bytes]) -> None:
    # a pytest that is interrupted stops what it started, one that is terminated does not
    for lane in lanes:
        if lane.poll() is None:
            lane.send_signal(signal.SIGINT)
    for lane in lanes:
        lane.wait()


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def heed_signals() -> None:
    """Let SIGTERM and SIGINT end the run and, with it, what the run starts."""
    signal.signal(signal.SIGTERM, _interrupt)
    # a shell's background job ignores SIGINT, and so would each pytest begun from it, which then could not be stopped
    signal.signal(signal.SIGINT, signal.default_int_handler)


def main() -> int:
    """Run all tests."""
    heed_signals()
    paths = live()
    others = [f"--ignore={path}" for path in (*RULES, PAGES, *paths)]
    try:
        computed = side_by_side([*PYTEST, *RULES], [*PYTEST, *others])
        pages = [*PYTEST, PAGES, f"--ignore={LESSONS}"]
        return max(computed, side_by_side(pages, [*PYTEST, LESSONS], [*PYTEST, *paths]))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
