"""Whatever is wrong with a JSON register or table is said in both languages, with its place, never in raw English."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.commands.table_files import BadInput, read
from server.sentences import LANGUAGES, catalogue, finding_sentence
from tests.dated_days import community
from tests.unit.small_register import SMALL
from timetable.model import Finding, Register, Slot, TableSet, Term
from timetable.register.files import read_files
from timetable.register.json_faults import CODES, json_fault
from timetable.years.membership import Membership

TABLES = TableSet(tables=(community()[1],))
MASKS: tuple[Any, ...] = (None, True, -1, 10**30, 1.5, "", "x" * 500, "\u4e2d", "25:99", [], [None], {}, {"x": 1})


def fault_of(content: bytes, kind: Any) -> Finding | None:
    """What is said of the first fault."""
    try:
        msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return json_fault(error, content)
    return None


def mangled(document: Any, chance: random.Random) -> None:
    """Change one thing somewhere in the document."""
    node = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = chance.choice(keys)
        inner = node[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.85:
            node = inner
            continue
        what = chance.random()
        if what < 0.2 and isinstance(node, dict):
            del node[key]
        elif what < 0.35 and isinstance(node, dict):
            node["colour"] = 1
        else:
            node[key] = chance.choice(MASKS)
        return


@given(st.sampled_from([(SMALL, Register), (TABLES, TableSet)]), st.integers(0, 2**31))
@settings(max_examples=300, deadline=None)
def test_a_document_with_one_thing_changed_is_good_or_told_of(given: tuple[Any, Any], seed: int) -> None:
    value, kind = given
    document = msgspec.to_builtins(value)
    mangled(document, random.Random(seed))
    fault = fault_of(msgspec.json.encode(document), kind)
    if fault is not None:
        assert fault.code in CODES
        assert fault.code != "json_invalid", fault
        said = "".join(finding_sentence(fault, language) for language in LANGUAGES)
        assert "`" not in said
        assert "{" not in said.replace("{…}", "")
    if kind is Register:
        # the import goes on and says it, too
        for finding in read_files({"a.json": msgspec.json.encode(document)}).findings:
            assert finding.code in CODES
            assert finding.code != "json_invalid", finding


@given(st.integers(0, 2**31), st.binary(max_size=3))
@settings(max_examples=200, deadline=None)
def test_bytes_that_are_cut_or_changed_are_told_of(seed: int, noise: bytes) -> None:
    chance, content = random.Random(seed), bytearray(msgspec.json.encode(SMALL))
    at = chance.randrange(len(content))
    content[at : at + chance.randrange(4)] = noise
    if chance.random() < 0.3:
        del content[at:]
    fault = fault_of(bytes(content), Register)
    assert fault is None or (fault.code in CODES and fault.code != "json_invalid"), fault
    for finding in read_files({"a.json": bytes(content)}).findings:
        assert finding.code in {*CODES, "file_empty"}


@pytest.mark.parametrize(
    ("kind", "content", "code", "values", "field"),
    [
        (Register, b'{"county": "x",\n "term" 2}', "json_malformed", {"line": 2, "column": 9}, ""),
        (Register, "{" + chr(0x53BF) + "}", "json_malformed", {"line": 1, "column": 2}, ""),
        (Register, b"{}", "json_field_missing", {"name": "county"}, ""),
        (Slot, b'{"weekday": 9, "period": 1}', "json_too_large", {"most": "7"}, "$.weekday"),
        (Slot, b'{"weekday": 0, "period": 1}', "json_too_small", {"least": "1"}, "$.weekday"),
        (Slot, b'{"weekday": "x", "period": 1}', "json_kind", {"kinds": "int"}, "$.weekday"),
        (Term, b'{"id": "a b"}', "json_not_id", {}, "$.id"),
        (Membership, b'{"kind": "no"}', "json_choice", {"value": "no"}, "$.kind"),
    ],
)
def test_each_fault_has_its_code_its_values_and_its_place(
    kind: Any, content: bytes | str, code: str, values: dict[str, Any], field: str
) -> None:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises((msgspec.MsgspecError, ValueError)) as caught:
        msgspec.json.decode(raw, type=kind)
    fault = json_fault(caught.value, raw)
    assert (fault.code, fault.values, fault.field) == (code, values, field)


def test_a_command_says_it_in_the_language_of_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "table.json"
    file.write_bytes(b'{"tables": [{"community": "A", "term": 3}]}')
    for language, said in (("zh_CN.UTF-8", "这里应当是文字"), ("en_GB.UTF-8", "This should be a text")):
        monkeypatch.setenv("LC_ALL", language)
        with pytest.raises(BadInput) as refused:
            read(file, TableSet)
        assert str(refused.value).startswith(f"{file}: $.tables[0].term: {said}")


def test_every_code_has_a_sentence_in_both_languages() -> None:
    for language in LANGUAGES:
        assert [code for code in CODES if f"finding.{code}" not in catalogue(language)] == []
