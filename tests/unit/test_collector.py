"""How the garbage collector works where models are built and searched."""

from __future__ import annotations

import gc

from server.collector import collect_seldom

USUAL = (700, 10, 10)
"""Python's own."""


def test_who_searches_is_interrupted_seldom() -> None:
    before = gc.get_threshold()
    looks = _looks(USUAL)
    try:
        collect_seldom()
        assert _looks(gc.get_threshold()) * 100 < looks
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)


def _looks(threshold: tuple[int, int, int]) -> int:
    """How often the collector looks while a model of a hundred thousand lists is built."""
    gc.set_threshold(*threshold)
    seen: list[str] = []
    gc.callbacks.append(lambda phase, _: seen.append(phase))
    try:
        kept = [[number] for number in range(100_000)]
    finally:
        gc.callbacks.pop()
    assert len(kept) == 100_000
    return seen.count("start")
