"""`tongke serve`: the server, until it is asked to stop."""

from __future__ import annotations

import os
from pathlib import Path

from config.settings import load
from server import logs
from server.app import create_app
from server.process import run


def serve(*, config: Path | None = None) -> None:
    """Run the server.

    Parameters
    ----------
    config
        Settings of this installation, a TOML file; docs/operations.md lists them.
    """
    logs.configure()
    run(load(config, os.environ), create_app)
