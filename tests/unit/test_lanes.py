"""The lanes of the tests: none is lost, and a failure of any is the run's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lanes import LIVE, ROOT, live, side_by_side


@pytest.mark.parametrize("pattern", LIVE)
def test_the_live_lane_names_tests_that_are_there(pattern: str) -> None:
    assert list(ROOT.glob(pattern))


def test_a_test_is_in_one_lane_only() -> None:
    assert len(set(live())) == len(live())


@pytest.mark.parametrize(("shown", "kept", "worse"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (2, 1, 2)])
def test_the_worse_lane_decides(shown: int, kept: int, worse: int) -> None:
    assert side_by_side(exits(shown), exits(kept)) == worse


def test_what_one_lane_says_comes_after_the_other() -> None:
    program = (
        "import sys; from tests.lanes import *; side_by_side(*[[sys.executable, '-c', f'print({n})'] for n in (1, 2)])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "2"]


@pytest.mark.parametrize("sign", ["INT", "TERM"])
def test_who_ends_the_run_ends_both_lanes(tmp_path: Path, sign: str) -> None:
    """And each of them has the time to stop its servers."""
    lane = (
        "import os, signal, sys, time; from pathlib import Path\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n Path(sys.argv[1]).touch(); time.sleep(600)\n"
        "except KeyboardInterrupt: Path(sys.argv[1] + '.stopped').touch(); sys.exit(2)\n"
    )
    program = (
        "import signal, sys; from tests import lanes\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.signal(signal.SIGTERM, lanes._interrupt)\n"
        "run = [[sys.executable, '-c', sys.argv[1], f'{sys.argv[2]}/{name}'] for name in ('first', 'second')]\n"
        "try: lanes.side_by_side(*run)\n"
        "except KeyboardInterrupt: sys.exit(130)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, lane, str(tmp_path)], cwd=ROOT)
    while {path.name for path in tmp_path.iterdir()} != {"first", "second"}:
        assert process.poll() is None
    os.kill(process.pid, {"INT": 2, "TERM": 15}[sign])
    assert process.wait(60) == 130
    assert {path.name for path in tmp_path.glob("*.stopped")} == {"first.stopped", "second.stopped"}


def exits(code: int) -> list[str]:
    return [sys.executable, "-c", f"raise SystemExit({code})"]
