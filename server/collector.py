"""This module owns how Python's garbage collector works in our processes: where it looks as often as is usual, it takes
time that is wanted for better things."""

from __future__ import annotations

import gc

SELDOM = (200_000, 50, 1000)
"""How many more objects are there before it looks through the young ones, and so on. As often as is usual, it takes an
eighth of the time of a search, for models of a million objects in which next to nothing is garbage."""


def spare_what_is_loaded() -> None:
    """What has been loaded by now stays: it need not be looked through for cycles again and again, for a tenth of a
    second each time, in which no sound would be forwarded."""
    gc.collect()
    gc.freeze()


def collect_seldom() -> None:
    """For a process that builds models and searches in them, from now on."""
    gc.set_threshold(*SELDOM)
