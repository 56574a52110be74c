"""All tests in two lanes side by side: on two cores they take little more than the longer lane alone.

The live lane drives browsers, media and servers at the speed of life and waits for most of its time. The other one
computes, and gives way: what is measured in the live lane sees a machine that is nearly idle. Each lane is a pytest
with databases, servers and folders of its own.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]
PYTEST = [sys.executable, "-m", "pytest"]
LIVE = (
    "tests/e2e",
    "tests/integration/test_cameras.py",
    "tests/integration/test_kill.py",
    "tests/integration/test_live_*.py",
    "tests/integration/test_media_*.py",
    "tests/integration/test_page_pictures.py",
    "tests/integration/test_recordings_*.py",
    "tests/integration/test_restart.py",
    "tests/integration/test_whip*.py",
)
GIVES_WAY = ["nice", "-n", "10"]
"""About a tenth of a core that both lanes want at the same time."""


def live() -> list[str]:
    """The paths of the tests that run at the speed of life."""
    return [str(path.relative_to(ROOT)) for pattern in LIVE for path in sorted(ROOT.glob(pattern))]


def side_by_side(shown: list[str], kept: list[str]) -> int:
    """Run two commands; what `kept` says is shown once both have ended. Returns the worse exit code.

    SIGTERM and Ctrl-C end both, each with the servers that it has started."""
    with tempfile.TemporaryFile() as said:
        # groups of their own, or a terminal's Ctrl-C would reach them a second time, while they stop their servers
        own = {"cwd": ROOT, "stdin": subprocess.DEVNULL, "process_group": 0}
        second = subprocess.Popen(kept, stdout=said, stderr=subprocess.STDOUT, **own)
        first = subprocess.Popen(shown, **own)
        try:
            codes = [abs(first.wait()), abs(second.wait())]
        finally:
            _end(first, second)
            said.seek(0)
            sys.stdout.flush()
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()
    return max(codes)


def _end(*lanes: subprocess.Popen[bytes]) -> None:
    # a pytest that is interrupted stops what it started, one that is terminated does not
    for lane in lanes:
        if lane.poll() is None:
            lane.send_signal(signal.SIGINT)
    for lane in lanes:
        lane.wait()


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    """Run all tests."""
    signal.signal(signal.SIGTERM, _interrupt)
    paths = live()
    try:
        return side_by_side([*PYTEST, *paths], [*GIVES_WAY, *PYTEST, *(f"--ignore={path}" for path in paths)])
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
