"""This module owns the kinds of files a register comes in: workbooks, texts, archives of these, JSON."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from timetable.model import Finding, Name, Register, Term, Weekday
from timetable.register.json_faults import json_fault
from timetable.register.parts import LISTS, item_rows, term_rows
from timetable.register.rows import Rows, Source, Sourced
from timetable.register.sheet_grids import ARCHIVE_DAMAGE, MOST_BYTES
from timetable.register.sheets import Reading, read_csv, read_workbook

KINDS = ".xlsx .xlsm .xls .ods .csv .txt .zip .json"
FORMAT = "tongke-register/1"
MOST_NESTING = 3
"""Archives in archives."""


class _Head(Struct, frozen=True, kw_only=True, rename="camel"):
    """The fields of a JSON register that are no lists of things."""

    county: Name
    term: Term
    weekdays: tuple[Weekday, ...] = (1, 2, 3, 4, 5)
    main_subjects: tuple[Name, ...] = ("语文", "数学", "英语")


def read_files(files: Mapping[str, bytes]) -> Reading:
    """The rows of all files, in the order of their names, and everything wrong inside them."""
    found = Reading()
    for name in sorted(files):
        found.add(_read(name, files[name], 0))
    return found


def _read(name: str, content: bytes, depth: int) -> Reading:
    readers: Mapping[str, Callable[[str, bytes], Reading]] = {
        "xlsx": read_workbook,
        "xlsm": read_workbook,
        "xls": read_workbook,
        "ods": read_workbook,
        "csv": read_csv,
        "txt": read_csv,
        "json": read_json,
    }
    ending = name.rsplit(".", 1)[-1].lower()
    if not content and (ending in readers or ending == "zip"):
        found = Reading()
        found.report("file_empty", Source(name, "", 0))
        return found
    if ending in readers:
        return readers[ending](name, content)
    if ending == "zip" and depth < MOST_NESTING:
        return _read_archive(name, content, depth)
    found = Reading()
    found.report("file_type_unknown", Source(name, "", 0), known=KINDS)
    return found


def _read_archive(name: str, content: bytes, depth: int) -> Reading:
    found = Reading()
    file = Source(name, "", 0)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [part for part in archive.infolist() if not part.is_dir() and not _is_litter(part.filename)]
            if sum(part.file_size for part in parts) > MOST_BYTES:
                found.report("file_too_big", file)
                return found
            for part in sorted(parts, key=lambda part: part.filename):
                found.add(_read(f"{name}/{_file_name(part)}", archive.read(part), depth + 1))
    except ARCHIVE_DAMAGE:
        found.report("file_damaged", file)
    return found


def _is_litter(name: str) -> bool:
    """Files that operating systems add to archives."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith((".", "~$"))


def _file_name(part: zipfile.ZipInfo) -> str:
    """The name in the archive; Windows packs Chinese names without saying that they are not in the old PC encoding."""
    if part.flag_bits & 0x800:
        return part.filename
    try:
        return part.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return part.filename


def read_json(name: str, content: bytes) -> Reading:
    """The rows of a JSON register. A row's number is its place in its list, from 1."""
    found = Reading()
    try:
        document = msgspec.json.decode(content)
        if not isinstance(document, dict):
            raise msgspec.ValidationError("Expected `object`")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        _fault(found, Source(name, "", 0), json_fault(error, content))
        return found
    if document.get("format", FORMAT) != FORMAT:
        found.report("json_choice", Source(name, "", 0), "format", value=str(document["format"])[:60])
        return found
    head = _convert(found, Source(name, "", 0), document, _Head)
    if head is not None:
        _keep(found.rows, Source(name, "term", 1), term_rows(head.county, head.term, head.weekdays, head.main_subjects))
    lists = {field.encode_name: field.name for field in msgspec.structs.fields(Register) if field.name in LISTS}
    for key in document:
        if key not in lists and key not in {"format", *(f.encode_name for f in msgspec.structs.fields(_Head))}:
            found.report("json_field_unknown", Source(name, "", 0), key, name=key)
    for key, field in lists.items():
        items = document.get(key, [])
        if not isinstance(items, list):
            found.report("json_kind", Source(name, "", 0), key, kinds="array")
            continue
        for number, item in enumerate(items, 1):
            source = Source(name, key, number)
            if (converted := _convert(found, source, item, LISTS[field])) is not None:
                _keep(found.rows, source, item_rows(field, converted))
    return found


def _convert(found: Reading, source: Source, value: Any, type: Any) -> Any:
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        _fault(found, source, json_fault(error))
        return None


def _fault(found: Reading, source: Source, fault: Finding) -> None:
    found.report(fault.code, source, fault.field, **fault.values)


def _keep(rows: Rows, source: Source, given: Iterable[tuple[str, Struct]]) -> None:
    for sheet, row in given:
        rows.setdefault(sheet, []).append(Sourced(sheet, row, source))
