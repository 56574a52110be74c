"""This module owns what an import can find wrong, each with its stable code, and how such a finding is made.

The sentences are in `config/locale/import.*.json` under `finding.<code>`.
"""

from __future__ import annotations

from collections.abc import Mapping

from timetable.model import Finding
from timetable.register import json_faults
from timetable.register.rows import Source

ERRORS: Mapping[str, str] = {
    # files, sheets, columns
    "file_type_unknown": "the name ends in nothing that can be read",
    "file_name_unknown": "the name of a text file says not which sheet it is",
    "file_empty": "no byte in it",
    "file_too_big": "unpacked, or laid out cell by cell, it would not fit",
    "file_damaged": "an archive that cannot be opened",
    "file_unreadable": "the content is not what the name says",
    "file_not_text": "neither UTF-8 nor GB18030",
    "file_without_sheets": "a workbook with none of the known sheets",
    **json_faults.CODES,
    "column_missing": "a required column is absent",
    "column_twice": "two columns have one title",
    # cells
    "cell_missing": "a required cell is blank",
    "cell_not_text": "control characters, or a value that is no text",
    "cell_formula_failed": "the cell's formula has no value",
    "cell_not_id": "an id with other signs than letters, digits, dot, dash, underscore",
    "cell_too_long": "a text longer than allowed",
    "cell_not_number": "no whole number",
    "cell_out_of_range": "a number outside its range",
    "cell_not_date": "no date of the calendar",
    "cell_not_time": "no time of day",
    "cell_not_choice": "none of the words that the column allows",
    "cell_not_weekday": "no weekday",
    "cell_not_slot": "no period of the week such as 周一第6节",
    # rows against each other
    "nothing_to_import": "the files hold no rows",
    "term_missing": "no file and no earlier import says which term it is",
    "second_term": "more than one row on the sheet of the term",
    "duplicate_id": "two different rows with one id",
    "duplicate_row": "the same thing said twice",
    "unknown_unit": "neither the id nor the name of a unit",
    "unknown_campus": "neither the id nor the name of a campus",
    "unknown_room": "neither the id nor the name of a room",
    "unknown_teacher": "neither the id nor the name of a teacher",
    "unknown_class": "neither the id nor the name of a class",
    "unknown_community": "neither the id nor the name of a community",
    "name_ambiguous": "a name that several have",
    "unknown_requirement": "a party of a requirement that is on no sheet",
    "dates_backwards": "the last date is before the first",
    "week_one_not_monday": "term week 1 does not begin on a Monday",
    "times_backwards": "a time ends before it begins",
    "bell_overlap": "two periods of one unit share minutes",
    "bell_twice": "two periods of one unit and day have one number",
    "bells_missing": "a unit without any bells",
    "road_to_itself": "travel from a campus to the same campus",
    "unit_in_two_communities": "a unit belongs to at most one community",
    "unit_named_twice": "a unit stands twice in one community or requirement",
    "stage_differs": "a unit of another stage than its community",
    "unit_not_in_community": "a party that is no member of the requirement's community",
    "party_missing": "a sync lesson needs two parties, a dedicated lesson a host and a member",
    "party_too_many": "a local lesson has one party",
    "class_missing": "a party of a lesson without a class",
    "class_not_expected": "a class where there is none: the host of a dedicated lesson, a meeting",
    "class_of_other_unit": "a class that is not of the party's unit",
    "room_of_other_campus": "a room, or a home room, on another campus than its unit",
    "listed_twice": "a class or a teacher stands twice in one party",
    "teacher_missing": "a party without a teacher",
    "teacher_without_post": "a teacher without a post at the party's unit",
    "rotation_not_for_kind": "only sync lessons, meetings and research go round",
    "rotation_without_teacher": "a unit has a turn and is no party, or has nobody who could lead",
    "week_not_held": "a week outside the term, or of the other parity",
    "locked_more_than_weekly": "more fixed slots than lessons a week",
    "locked_no_period": "a fixed slot that is no period of the host unit",
    "locked_teacher_twice": "fixed slots put a teacher in two places at one time",
    "locked_class_twice": "fixed slots put a class in two places at one time",
}
WARNINGS: Mapping[str, str] = {
    "sheet_unknown": "a sheet that is none of the known ones is not read",
    "column_unknown": "a column that is none of the known ones is not read",
    "bells_missing_weekday": "a unit without bells on a day of lessons",
    "bell_too_early": "a lesson before 8:20 (primary) or 8:00 (junior)",
    "unit_without_community": "a unit that is in no community",
    "tables_to_follow": "published tables are being changed at this moment and follow the import shortly",
    "row_left_out": "a row that was not imported because of a finding in it or in what it needs",
}


def finding(code: str, source: Source, field: str = "", **values: str | int) -> Finding:
    """A finding about the row at `source`; `field` is the column's title."""
    return Finding(
        code=code,
        values=values,
        file=source.file,
        sheet=source.sheet,
        row=source.row or None,
        field=field,
        severity="warning" if code in WARNINGS else "error",
    )
