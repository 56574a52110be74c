"""`tongke recordings`: whether recordings are whole, and mending what a crash left open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from cyclopts import App
from msgspec import Struct

from config.settings import load
from recordings import repair as repairing
from recordings.errors import JournalLocked
from recordings.repair import Finding, sessions
from server.commands.parameters import AsJson, Config

app = App(name="recordings", help="Verify and repair recordings.")

GOOD, FINDING = 0, 1


class SessionFinding(Struct, frozen=True, rename="camel"):
    """A finding and the session it is about."""

    session: str
    code: str
    subject: str
    detail: str


@app.command
def verify(*, config: Config = None, folder: Path | None = None, as_json: AsJson = False) -> int:
    """Read every recording and say what is wrong; nothing is changed. Exit code 1 when something is.

    Parameters
    ----------
    folder
        The recordings' folder, where it is not the one of the settings.
    as_json
        One JSON object a line.
    """
    findings = _each(_root(config, folder), repairing.verify)
    _show(findings, as_json)
    return FINDING if findings else GOOD


@app.command
def repair(*, config: Config = None, folder: Path | None = None, as_json: AsJson = False) -> int:
    """End and seal what a crash left open. A session that is being recorded now is left alone.

    Parameters
    ----------
    folder
        The recordings' folder, where it is not the one of the settings.
    as_json
        One JSON object a line.
    """
    _show(_each(_root(config, folder), _repair), as_json)
    return GOOD


def _repair(folder: Path) -> list[Finding]:
    try:
        return repairing.repair(folder)
    except JournalLocked:
        return [Finding("being_recorded", folder.name)]


def _root(config: Path | None, folder: Path | None) -> Path:
    return folder if folder is not None else load(config, os.environ).recordings_dir


def _each(root: Path, examine: Callable[[Path], list[Finding]]) -> list[SessionFinding]:
    return [
        SessionFinding(folder.name, finding.code, finding.subject, finding.detail)
        for folder in sessions(root)
        for finding in examine(folder)
    ]


def _show(findings: list[SessionFinding], as_json: bool) -> None:
    for finding in findings:
        if as_json:
            print(msgspec.json.encode(finding).decode())
        else:
            print(f"{finding.session}  {finding.code}  {finding.subject}  {finding.detail}".rstrip())
    if not findings and not as_json:
        print("没有发现问题 / nothing wrong")
