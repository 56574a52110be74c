"""This module owns how the commands of `tongke table` read and write files, and how they refuse what cannot be used."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TypeVar

import msgspec

from server.sentences import finding_sentence, language_of
from timetable.model import Finding, Register, Table, TableSet
from timetable.register.json_faults import json_fault
from timetable.register.references import check_references

GOOD, FINDING, BAD_INPUT = 0, 1, 2

T = TypeVar("T")


class BadInput(Exception):
    """A file cannot be used; the message is one sentence naming the file and the place in it."""


def read(path: Path, type: type[T]) -> T:
    content = b""
    try:
        content = path.read_bytes()
        return msgspec.json.decode(content, type=type)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        fault = json_fault(error, content)
        raise BadInput(": ".join(part for part in (str(path), fault.field, sentence(fault)) if part)) from error


def read_register(path: Path) -> Register:
    """The register, whose references must lead somewhere."""
    register = read(path, Register)
    if found := check_references(register):
        first = found[0]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise BadInput(f"{path}: {first.field}: {sentence(first)}{more}")
    return register


def read_around(path: Path | None, register: Register) -> tuple[Table, ...]:
    """Standing tables of other communities; none without a file. Their units must be the register's."""
    tables = () if path is None else read(path, TableSet).tables
    known = {unit.id for unit in register.units}
    for party in (party for table in tables for lesson in table.lessons for party in lesson.parties):
        if party.unit not in known:
            raise BadInput(f"{path}: the register has no unit {party.unit!r}")
    return tables


def check_writable(path: Path | None) -> None:
    if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK)):
        raise BadInput(f"{path}: cannot be written")


def write(path: Path, content: bytes) -> None:
    """Whole or not at all: readers never see a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def refuse(reason: str) -> int:
    """One sentence on standard error, and the exit code of bad input."""
    print(f"tongke: {reason}", file=sys.stderr)
    return BAD_INPUT


def sentence(finding: Finding) -> str:
    """The finding in the terminal's language."""
    return finding_sentence(finding, language_of(dict(os.environ)))
