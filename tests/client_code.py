"""Modules of the browser client, run in Node: the same source that the pages are built from."""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests import services

WEB = Path(__file__).parents[1] / "server/web"


@functools.cache
def bundle(module: str) -> Path:
    """One module of `server/web/src` with all that it imports, as a file that Node can load."""
    services.require("node")
    rolldown = WEB / "node_modules/.bin/rolldown"
    if not rolldown.exists():
        if services.require_all():
            pytest.fail("the client's build tools are not installed, and TONGKE_REQUIRE_ALL=1")
        pytest.skip("the client's build tools are not installed: ./run test installs them")
    target = Path(tempfile.mkdtemp(prefix="tongke-client-")) / f"{Path(module).stem}.mjs"
    # the catalogues are made by the build, and no module run here needs them
    externals = [word for name in ("zh-CN", "en") for word in ("--external", f"virtual:locale/{name}")]
    subprocess.run(
        [rolldown, WEB / "src" / module, "--format", "esm", *externals, "-o", target],
        check=True,
        capture_output=True,
        cwd=WEB,
    )
    return target


def run(module: str, script: str, given: object) -> Any:
    """What `script`, the body of an async function of (the module, `given`), returns."""
    code = f"""
        const module = await import({json.dumps(bundle(module).as_uri())});
        let text = "";
        for await (const chunk of process.stdin) text += chunk;
        const answer = await (async (module, given) => {{ {script} }})(module, JSON.parse(text));
        process.stdout.write(JSON.stringify(answer));
    """
    done = subprocess.run(
        [services.require("node"), "--input-type=module", "-e", code],
        input=json.dumps(given).encode(),
        capture_output=True,
        timeout=60,
    )
    if done.returncode != 0:
        pytest.fail(done.stderr.decode())
    return json.loads(done.stdout)
