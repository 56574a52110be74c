"""This module owns what a program sees that watches by WHEP: it cannot choose, so it is shown the teaching side."""

from __future__ import annotations

from collections.abc import Iterable

from signaling.room_state import Track
from signaling.wire import Role

_BY_ROLE: tuple[Role, ...] = ("encoder", "host")
_BY_SOURCE = ("mic", "teacher", "screen", "pupils")

Section = tuple[str, str]
"""mid and kind of one section of an offer."""


def sections_of(offer: str) -> tuple[Section, ...]:
    """The audio and video sections of an SDP offer that have a mid, in their order. Reads no more than that: whether
    the offer is good the media plane judges."""
    found: list[Section] = []
    kind = ""
    for line in offer.splitlines():
        if line.startswith("m="):
            kind = line[2:].partition(" ")[0]
        elif line.startswith("a=mid:") and kind in ("audio", "video"):
            found.append((line[6:].strip(), kind))
            kind = ""
    return tuple(found)


def teaching_side(sections: Iterable[Section], tracks: Iterable[Track], roles: dict[str, Role]) -> dict[str, str]:
    """Which track each section shows (mid to track id): those of the host classroom's encoder where there is one,
    otherwise the host's, the teacher's camera first. `roles`: of the participants."""
    wanted = [track for track in tracks if roles.get(track.participant) in _BY_ROLE]
    wanted.sort(key=lambda track: (_BY_ROLE.index(roles[track.participant]), _BY_SOURCE.index(track.source)))
    shown: dict[str, str] = {}
    for mid, kind in sections:
        track = next((track for track in wanted if track.kind == kind and track.id not in shown.values()), None)
        if track is not None:
            shown[mid] = track.id
    return shown
