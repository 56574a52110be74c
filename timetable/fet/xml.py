"""This module owns reading FET's XML without trusting it."""

from __future__ import annotations

from xml.etree import ElementTree

from timetable.errors import TimetableError
from timetable.register.sheet_grids import MOST_BYTES

Element = ElementTree.Element


class FetUnreadable(TimetableError):
    """The bytes are no FET file; `reason` says why, as the parser put it."""

    code = "fet_unreadable"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(document: bytes) -> Element:
    """The root of a document; raises FetUnreadable. A document that declares entities is refused unread."""
    if len(document) > MOST_BYTES:
        raise FetUnreadable("too big")
    text = _decoded(document)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FetUnreadable("it declares a document type")
    try:
        return ElementTree.fromstring(text.lstrip("\ufeff \t\r\n"))  # noqa: S314 - nothing that expands gets here
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise FetUnreadable(str(error)) from error


def _decoded(document: bytes) -> str:
    encoding = "utf-16" if document[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return document.decode(encoding)
    except UnicodeDecodeError as error:
        raise FetUnreadable("not UTF-8") from error


def child(node: Element, tag: str) -> str:
    """The text of the first child of that name, empty where there is none."""
    return (node.findtext(tag) or "").strip()
