"""What forwarding one media packet costs the server, beside Janus.

Server and clients are processes of their own; the CPU time is the server's (user and system). The two servers take
turns, and each round has a ratio of its own: other work on the machine weighs on both. The median of the rounds counts,
and there are more of them while they do not agree on the goal. What is under way is told on the standard error output.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec

from tests.bench.runner import Figure

ROOT = Path(__file__).parents[2]
GOALS = {
    (10, "silent"): 0.5,
    (2, "silent"): 0.7,
    (30, "silent"): 0.4,
    (10, "reports"): 0.5,
    (30, "reports"): 0.4,
    (10, "loss"): 0.7,
}
"""Of Janus's cost, by the number of subscribers and what they send back."""
DUTIES = {"silent": "", "reports": " that report", "loss": " that report, 2 % loss each way"}
SECONDS = 6.0
"""Of one load, after its peers are connected."""
LONGEST_LOAD = 90.0
"""Seconds with the connecting: a machine on which it takes longer measures nothing."""
TRIES = 3
"""Of one load: a machine that is busy for a moment must not cost the figures that stand already."""
FEWEST_ROUNDS, MOST_ROUNDS, MOST_ROUNDS_OF_ALL = 3, 9, 5
PEER = "Janus"
JANUS_LIBRARIES = ("/usr/lib/*/janus", "/usr/lib/janus", "/opt/janus/lib/janus", "/usr/local/lib/janus")

NAMESPACE_HOST = "192.0.2.10"
NAMESPACE = (
    "ip link set lo up && ip link add bench0 type veth peer name bench1"
    f" && ip addr add {NAMESPACE_HOST}/24 dev bench0 && ip link set bench0 up && ip link set bench1 up"
)

JANUS_CONFIG = """
general: {{ configs_folder = "{folder}"
  plugins_folder = "{library}/plugins"  transports_folder = "{library}/transports"
  events_folder = "{folder}/none"  loggers_folder = "{folder}/none"  debug_level = 2 }}
nat: {{ ice_enforce_list = "{host}" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
JANUS_SOCKET = """
general: {{ ws = true  ws_port = {port}  ws_ip = "127.0.0.1"  wss = false }}
admin: {{ admin_ws = false }}
"""


class Running(NamedTuple):
    kind: str
    pid: int
    url: str


def figures(full: bool) -> Iterator[Figure]:
    """Janus takes no address of the loopback interface, so both run in a network namespace of their own, in which a
    pair of virtual interfaces has an address; without the right to make one we run alone on the loopback."""
    inside = [sys.executable, "-m", "tests.bench.media", "full" if full else "quick"]
    host = "127.0.0.1"
    if shutil.which("unshare") and shutil.which("ip"):
        namespace = ["unshare", "--map-root-user", "--net", "sh", "-c", f'{NAMESPACE} && exec "$@"', "sh"]
        if subprocess.run([*namespace, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            inside, host = [*namespace, *inside], NAMESPACE_HOST
    with subprocess.Popen([*inside, host], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield msgspec.json.decode(line, type=Figure)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)


def measure(full: bool, host: str) -> Iterator[Figure]:
    """The figures, between processes that meet at `host`."""
    for subscribers, duty in GOALS if full else ((10, "reports"),):
        yield compare(host, subscribers, duty, most=MOST_ROUNDS_OF_ALL if full else MOST_ROUNDS)


def compare(host: str, subscribers: int, duty: str, *, most: int) -> Figure:
    ours: list[float] = []
    theirs: list[float] = []
    goal, name = GOALS[subscribers, duty], f"forwarding, 1 publisher and {subscribers} subscribers{DUTIES[duty]}"
    with hub(host) as product, janus(host) as peer:
        while len(ours) < FEWEST_ROUNDS or (len(ours) < most and not agreed(ratios(ours, theirs), goal)):
            ours.append(load(product, host, subscribers, duty))
            if peer is not None:
                theirs.append(load(peer, host, subscribers, duty))
            beside = f" and {theirs[-1]:.1f} of {PEER}" if theirs else ""
            say(f"{name}: round {len(ours)}, {ours[-1]:.1f} us CPU per packet{beside}")
    value, peer_value = median(ours), median(theirs) if theirs else None
    found = ratios(ours, theirs)
    ratio = median(found) if found else None
    spread = f", {len(found)} rounds from {min(found):.2f} to {max(found):.2f}" if found else ""
    return Figure(
        figure=name + spread,
        value=round(value, 1),
        unit="us CPU per packet",
        peer=PEER,
        peer_value=round(peer_value, 1) if peer_value is not None else None,
        ratio=round(ratio, 3) if ratio is not None else None,
        goal=f"at most {goal} of {PEER}",
        met=ratio <= goal if ratio is not None else None,
    )


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Of each round; none where there is no peer."""
    return [mine / other for mine, other in zip(ours, theirs, strict=False)]


def agreed(found: Sequence[float], goal: float) -> bool:
    """Do all rounds say the same of the goal?"""
    return len({ratio <= goal for ratio in found}) < 2


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def load(server: Running, host: str, subscribers: int, duty: str) -> float:
    for left in reversed(range(TRIES)):
        try:
            return load_once(server, host, subscribers, duty)
        except (RuntimeError, subprocess.SubprocessError) as error:
            if not left:
                raise
            say(f"once more: {error}")
    raise AssertionError("a last try returns or raises")


def load_once(server: Running, host: str, subscribers: int, duty: str) -> float:
    """us CPU per packet. Raises RuntimeError or SubprocessError where it could not be measured."""
    command = [sys.executable, "-m", "tests.bench.media_load", server.kind, server.url, str(server.pid), host]
    command += [str(subscribers), str(SECONDS), duty]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=LONGEST_LOAD)
    result: dict[str, Any] = json.loads(done.stdout)
    if result["spread"] > 0.05 + 0.05 * (duty == "loss"):
        raise RuntimeError(f"a subscriber of {server.kind} has missed packets: {result}")
    return float(result["us_per_packet"])


@contextmanager
def hub(host: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "tests.bench.media_server", host]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield Running("hub", ready["pid"], ready["url"])
        finally:
            process.terminate()


@contextmanager
def janus(host: str) -> Iterator[Running | None]:
    """None where Janus is not installed, or has no address that it would use."""
    program = shutil.which("janus")
    folders = [found for pattern in JANUS_LIBRARIES for found in sorted(Path("/").glob(pattern[1:]))]
    if program is None or not folders or host.startswith("127."):
        yield None
        return
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        write_janus_config(Path(folder), folders[0], host, port)
        with subprocess.Popen(
            [program, "-F", folder, "-o"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                wait_for(port, process)
                yield Running("janus", process.pid, f"ws://127.0.0.1:{port}")
            finally:
                process.terminate()


def write_janus_config(folder: Path, library: Path, host: str, port: int) -> None:
    def others(kind: str, wanted: str) -> str:
        names = sorted(path.name for path in (library / kind).glob("*.so"))
        return ",".join(name for name in names if wanted not in name)

    plugins, transports = others("plugins", "videoroom"), others("transports", "websockets")
    config = JANUS_CONFIG.format(folder=folder, library=library, host=host, plugins=plugins, transports=transports)
    (folder / "janus.jcfg").write_text(config)
    (folder / "janus.transport.websockets.jcfg").write_text(JANUS_SOCKET.format(port=port))
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: {}\n")


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("Janus did not start")


if __name__ == "__main__":
    for found in measure(sys.argv[1] == "full", sys.argv[2]):
        print(json.dumps(found), flush=True)
