"""The lanes of the tests: none is lost, and a failure of any is the run's."""

from __future__ import annotations

import signal
import socket
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


@pytest.mark.parametrize("ignored", ["", "trap '' INT; "], ids=["terminal", "background"])
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_the_run_ends_all_lanes(tmp_path: Path, sign: signal.Signals, ignored: str) -> None:
    """And each of them has the time to stop its servers. What a shell starts in the background ignores SIGINT."""
    lane = (
        "import socket, sys, time; from pathlib import Path\n"
        "try:\n socket.create_connection(('127.0.0.1', int(sys.argv[2]))); time.sleep(600)\n"
        "except KeyboardInterrupt: Path(sys.argv[1]).touch(); sys.exit(2)\n"
    )
    program = (
        "import sys; from tests import lanes\n"
        "lanes.heed_signals()\n"
        "run = [[sys.executable, '-c', sys.argv[1], f'{sys.argv[2]}/{name}', sys.argv[3]] for name in ('one', 'two')]\n"
        "try: lanes.side_by_side(*run)\n"
        "except KeyboardInterrupt: sys.exit(130)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(60)
        port = str(door.getsockname()[1])
        command = [sys.executable, "-c", program, lane, str(tmp_path), port]
        process = subprocess.Popen(["/bin/sh", "-c", f'{ignored}exec "$@"', "sh", *command], cwd=ROOT)
        # each lane knocks once it waits
        knocked = [door.accept()[0] for _ in ("one", "two")]
        process.send_signal(sign)
        assert process.wait(60) == 130
        for lane_is_over in knocked:
            lane_is_over.close()
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}


def exits(code: int) -> list[str]:
    return [sys.executable, "-c", f"raise SystemExit({code})"]
