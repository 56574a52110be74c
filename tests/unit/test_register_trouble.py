"""A register with anything wrong in it is refused with a sentence, or has a sound table or the reason why not."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.commands.table_files import BadInput, read_register
from server.sentences import LANGUAGES, finding_sentence
from tests.unit.small_register import SMALL
from timetable.checker import check
from timetable.model import Register
from timetable.register.references import check_references
from timetable.solving.solver import solve

GOOD = msgspec.json.decode(msgspec.json.encode(SMALL))
VALUES: tuple[Any, ...] = (0, 1, 20, "", "x", "1999-01-01", "2026-09-01", "2027-06-01", "00:00", "08:20", "23:59", [])

Place = tuple[Any, ...]


def paths(node: Any, path: Place = ()) -> Iterator[Place]:
    """Every place in a document."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from paths(value, (*path, key))


def alike() -> list[list[Place]]:
    """The places of the good document, those of one field together, so that each field has the same chance."""
    found: dict[Place, list[Place]] = defaultdict(list)
    for path in paths(GOOD):
        found[tuple("#" if isinstance(key, int) else key for key in path)].append(path)
    return list(found.values())


FIELDS = alike()


def at(document: Any, path: Place) -> Any:
    for key in path:
        document = document[key]
    return document


def changed(chance: random.Random) -> Any:
    """The good document with one thing another: a value of another place or an odd one, twice there, gone, or two
    values of a kind that have changed places."""
    document = msgspec.json.decode(msgspec.json.encode(GOOD))
    field = chance.choice(FIELDS)
    path = chance.choice(field)
    holder, key = at(document, path[:-1]), path[-1]
    match chance.choice(["elsewhere", "odd", "twice", "gone", "swapped"]):
        case "elsewhere":
            holder[key] = at(GOOD, chance.choice(field))
        case "twice" if isinstance(holder, list):
            holder.append(holder[key])
        case "gone":
            del holder[key]
        case "swapped" if isinstance(holder, dict):
            other = chance.choice([one for one in holder if isinstance(holder[one], type(holder[key]))])
            holder[key], holder[other] = holder[other], holder[key]
        case _:
            holder[key] = chance.choice(VALUES)
    return document


@given(st.integers(0, 2**31))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_one_thing_changed_it_is_refused_or_has_a_sound_table(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "input.json"
    file.write_bytes(msgspec.json.encode(changed(random.Random(seed))))
    register, refused = None, ""
    try:
        register = read_register(file)
    except BadInput as error:
        refused = str(error)
    if register is None:
        assert refused.startswith(str(file))
        return
    for community in register.communities:
        outcome = solve(register, community.id, seconds=5, workers=1, improve_until=0)
        assert outcome.table is not None or outcome.findings
        if outcome.table is not None:
            assert [f.code for f in check(register, outcome.table) if f.severity == "error"] in ([], ["table_missing"])


@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        (("term", "lastDay"), "2020-01-01", "date_backwards", "$.term.lastDay"),
        (("units", 0, "bells", 0, "validTo"), "2020-01-01", "date_backwards", "$.units[0].bells[0].validTo"),
        (("communities", 0, "members"), "twice", "reference_repeated", "$.communities[0].members"),
        (("requirements", 0, "parties", 0, "teachers"), "twice", "reference_repeated", None),
        (("requirements", 0, "parties", 0, "classes"), "twice", "reference_repeated", None),
        (("requirements", 0, "parties"), "twice", "reference_repeated", None),
    ],
)
def test_what_is_backwards_or_twice_is_named_with_its_place(
    path: Place, value: Any, code: str, field: str | None
) -> None:
    document = msgspec.json.decode(msgspec.json.encode(GOOD))
    if "bells" in path:
        at(document, path[:-1])["validFrom"] = "2026-09-01"
    at(document, path[:-1])[path[-1]] = at(GOOD, path) * 2 if value == "twice" else value
    finding, *more = check_references(msgspec.convert(document, Register))
    assert {other.code for other in more} <= {code}
    where = "$." + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
    assert (finding.code, finding.field) == (code, field or where)
    for language in LANGUAGES:
        assert "{" not in finding_sentence(finding, language)
