"""`tongke serve`: the server, until it is asked to stop."""

from __future__ import annotations

import os

from config.settings import load
from server import logs
from server.app import create_app
from server.commands.parameters import Config
from server.process import run


def serve(*, config: Config = None) -> None:
    """Run the server."""
    logs.configure()
    run(load(config, os.environ), create_app)
