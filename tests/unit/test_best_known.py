"""The best known costs of the benchmark instances stay with the benchmarks: no search may see them."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import structs

from tests.bench.best_known import ALL, KEPT, BestKnown, fingerprint
from tests.bench.solving import allowance
from tests.instances import generated_community

ROOT = Path(__file__).parents[2]
PRODUCT = ("timetable", "server", "signaling", "recordings", "config")


def test_the_product_neither_reads_nor_ships_them() -> None:
    sources = [
        file for package in PRODUCT for file in (ROOT / package).rglob("*.py") if "node_modules" not in str(file)
    ]
    assert len(sources) > 100
    assert [file for file in sources if "best_known" in file.read_text("utf-8")] == []
    assert "tests" not in (ROOT / "pyproject.toml").read_text("utf-8").split("packages = [")[1].split("]")[0]


def test_what_is_kept_is_possible_and_says_how_it_was_found() -> None:
    kept = msgspec.json.decode(KEPT.read_bytes(), type=dict[str, BestKnown])
    assert set(kept) <= set(ALL)
    for best in kept.values():
        assert 0 <= best.bound <= best.cost
        assert "seed" in best.found


def test_a_cost_is_held_only_against_the_same_instance() -> None:
    register = generated_community(1, shape=(1,), lacking={})
    assert fingerprint(register) == fingerprint(generated_community(1, shape=(1,), lacking={}))
    assert fingerprint(register) != fingerprint(structs.replace(register, main_subjects=("语文",)))


def test_two_points_or_five_percent_are_allowed() -> None:
    assert [allowance(cost, 32) for cost in (32, 34)] == [0, 1]
    assert [allowance(cost, 200) for cost in (205, 210)] == [0.5, 1]
