"""This module owns what is wrong with a JSON document, said as a finding: what it is, with its values, and the place.

The decoder says it in English sentences; each that it has is known here, so that people read it in their own language.
The sentences are in `config/locale/import.*.json` under `finding.<code>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from timetable.model import Finding

CODES: Mapping[str, str] = {
    "json_malformed": "the text is no JSON from a line and column on",
    "json_cut": "the text ends in the middle",
    "json_not_utf8": "the text is not UTF-8",
    "json_too_deep": "lists in lists without end",
    "json_field_missing": "a required field is absent",
    "json_field_unknown": "a field that the schema does not have",
    "json_kind": "a value of another kind, such as a text for a number",
    "json_too_small": "a number below its least",
    "json_too_large": "a number above its most",
    "json_text_short": "a text with too few characters",
    "json_text_long": "a text with too many characters",
    "json_list_short": "a list with too few entries",
    "json_list_long": "a list with too many entries",
    "json_choice": "none of the values that the field allows",
    "json_not_id": "an id with other signs than letters, digits, dot, dash, underscore",
    "json_not_time": "no time of day such as 08:20",
    "json_not_date": "no date such as 2026-09-01",
    "json_pattern": "a text that is not written as the schema says",
    "json_number_huge": "a number that is out of all range",
    "json_invalid": "something else that the schema does not allow",
}
"""Every code that this module can report."""

PATTERN_CODES = {"[A-Za-z0-9._-]": "json_not_id", ":[0-5][0-9]": "json_not_time", "-\\\\d{2}": "json_not_date"}
"""By a part of the pattern as the decoder writes it."""

BYTE = re.compile(r"\(byte (\d+)\)$")
SENTENCES: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), code, names)
    for pattern, code, names in (
        (r"Object missing required field `(.+)`", "json_field_missing", ("name",)),
        (r"Object contains unknown field `(.+)`", "json_field_unknown", ("name",)),
        (r"Expected `(?:int|float)` >=? (\S+)", "json_too_small", ("least",)),
        (r"Expected `(?:int|float)` <=? (\S+)", "json_too_large", ("most",)),
        (r"Expected `str` of length >= (\d+)", "json_text_short", ("least",)),
        (r"Expected `str` of length <= (\d+)", "json_text_long", ("most",)),
        (r"Expected `array` of (?:length >=|at least length) (\d+).*", "json_list_short", ("least",)),
        (r"Expected `array` of (?:length <=|at most length) (\d+).*", "json_list_long", ("most",)),
        (r"Expected `([^`]+)`(?:, got `[^`]+`)?", "json_kind", ("kinds",)),
        (r"Invalid enum value (.+)", "json_choice", ("value",)),
        (r"Invalid value (.+)", "json_choice", ("value",)),
        (r"Number out of range|Integer value out of range.*", "json_number_huge", ()),
    )
)
LONGEST_VALUE = 60


def json_fault(error: Exception, content: bytes = b"") -> Finding:
    """What a decoder's error says. `field` is the place, such as `$.classes[2].grade`; `content` is what was decoded,
    where that was bytes."""
    if isinstance(error, RecursionError):
        return Finding(code="json_too_deep")
    if isinstance(error, UnicodeDecodeError):
        return Finding(code="json_not_utf8")
    if not isinstance(error, msgspec.ValidationError):
        return _unreadable(str(error), content)
    said, _, place = str(error).partition(" - at ")
    place = place.strip("`")
    if said.startswith("Expected `str` matching regex "):
        code = next((code for part, code in PATTERN_CODES.items() if part in said), "json_pattern")
        return Finding(code=code, field=place)
    for pattern, code, names in SENTENCES:
        if found := pattern.fullmatch(said):
            values: dict[str, str | int] = {
                name: _short(text) for name, text in zip(names, found.groups(), strict=True)
            }
            return Finding(code=code, values=values, field=place)
    return Finding(code="json_invalid", values={"reason": said}, field=place)


def _unreadable(said: str, content: bytes) -> Finding:
    at = BYTE.search(said)
    if at is None:
        return Finding(code="json_cut")
    before = content[: int(at[1])]
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
    return Finding(code="json_malformed", values={"line": line, "column": column})


def _short(value: str) -> str:
    value = value.strip("'\"")
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
