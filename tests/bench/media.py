"""What forwarding one media packet costs the server, beside Janus.

Server and clients are processes of their own; the CPU time is the server's (user and system). The rounds of both
servers take turns, and the best of each counts: other work on the machine only adds. Janus takes no loopback address:
both use this machine's own address, whose packets never leave it.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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
    if shutil.which("unshare") and shutil.which("ip"):
        namespace = ["unshare", "--map-root-user", "--net", "sh", "-c", f'{NAMESPACE} && exec "$@"', "sh"]
        done = subprocess.run([*namespace, *inside, NAMESPACE_HOST], cwd=ROOT, stdout=subprocess.PIPE)
        if done.returncode == 0:
            yield from (msgspec.json.decode(line, type=Figure) for line in done.stdout.splitlines())
            return
    done = subprocess.run([*inside, "127.0.0.1"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    yield from (msgspec.json.decode(line, type=Figure) for line in done.stdout.splitlines())


def measure(full: bool, host: str) -> Iterator[Figure]:
    """The figures, between processes that meet at `host`."""
    for subscribers, duty in GOALS if full else ((10, "reports"),):
        yield compare(host, subscribers, duty, rounds=4 if full else 3, seconds=6)


def compare(host: str, subscribers: int, duty: str, *, rounds: int, seconds: float) -> Figure:
    ours, theirs = [], []
    with hub(host) as product, janus(host) as peer:
        for _ in range(rounds):
            ours.append(load(product, host, subscribers, seconds, duty))
            if peer is not None:
                theirs.append(load(peer, host, subscribers, seconds, duty))
    value, peer_value = min(ours), min(theirs, default=None)
    ratio = value / peer_value if peer_value is not None else None
    return Figure(
        figure=f"forwarding, 1 publisher and {subscribers} subscribers{DUTIES[duty]}",
        value=round(value, 1),
        unit="us CPU per packet",
        peer=PEER,
        peer_value=round(peer_value, 1) if peer_value is not None else None,
        ratio=round(ratio, 3) if ratio is not None else None,
        goal=f"at most {GOALS[subscribers, duty]} of {PEER}",
        met=ratio <= GOALS[subscribers, duty] if ratio is not None else None,
    )


def load(server: Running, host: str, subscribers: int, seconds: float, duty: str) -> float:
    command = [sys.executable, "-m", "tests.bench.media_load", server.kind, server.url, str(server.pid), host]
    done = subprocess.run(
        [*command, str(subscribers), str(seconds), duty], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
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
