"""This module owns who has a say in a change after publication, by the community's mode, and for how long."""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from timetable.model import Community, Mode

WINDOW_SECONDS = 2 * 86400.0
"""How long members of a co-built community may object, where there is that much time."""
ANSWER_BEFORE_SECONDS = 1800.0
"""The window closes so long before the first lesson that is touched."""
SAME_DAY_SECONDS = 600.0
"""The shortest window, for changes of the same day; it never lasts beyond the beginning of the lesson."""

Say = Literal["none", "may_object", "must_agree"]


class Policy(Struct, frozen=True):
    """What one mode asks for: who has a say, and what silence means at the deadline."""

    mode: Mode
    asked: Callable[[str, tuple[str, ...]], tuple[str, ...]]
    """The core school and those affected -> those with a say."""
    silence_agrees: bool


def _core(core: str, affected: tuple[str, ...]) -> tuple[str, ...]:
    return (core,)


def _affected(core: str, affected: tuple[str, ...]) -> tuple[str, ...]:
    return affected


POLICIES: Mapping[Mode, Policy] = {
    "merged": Policy("merged", _core, silence_agrees=False),
    "co_built": Policy("co_built", _affected, silence_agrees=True),
    "collaborative": Policy("collaborative", _affected, silence_agrees=False),
}


def asked_beside(community: Community, unit: str, affected: tuple[str, ...]) -> tuple[str, ...]:
    """The units beside `unit` that have a say in a change that it asks for and that affects these."""
    if set(affected) <= {unit}:
        return ()
    return tuple(sorted(set(POLICIES[community.mode].asked(community.core, affected)) - {unit}))


def consent_of(community: Community, affected: str, *, asks: str) -> Say:
    """What the one affected unit has to say to a change that `asks` asks for."""
    if affected not in asked_beside(community, asks, (affected,)):
        return "none"
    return "may_object" if POLICIES[community.mode].silence_agrees else "must_agree"


def deadline(mode: Mode, now: float, earliest: float) -> float:
    """When silence is taken for an answer to a change that is asked for now and whose first lesson begins at
    `earliest`; all in unix seconds."""
    if not POLICIES[mode].silence_agrees:
        return earliest
    return min(max(min(now + WINDOW_SECONDS, earliest - ANSWER_BEFORE_SECONDS), now + SAME_DAY_SECONDS), earliest)
