"""`tongke demo`: the demo county on embedded defaults."""

from __future__ import annotations

import importlib
from pathlib import Path


def demo(*, port: int = 8080, data: Path = Path("data/demo")) -> None:
    """Load the demo county, build its tables and serve it on the loopback.

    Parameters
    ----------
    port
        TCP port; 0 takes any free one.
    data
        Folder of the demo's data; a second start with the same folder reuses it.
    """
    # the help must not wait for the solver and the media stack, which the demo brings along
    importlib.import_module("server.demo.runner").run(port, data)
