"""Labels of the register in English: subjects and neutral labels are read out, people and schools keep their names."""

from __future__ import annotations

import pytest

from config.subjects import english_names, subject_meant
from server.labels import label
from server.sentences import catalogue


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("语文", "Chinese"),
        ("道德与法治", "Morality and Law"),
        ("科学 五年级", "Science Year 5"),
        ("六(1)班", "Class 6-1"),
        ("六(1)班教室", "Room of 6-1"),
        ("远程教室", "Remote room"),
        ("远程教室2", "Remote room 2"),
        ("语文教师01", "Chinese teacher 01"),
        ("语文教研", "Chinese research"),
        ("集体备课 数学、英语；美术", "Joint prep Maths, English; Art"),
        ("张伟", "张伟"),
        ("西河中心学校", "西河中心学校"),
        ("乡土教师", "乡土教师"),
        ("", ""),
    ],
)
def test_labels_are_read_out(text: str, english: str) -> None:
    assert label(text, catalogue("en")) == english


def test_every_english_subject_means_one_subject() -> None:
    for name, english in english_names().items():
        assert subject_meant(english) == subject_meant(f" {english.upper()} ") == subject_meant(name) == name
    assert subject_meant("乡土课") == "乡土课"
