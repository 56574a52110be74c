"""Runs the benchmarks by name and prints one line for each figure.

A benchmark is a module of this package with `figures(full: bool) -> Iterator[Figure]`. A figure has exactly the keys of
FIGURE_KEYS; `peer`, `peer_value` and `ratio` are None where there is no peer, `peer_value` and `ratio` where the peer
is not installed, `goal` and `met` where nothing is promised.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypedDict

import msgspec


class Figure(TypedDict):
    """One measured value, beside its peer's and its goal."""

    figure: str
    value: float
    unit: str
    peer: str | None
    peer_value: float | None
    ratio: float | None
    goal: str | None
    met: bool | None


FIGURE_KEYS = tuple(Figure.__annotations__)
GOOD, MISSED, BAD_USAGE = 0, 1, 2


def available() -> list[str]:
    """The names of the benchmarks in this checkout."""
    return sorted(
        file.stem for file in Path(__file__).parent.glob("*.py") if "\ndef figures(" in file.read_text("utf-8")
    )


def run(names: Iterable[str], *, full: bool, as_json: bool) -> int:
    """Run the named benchmarks; 0 when every goal is met, 1 when one is missed, 2 for a name that does not exist."""
    names = list(names)
    known = available()
    if unknown := [name for name in names if name not in known]:
        print(f"tongke: there is no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return BAD_USAGE
    if not names:
        print(f"tongke: name what to measure: {', '.join(known)}", file=sys.stderr)
        return BAD_USAGE
    missed = False
    for figure in measure(names, full):
        print(msgspec.json.encode(figure).decode() if as_json else line(figure), flush=True)
        missed = missed or figure["met"] is False
    return MISSED if missed else GOOD


def measure(names: Iterable[str], full: bool) -> Iterator[Figure]:
    """Every figure of the named benchmarks, as soon as it is known."""
    for name in names:
        for figure in importlib.import_module(f"tests.bench.{name}").figures(full):
            if tuple(figure) != FIGURE_KEYS:
                raise ValueError(f"benchmark {name}: a figure needs the keys {', '.join(FIGURE_KEYS)}, in this order")
            yield figure


def line(figure: Figure) -> str:
    """A figure as people read it."""
    parts = [f"{figure['figure']:<48} {_number(figure['value']):>10} {figure['unit']}"]
    if figure["peer"] is not None:
        parts.append(f"{figure['peer']} {_number(figure['peer_value'])}")
    if figure["ratio"] is not None:
        parts.append(f"ratio {figure['ratio']:.2f}")
    if figure["goal"] is not None:
        verdict = {True: "met", False: "MISSED", None: "not judged"}[figure["met"]]
        parts.append(f"goal {figure['goal']}: {verdict}")
    return "  ".join(parts)


def _number(value: Any) -> str:
    return "not installed" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
