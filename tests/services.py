"""The outside programs that tests need: found, started on free ports as an ordinary user, and stopped again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from server.cameras.certificate import kept_pair

STARTUP_SECONDS = 30.0
START_ATTEMPTS = 3

ROOT = Path(__file__).parents[1]

CHROMIUM = "/usr/bin/chromium"
FAKE_DEVICES = "--use-fake-device-for-media-stream"
CHROMIUM_ARGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # half as many pictures a second as it would give: a test sees whether they come, and they weigh on all others
    f"{FAKE_DEVICES}=fps=10",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--no-first-run",
]

WHERE = {
    "chromium": [CHROMIUM],
    "firefox-esr": ["/usr/bin/firefox-esr"],
    "initdb": sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), reverse=True),
    "postgres": sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), reverse=True),
}


def wall_clock() -> float:
    """Unix seconds, as other programs have them."""
    return time.time()


def require_all() -> bool:
    """Whether a missing tool is a failure (continuous integration) and not a reason to skip."""
    return os.environ.get("TONGKE_REQUIRE_ALL") == "1"


def require(tool: str) -> str:
    """Return the path of `tool`; a missing one skips the test, or fails it when every tool must be there."""
    found = shutil.which(tool) or next((path for path in WHERE.get(tool, []) if Path(path).exists()), None)
    if found is not None:
        return found
    reason = f"{tool} is not installed"
    if require_all():
        pytest.fail(f"{reason}, and TONGKE_REQUIRE_ALL=1")
    pytest.skip(reason)


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def edge_modules() -> Path:
    """The folder of other people's JavaScript that tests and benchmarks use, installed as its lock file says."""
    edge = ROOT / "tests/edge"
    lock = edge / "package-lock.json"
    stamp = edge / "node_modules/.package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        command = [require("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=edge, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            (pytest.fail if require_all() else pytest.skip)(f"tests/edge cannot be installed: {done.stderr}")
    return edge / "node_modules"


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """A fresh PostgreSQL on loopback; yields the address of its maintenance database."""
    initdb, postgres = require("initdb"), require("postgres")
    # it refuses to run as root, and pytest's own temporary folders are closed to other users
    user = _ordinary_user()
    with _folder_of(user) as folder:
        data = folder / "data"
        subprocess.run(
            [initdb, "-D", str(data), "-U", "tongke", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            check=True,
            capture_output=True,
            cwd=folder,
            user=user,
        )
        options = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        options += ["-c", "max_connections=200", "-c", f"unix_socket_directories={folder}"]

        def command(port: int) -> list[str]:
            return [postgres, "-D", str(data), "-h", "127.0.0.1", "-p", str(port), *options]

        def ready(port: int) -> bool:
            # it listens a moment before it lets anybody in
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(f"host=127.0.0.1 port={port} user=tongke dbname=postgres connect_timeout=2").close()
                return True
            return False

        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave
        with _running(command, folder, user, stop=signal.SIGINT, ready=ready) as port:
            yield f"postgresql+psycopg://tongke@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def redis_server(port: int | None = None) -> Iterator[str]:
    """A fresh Redis on loopback that keeps nothing, on `port` or any free one; yields its address."""
    redis = require("redis-server")
    with tempfile.TemporaryDirectory(prefix="tongke-redis-") as name:

        def command(free: int) -> list[str]:
            return [redis, "--port", str(free), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]

        with _running(command, Path(name), user=None, stop=signal.SIGTERM, fixed=port) as chosen:
            yield f"redis://127.0.0.1:{chosen}/0"


@contextlib.contextmanager
def relay_server(secret: str, peer: str = "127.0.0.1", tls: bool = False) -> Iterator[tuple[int, Path]]:
    """coturn on the loopback as `docker/coturn.sh` starts it; yields its port (that of TLS, by a certificate of its
    own, where that is asked for) and its log."""
    require("turnserver")
    with tempfile.TemporaryDirectory(prefix="tongke-relay-") as name:
        folder = Path(name)
        (folder / "secret").write_text(secret)
        ports = {
            "RELAY_ADDRESS": "127.0.0.1",
            "RELAY_PEER": peer,
            "RELAY_SECRET_FILE": str(folder / "secret"),
            "RELAY_PORTS": "40000-40999",
        }

        if tls:
            pair = kept_pair(folder)
            ports |= {"RELAY_CERT_FILE": pair.cert_file, "RELAY_KEY_FILE": pair.key_file}

        def command(free: int) -> list[str]:
            own = {"RELAY_TLS_PORT": str(free), "RELAY_PORT": str(free_port())} if tls else {"RELAY_PORT": str(free)}
            variables = [f"{key}={value}" for key, value in {**ports, **own}.items()]
            return ["env", *variables, "sh", str(ROOT / "docker/coturn.sh")]

        with _running(command, folder, user=None, stop=signal.SIGTERM) as port:
            yield port, folder / "server.log"


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def _running(
    command: Callable[[int], list[str]],
    folder: Path,
    user: str | None,
    stop: signal.Signals,
    fixed: int | None = None,
    ready: Callable[[int], bool] = _listens,
) -> Iterator[int]:
    """Run a server until the block ends; yields its port once it is ready there."""
    log = folder / "server.log"
    for attempt in range(1, START_ATTEMPTS + 1):
        port = fixed or free_port()
        with log.open("wb") as out:
            process = subprocess.Popen(command(port), stdout=out, stderr=out, cwd=folder, user=user)
        if _started(process, port, ready):
            break
        _end(process, stop)
        # another program may have taken the port in between
        if attempt == START_ATTEMPTS:
            raise RuntimeError(f"{command(port)[0]} did not start:\n{log.read_text(errors='replace')}")
    try:
        yield port
    finally:
        _end(process, stop)


def _started(process: subprocess.Popen[bytes], port: int, ready: Callable[[int], bool]) -> bool:
    deadline = time.monotonic() + STARTUP_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if ready(port):
            return True
        time.sleep(0.02)
    return False


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(stop)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ordinary_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextlib.contextmanager
def _folder_of(user: str | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tongke-postgres-") as name:
        if user is not None:
            shutil.chown(name, user)
        yield Path(name)
