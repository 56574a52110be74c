"""This module owns what the well-known subjects are called in English, from the catalogue of texts: `subject.<name>`.

A school writes its subjects in its own words. Those of the catalogue have an English word, by which they can be shown
and are understood in sheets; any other keeps its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

KEY = "subject."


@cache
def english_names() -> Mapping[str, str]:
    """The English word by each subject."""
    texts = json.loads((files("config") / "locale" / "subjects.en.json").read_bytes())
    return {key.removeprefix(KEY): text for key, text in texts.items() if key.startswith(KEY)}


@cache
def _subjects() -> Mapping[str, str]:
    return {english.casefold(): name for name, english in english_names().items()}


def subject_meant(text: str) -> str:
    """The subject that an English word means, whatever its letters; any other text is what it is."""
    return _subjects().get(" ".join(text.split()).casefold(), text)
