"""This module owns the estimate of who talked when, from the microphone levels that the journal holds.

It is an estimate: a level says that a room was heard, not who in it spoke. Two kinds of events carry it:
`talk_measured` gives the seconds of speech since a Unix time, which are laid at the beginning of their interval;
`speaking` tells the moments at which a participant began and stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Span = tuple[float, float]

CLOSE = 1.0
"""Seconds of silence that do not part two spans."""


def talk_lanes(
    lesson: Iterable[tuple[float, Mapping[str, Any]]], zero: float, duration: float
) -> dict[str, tuple[Span, ...]]:
    """By participant, the spans in which they were heard. `lesson`: events with their lesson second; `zero`: the Unix
    time of second 0."""
    spans: dict[str, list[Span]] = {}
    speaking: dict[str, float] = {}
    for at, event in lesson:
        who = str(event.get("participant", ""))
        if event.get("type") == "talk_measured":
            since, seconds = event.get("since"), event.get("seconds")
            if isinstance(since, int | float) and isinstance(seconds, int | float) and seconds > 0:
                start = since - zero
                spans.setdefault(who, []).append((start, min(start + seconds, max(at, start))))
        elif event.get("type") == "speaking":
            if event.get("speaking"):
                speaking.setdefault(who, at)
            elif who in speaking:
                spans.setdefault(who, []).append((speaking.pop(who), at))
    for who, at in speaking.items():
        spans.setdefault(who, []).append((at, duration))
    lanes = {who: _merged(found, duration) for who, found in spans.items()}
    return {who: lane for who, lane in lanes.items() if lane}


def _merged(spans: list[Span], duration: float) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        start, end = max(0.0, start), min(end, duration)
        if end <= start:
            continue
        if merged and start - merged[-1][1] <= CLOSE:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)
