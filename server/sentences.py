"""This module owns how a finding or a rule reads to people, from the same catalogue that the pages use."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from server.labels import label
from timetable.model import Finding

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Every key of a language: of `<language>.json` and of the `<part>.<language>.json` beside it."""
    found: dict[str, str] = {}
    for file in (files("config") / "locale").iterdir():
        if file.name == f"{language}.json" or file.name.endswith(f".{language}.json"):
            found |= msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    return found


def finding_sentence(finding: Finding, language: Language) -> str:
    """The finding in one sentence. A code without one (a newer part of the program) is shown as it is."""
    texts = catalogue(language)
    text = texts.get(f"finding.{finding.code}")
    if text is None:
        return f"{finding.code} {finding.values}"
    values = dict(finding.values)
    if "weekday" in values:
        values["weekday"] = texts.get(f"weekday.{values['weekday']}", values["weekday"])
    if "noun" in values:
        values["noun"] = texts.get(f"noun.{values['noun']}", values["noun"])
    if "rules" in values:
        rules = str(values["rules"]).split("、")
        values["rules"] = texts["list.and"].join(texts.get(f"rule.{rule}", rule) for rule in rules)
    if "ids" in values:
        values["ids"] = str(values["ids"]).replace("、", texts["list.comma"])
    if "kinds" in values:
        kinds = str(values["kinds"]).split(" | ")
        values["kinds"] = texts["list.or"].join(texts.get(f"kind_of_value.{kind}", kind) for kind in kinds)
    if "since" in values:
        text += texts["since.bells"]
    if "nearest" in values:
        text += texts["import.nearest"]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def language_of(environment: dict[str, str]) -> Language:
    """The language of a terminal, by its locale."""
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "zh-CN" if locale.startswith("zh") else "en"


class Words:
    """The catalogue in one language as the domain asks for it."""

    def __init__(self, language: Language) -> None:
        self._texts = catalogue(language)
        self.language = language

    def __call__(self, key: str, /, **values: str | int) -> str:
        """The sentence of a key with its values filled in."""
        text = self._texts[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def label(self, text: str, /) -> str:
        """A subject, a class or another neutral label of the register; the register's own words are Chinese."""
        return text if self.language == "zh-CN" else label(text, self._texts)


def words_in(language: Language) -> Words:
    return Words(language)
