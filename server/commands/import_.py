"""`tongke import`: take registers of schools from files, or say everything that is wrong with them."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from cyclopts import App, CycloptsError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from config.settings import load
from server.commands.database import opened
from server.commands.parameters import AsJson, Config, Flag
from server.new_bells import tables_follow
from server.sentences import LANGUAGES, Language, catalogue, finding_sentence
from server.storage.amendment_store import SqlAmendmentStore
from server.storage.register_store import SqlRegisterStore
from server.storage.table_store import SqlTableStore
from timetable.agreement.amendment_service import AmendmentService
from timetable.agreement.amendments import Amendment
from timetable.agreement.service import TimetableService
from timetable.days.versions import Version
from timetable.errors import InputRefused, StaleVersion
from timetable.model import Finding
from timetable.register.importing import ImportReport, ImportService
from timetable.register.sheets import empty_forms

GOOD, FINDING, BAD_INPUT = 0, 1, 2
SEEN_BY_ALL = (
    "everybody on this machine can read the password in --database (`ps`): put the address into database.url of the "
    "file that --config names, or into a file of its own and its path into TONGKE_DATABASE_URL_FILE"
)
OPERATOR = "tongke import"
"""Who stands as the author of an import from the command line."""


app = App(
    name="import",
    help="Import registers of schools.",
    result_action="return_value",
    help_format="plaintext",
    error_formatter=lambda error: f"tongke: {' '.join(str(error).split())}",
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an import left behind for programs. `imported` are rows by sheet; nothing was taken when it is empty."""

    findings: tuple[Finding, ...]
    counts: dict[str, int]
    imported: bool
    version: int | None


@app.default
def import_files(
    *files: Path,
    good_rows: Flag = False,
    check: Flag = False,
    replace: Flag = False,
    form: Path | None = None,
    as_json: AsJson = False,
    lang: Language | None = None,
    database: str = "",
    config: Config = None,
) -> int:
    """Import registers of schools: workbooks, csv, archives of csv, JSON, or folders of these, all as one register.

    Everything that is wrong is said at once, naming file, sheet, row and column, and then nothing is imported: exit
    code 2. Several files may complete each other, and they complete what was imported before.

    Parameters
    ----------
    files
        The files, or folders with such files.
    good_rows
        Import the rows without errors, and list those left out.
    check
        Only say what is wrong; exit code 1 when something is.
    replace
        Forget what was imported before.
    form
        Write a workbook to be filled in to this path, and do nothing else.
    as_json
        One JSON object on standard output: findings, counts, imported, version.
    lang
        The language of the sentences; without it they come in both.
    database
        Address of the database, instead of the one of the settings. One with a password is refused: it belongs into the
        settings, or into a file that TONGKE_DATABASE_URL_FILE names.
    """
    if form is not None:
        return _write_form(form)
    if _has_password(database):
        print(f"tongke: {SEEN_BY_ALL}", file=sys.stderr)
        return BAD_INPUT
    try:
        contents = _read(files)
    except _Unreadable as error:
        print(f"tongke: {error}", file=sys.stderr)
        return BAD_INPUT
    address = database or load(config, os.environ).database_url
    languages = (lang,) if lang else LANGUAGES
    try:
        report = asyncio.run(_run(address, contents, good_rows=good_rows, check=check, replace=replace))
    except InputRefused as refused:
        outcome = Outcome(findings=refused.findings, counts={}, imported=False, version=None)
        _tell(outcome, languages, as_json)
        _say(languages, "import.refused", errors=_errors(refused.findings))
        return BAD_INPUT
    except StaleVersion:
        _say(languages, "import.stale")
        return FINDING
    outcome = Outcome(findings=report.findings, counts=report.counts, imported=not check, version=report.version)
    _tell(outcome, languages, as_json)
    _sum_up(report, languages, check)
    return FINDING if check and report.has_errors else GOOD


def _has_password(address: str) -> bool:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return False  # no address; that is said where it is opened
    return bool(url.password) or "password" in url.query


class _Unreadable(Exception):
    """A path that cannot be read; the message is one sentence that names it."""


def _read(paths: Sequence[Path]) -> dict[str, bytes]:
    """The files by a name that tells them apart: a folder gives the files in it."""
    if not paths:
        raise _Unreadable("name at least one file; --help says more")
    found: dict[str, bytes] = {}
    for path in paths:
        try:
            inside = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith((".", "~$")))
        except NotADirectoryError:
            inside = [path]
        except OSError as error:
            raise _Unreadable(f"{path}: {error.strerror or error}") from error
        for file in inside:
            try:
                found[str(file)] = file.read_bytes()
            except OSError as error:
                raise _Unreadable(f"{file}: {error.strerror or error}") from error
    return found


def _write_form(path: Path) -> int:
    try:
        path.write_bytes(empty_forms())
    except OSError as error:
        print(f"tongke: {path}: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT
    return GOOD


async def _run(
    address: str, contents: Mapping[str, bytes], *, good_rows: bool, check: bool, replace: bool
) -> ImportReport:
    async with opened(address, looks_only=check) as database:
        registers = SqlRegisterStore(database)
        tables = TimetableService(SqlTableStore(database), registers, now=time.time, announce=_seen_by_servers)
        changes = AmendmentService(
            SqlAmendmentStore(database),
            tables,
            now=time.time,
            aside=asyncio.to_thread,
            announce=_seen_by_servers,
            announce_version=_seen_by_servers,
        )
        service = ImportService(
            registers, time.time, asyncio.to_thread, tables_follow(lambda: tables, lambda: changes, asyncio.to_thread)
        )
        if check:
            return await service.check(contents, replace=replace)
        return await service.run(contents, OPERATOR, good_rows_only=good_rows, replace=replace)


async def _seen_by_servers(news: Version | Amendment) -> None:
    """Servers look for versions and amendments by themselves."""


# Telling ------------------------------------------------------------------------------------------------------------


def _tell(outcome: Outcome, languages: Iterable[Language], as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(outcome).decode())
        return
    for finding in outcome.findings:
        for language in languages:
            print(f"{placed(finding, language)}{finding_sentence(finding, language)}", file=sys.stderr)


def placed(finding: Finding, language: Language) -> str:
    """Where the finding is, as the beginning of its sentence: file, sheet, row and column as far as they are known."""
    texts = catalogue(language)
    row = "" if finding.row is None else texts["import.row"].replace("{row}", str(finding.row))
    parts = [part for part in (finding.file, finding.sheet, row, finding.field) if part]
    return texts["import.place_separator"].join(parts) + texts["import.place_end"] if parts else ""


def _sum_up(report: ImportReport, languages: Iterable[Language], check: bool) -> None:
    rows = sum(report.counts.values())
    errors = _errors(report.findings)
    if check:
        warnings = len(report.findings) - errors
        _say(languages, "import.checked", rows=rows, errors=errors, warnings=warnings)
        return
    key = "import.taken" if report.changed else "import.unchanged"
    _say(languages, key, rows=rows, version=report.version or 0)
    if left_out := sum(finding.code == "row_left_out" for finding in report.findings):
        _say(languages, "import.left_out", rows=left_out)


def _say(languages: Iterable[Language], key: str, **values: int) -> None:
    sentences = []
    for language in languages:
        text = catalogue(language)[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        sentences.append(text)
    print(f"tongke: {' / '.join(sentences)}", file=sys.stderr)


def _errors(findings: Iterable[Finding]) -> int:
    return sum(finding.severity == "error" for finding in findings)


def main(tokens: Sequence[str]) -> int:
    """Run as `python -m server.commands.import_ ...`."""
    try:
        return int(app(list(tokens), exit_on_error=False) or GOOD)
    except CycloptsError:
        return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
