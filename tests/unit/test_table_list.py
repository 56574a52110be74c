"""Tables as lists: they come back as they went, and what is wrong with one is said with its place."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from server.sentences import LANGUAGES, Language, catalogue, words_in
from tests.exported_tables import STATE, export_of, sheets, tables
from timetable.export import table_list
from timetable.export.table_export import TableExport
from timetable.export.table_list import LESSONS, list_csv, read_list
from timetable.model import Register, Table, TableSet


@settings(max_examples=30, deadline=None)
@given(tables(), st.sampled_from(LANGUAGES))
def test_a_list_comes_back_as_it_went(given: tuple[Register, Table], language: Language) -> None:
    export = TableExport(given[0], given[0].communities[0], given[1], words=words_in(language), state=STATE)
    for form in ("xlsx", "csv"):
        taken = export.take(form, "community")
        found = read_list(taken.name, taken.content)
        assert found.findings == ()
        assert found.lessons == given[1].lessons
    assert msgspec.json.decode(export.take("json", "community").content, type=TableSet).tables == (given[1],)


def test_a_list_in_english_is_english(two_schools: tuple[Register, Table]) -> None:
    register, table = two_schools
    export = TableExport(register, register.communities[0], table, words=words_in("en"), state=STATE)
    lines = sheets(export.take("xlsx", "community").content)[LESSONS.title]
    column = {title: lines[0].index(title) for title in ("种类 kind", "学科 subject", "周几 weekday", "单双周 weeks")}
    said = [tuple(line[at] for at in column.values()) for line in lines[1:]]
    assert said == [
        ("sync", "English", "Mon", "all"),
        ("sync", "English", "Mon", "all"),
        ("local", "Science", "Tue", "odd"),
        ("local", "Crafts", "Tue", "even"),
        ("local", "Art", "Wed", "all"),
    ]


def test_a_list_with_faults_says_where_they_are(two_schools: tuple[Register, Table]) -> None:
    register, table = two_schools
    names = export_of(register, table)._names()
    text = list_csv(table.lessons, names).decode("utf-8-sig").splitlines()
    text[2] = text[2].replace("英语", "数学")
    text[3] = text[3].replace("10:00,10:40", "10:00,25:40", 1)
    text[4] = text[4].replace("周二", "周八")
    found = read_list("表.csv", "\n".join(text).encode("gb18030"))
    assert [lesson.id for lesson in found.lessons] == ["A-r4.1"]
    assert [(f.code, f.file, f.row, f.field.split(" ")[0]) for f in found.findings] == [
        ("cell_not_time", "表.csv", 4, "结束"),
        ("cell_not_weekday", "表.csv", 5, "周几"),
        ("list_rows_differ", "表.csv", 3, ""),
    ]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a.ods", "a.txt", "a", "a.pdf"]), st.binary(max_size=300))
def test_garbage_is_no_list_and_never_raises(name: str, content: bytes) -> None:
    found = read_list(name, content)
    assert found.lessons == ()
    assert found.findings


def test_every_code_has_a_sentence_in_both_languages() -> None:
    for language in LANGUAGES:
        assert [code for code in table_list.CODES if f"finding.{code}" not in catalogue(language)] == []
