"""This module owns labels of the register in the language shown, as `ui/names.ts` has them for the pages.

Subjects, years and neutral labels are read out: 科学 五年级 is Science Year 5, 六(1)班 is Class 6-1. Schools and people
keep their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NUMERALS = "一二三四五六七八九"
PARTS = re.compile(r"([ 、；])")
BETWEEN = {"、": ", ", "；": "; "}
SUBJECT_TEACHER = re.compile(r"([\u3400-\u9fff]{2,4})教师([A-Za-z0-9_]+)")
SCHOOL_CLASS = re.compile(r"([一二三四五六七八九])\(([0-9]+)\)班(教室)?")
REMOTE_ROOM = re.compile(r"远程教室([0-9]*)")
GRADE = re.compile(r"([一二三四五六七八九])年级")
RESEARCH = re.compile(r"([\u3400-\u9fff]{2,4})教研")
KINDS: Mapping[str, str] = {
    "集体备课": "joint_preparation",
    "联席会议": "joint_meeting",
    "学业测试": "common_test",
    "教研": "research",
}
"""The kinds that the title of something without classes begins with."""


def label(text: str, texts: Mapping[str, str]) -> str:
    """The label in the language of the catalogue `texts`; what is no such label stays as the school wrote it."""
    return "".join(BETWEEN.get(word) or _word(word, texts) for word in PARTS.split(text))


def _word(word: str, texts: Mapping[str, str]) -> str:
    def subject(name: str) -> str:
        return texts.get(f"subject.{name}", "")

    def filled(key: str, **values: str | int) -> str:
        text = texts[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    if (found := SUBJECT_TEACHER.fullmatch(word)) and subject(found[1]):
        return filled("name.subject_teacher", subject=subject(found[1]), label=found[2])
    if found := SCHOOL_CLASS.fullmatch(word):
        key = "name.home_room" if found[3] else "name.class"
        return filled(key, grade=NUMERALS.index(found[1]) + 1, number=found[2])
    if found := REMOTE_ROOM.fullmatch(word):
        return filled("name.remote_room", number=found[1]).strip()
    if found := GRADE.fullmatch(word):
        return texts[f"grade.{NUMERALS.index(found[1]) + 1}"]
    if (found := RESEARCH.fullmatch(word)) and subject(found[1]):
        return filled("name.research", subject=subject(found[1]))
    return texts[f"kind.{KINDS[word]}"] if word in KINDS else subject(word) or word
