"""Every code that a live session answers with has a sentence in both languages."""

from __future__ import annotations

import inspect
import json
import re
import string
from pathlib import Path

import pytest

from server.sockets import live as live_socket
from signaling import connection, errors, history, rules, session
from signaling.errors import SignalingError
from signaling.media.errors import MediaError

LOCALE = Path(__file__).parents[2] / "config" / "locale"
REFUSALS = re.compile(r"Refusal\(\s*\"([a-z_]+)\"|Refused\(msg_id=\"\", code=\"([a-z_]+)\"|\"(hello_missing)\"")


def catalogue(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in (LOCALE / f"live_errors.{language}.json", LOCALE / f"{language}.json"):
        found |= json.loads(path.read_text("utf-8"))
    return found


def codes() -> set[str]:
    found = {kind.code for base in (SignalingError, MediaError) for kind in (base, *base.__subclasses__())}
    for module in (rules, session, live_socket, errors, history):
        for match in REFUSALS.finditer(inspect.getsource(module)):
            found |= {code for code in match.groups() if code}
    return found | {code for code in connection.STATUS if code in ("replaced", "too_slow", "flood", "unauthorized")}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_code_has_a_sentence(language: str) -> None:
    assert sorted(code for code in codes() if f"error.{code}" not in catalogue(language)) == []


def test_both_languages_fill_in_the_same_values() -> None:
    def fields(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    chinese, english = (json.loads((LOCALE / f"live_errors.{tag}.json").read_text("utf-8")) for tag in ("zh-CN", "en"))
    assert {key: fields(text) for key, text in chinese.items()} == {key: fields(text) for key, text in english.items()}
