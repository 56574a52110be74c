"""`tongke doctor`: whether this installation is sound, and what is wrong with it."""

from __future__ import annotations

import asyncio
import os

import msgspec

from config.settings import load
from server.commands.parameters import AsJson, Config
from server.doctor import examine


def doctor(*, config: Config = None, as_json: AsJson = False) -> int:
    """Say whether this installation is sound.

    Parameters
    ----------
    as_json
        One JSON object a line: check, good, detail.
    """
    findings = asyncio.run(examine(load(config, os.environ)))
    for finding in findings:
        if as_json:
            print(msgspec.json.encode(finding).decode())
        else:
            print(f"{'ok  ' if finding.good else 'BAD '} {finding.check:<12} {finding.detail}")
    return 0 if all(finding.good for finding in findings) else 1
