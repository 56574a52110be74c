"""This module owns the cells of an xlsx workbook whose formula failed: the reader leaves them blank, which would lose
them without a word."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

FAILED_CELL = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*?\bt="e"[^>]*(?<!/)>(.*?)</c>', re.DOTALL)
VALUE = re.compile(rb"<v>([^<]{1,20})</v>")
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
DAMAGE = (KeyError, ElementTree.ParseError, ValueError)


def failed_formulas(content: bytes) -> Mapping[str, Mapping[tuple[int, int], str]]:
    """By title of the sheet: row and column, counted from 1, and what stands there, such as #REF!. Only of archives
    that open; anything else has none."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        try:
            return {title: dict(_failed(archive.read(part))) for title, part in _parts(archive)}
        except DAMAGE:
            return {}


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The title of every sheet and the part of the archive that it is in."""
    targets = {
        node.get("Id", ""): node.get("Target", "") for node in _tree(archive, "xl/_rels/workbook.xml.rels").iter()
    }
    for node in _tree(archive, "xl/workbook.xml").iter():
        if node.tag.endswith("}sheet"):
            target = targets.get(node.get(RELATION, ""), "")
            part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            if part in archive.namelist():
                yield node.get("name", ""), part


def _tree(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    content = archive.read(part)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError(part)
    return ElementTree.fromstring(content)  # noqa: S314 - nothing that expands gets here


def _failed(part: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    for letters, row, inside in FAILED_CELL.findall(part):
        value = VALUE.search(inside)
        yield (int(row), column_number(letters)), value[1].decode("ascii", "replace") if value else "#N/A"


def column_number(letters: bytes) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
