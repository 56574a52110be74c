"""The catalogue: both languages say the same things, and nothing that the pages or the server say is missing."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from server.errors import HTTP_CODES, STATUS
from server.sentences import catalogue
from timetable.repairing import obstacles, slots

ROOT = Path(__file__).parents[2]
LOCALE = ROOT / "config/locale"
SOURCES = ROOT / "server/web/src"
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::[^|}]*\|[^}]*)?\}")
USED_KEY = re.compile(r"""\bt\(\s*"([^"]+)"\s*[,)]""")
USED_CHOICE = re.compile(r"""\bt\([^()"`]*\?\s*"([^"]+)"\s*:\s*"([^"]+)"\s*[,)]""")
USED_FAMILY = re.compile(r"""\bt\(\s*`([^`$]+)\$\{""")
PARTS = sorted(path.name.removesuffix("zh-CN.json") for path in LOCALE.glob("*zh-CN.json"))


def texts(part: str, language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((LOCALE / f"{part}{language}.json").read_text("utf-8"))
    return found


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


@pytest.mark.parametrize("part", PARTS)
def test_both_languages_have_the_same_keys(part: str) -> None:
    assert sorted(texts(part, "zh-CN")) == sorted(texts(part, "en"))


@pytest.mark.parametrize("part", PARTS)
def test_both_languages_use_the_same_values(part: str) -> None:
    chinese, english = texts(part, "zh-CN"), texts(part, "en")
    different = {key for key in chinese if placeholders(chinese[key]) != placeholders(english[key])}
    assert different == set()


@pytest.mark.parametrize("part", PARTS)
def test_every_key_is_written_once(part: str) -> None:
    for language in ("zh-CN", "en"):
        pairs = json.loads((LOCALE / f"{part}{language}.json").read_text("utf-8"), object_pairs_hook=list)
        assert [key for key, count in Counter(key for key, _ in pairs).items() if count > 1] == []


def test_no_key_stands_in_two_parts() -> None:
    keys = Counter(key for part in PARTS for key in texts(part, "zh-CN"))
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_sentence_is_empty() -> None:
    assert [key for language in ("zh-CN", "en") for key, text in catalogue(language).items() if not text] == []


def test_every_key_of_the_pages_has_a_sentence() -> None:
    known = catalogue("zh-CN")
    missing = set()
    for source in SOURCES.rglob("*.ts*"):
        text = source.read_text("utf-8")
        used = {*USED_KEY.findall(text), *(key for pair in USED_CHOICE.findall(text) for key in pair)}
        missing |= {f"{source.name}: {key}" for key in used if key not in known}
        for family in USED_FAMILY.findall(text):
            if not any(key.startswith(family) for key in known):
                missing.add(f"{source.name}: {family}*")
    assert missing == set()


def test_every_error_code_has_a_sentence() -> None:
    known = catalogue("en")
    assert [code for code in {*STATUS, *HTTP_CODES.values()} if f"error.{code}" not in known] == []


def test_every_reason_against_a_slot_has_words_for_its_tag() -> None:
    known = catalogue("zh-CN")
    assert [code for code in (*slots.CODES, *obstacles.CODES) if f"slot.why.{code}" not in known] == []


def test_english_has_no_chinese_words() -> None:
    """Beside samples of what people type, such as 周一 in a cell."""
    chinese = re.compile(r"[\u4e00-\u9fff]")
    sayings = {key: text for key, text in catalogue("en").items() if not key.startswith(("finding.", "subject."))}
    assert [key for key, text in sayings.items() if chinese.search(text)] == []
