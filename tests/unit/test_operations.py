"""What operators are given is true: the containers, and the documentation of metrics and ports."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from config.settings import load
from server.app import create_app
from server.keys import metrics_key
from server.uploads import UPLOAD_LIMIT

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker/compose.yaml"


@pytest.fixture
def compose(require: Callable[[str], str]) -> list[str]:
    """Compose, as a plugin of docker or as a program of its own."""
    try:
        subprocess.run(["docker", "compose", "version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return [require("docker-compose")]
    return ["docker", "compose"]


@pytest.mark.parametrize("profile", [[], ["--profile", "scale"], ["--profile", "relay"]])
def test_compose_accepts_its_file(compose: list[str], profile: list[str]) -> None:
    command = [*compose, "-f", str(COMPOSE), *profile, "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("file", ["Dockerfile", "compose.yaml"])
def test_containers_name_real_settings(file: str, tmp_path: Path) -> None:
    text = (ROOT / "docker" / file).read_text("utf-8")
    of_compose = {"TONGKE_PUBLIC_URL", "TONGKE_MEDIA_PUBLIC", "TONGKE_RELAY_ADDRESS"}
    of_compose |= {"TONGKE_RELAY_SECRET", "TONGKE_RELAY_CERT", "TONGKE_RELAY_KEY"}
    named = set(re.findall(r"\b(TONGKE_[A-Z_]+)[=:] ?", text)) - of_compose
    secret = tmp_path / "secret"
    secret.write_text("")
    assert named
    for name in named:
        value = "8080" if name.endswith("_PORT") else str(secret) if name.endswith("_FILE") else ""
        load(None, {name: value})


def test_the_image_takes_what_the_repository_has() -> None:
    """Every COPY finds its source among the files under version control, and none is kept out of the context."""
    copied = [
        source
        for line in (ROOT / "docker/Dockerfile").read_text("utf-8").splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    ]
    ignored = (ROOT / "docker/Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert sorted(copied) == sorted(line[1:] for line in ignored if line.startswith("!"))
    command = ["git", "ls-files", "--error-unmatch", *copied]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (listed.returncode, listed.stderr) == (0, "")


def test_compose_mounts_what_is_there() -> None:
    """Files beside it are in the repository, or are made as the documents say."""
    text = COMPOSE.read_text("utf-8")
    mounted = {name.removesuffix("}") for name in re.findall(r"(?<![\w}])\./[\w./}-]+", text)}
    for name in mounted:
        assert (COMPOSE.parent / name).is_file() or f"docker/{name.removeprefix('./')}" in operations(), name
    assert {"./coturn.sh", "./no-relay", "./secrets/database_url"} <= mounted


def test_what_compose_asks_for_is_documented() -> None:
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text("utf-8")))
    assert asked
    assert {name for name in asked if name not in operations()} == set()


def test_the_reverse_proxy_of_the_documents_lets_uploads_and_sign_ins_work() -> None:
    """What the server reads of a proxy: for whom it asks, and whether the browser came by TLS (cookies)."""
    block = re.search(r"```nginx\n(.*?)```", operations(), re.DOTALL)
    assert block is not None
    for header in ("Host", "Upgrade", "Connection", "X-Forwarded-For", "X-Forwarded-Proto"):
        assert f"proxy_set_header {header} " in block[1]
    let_through = re.search(r"client_max_body_size (\d+)m;", block[1])
    assert let_through is not None
    assert int(let_through[1]) > max(load(None, {}).materials.upload_mb, UPLOAD_LIMIT >> 20)
    variables = set(re.findall(r"\$connection_upgrade", block[1]))
    assert variables <= set(re.findall(r"map \$http_upgrade (\$\w+)", block[1]))


def test_metrics_are_documented() -> None:
    documented = set(re.findall(r"^\| `(tongke_[a-z_]+)` \|", operations(), re.MULTILINE))
    families = create_app(load(None, {}))[metrics_key].registry.collect()
    registered = {family.name for family in families if family.name.startswith("tongke_")}
    assert documented == registered


def test_ports_are_documented() -> None:
    settings = load(None, {})
    for port in (settings.server.port, settings.media.port):
        assert f"| {port} |" in operations()


def operations() -> str:
    return (ROOT / "docs/operations.md").read_text("utf-8")
