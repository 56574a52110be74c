"""This module owns who was in a lesson while it was live, folded from its journal."""

from __future__ import annotations

from collections.abc import Iterable

from recordings.journal import Record

TEACHING = frozenset({"host", "assistant", "endpoint", "encoder"})
"""Roles whose presence means that their unit took part; but a classroom's own camera films an empty one, too."""


def attendance(events: Iterable[Record]) -> tuple[set[str], set[str], set[str]]:
    """(units that were there while the lesson was live, the persons who hosted, those who assisted while it was live).
    A host's participant id is `host.<person id>`, an assistant's `assistant.<person id>`."""
    present: dict[str, str] = {}
    attended: set[str] = set()
    hosts: set[str] = set()
    assistants: set[str] = set()
    live = False
    for record in events:
        event = record.event
        if event["type"] == "joined" and event["role"] in TEACHING and not event["participant"].endswith(".camera"):
            present[event["participant"]] = event["unit"]
            if event["role"] == "host":
                hosts.add(str(event["participant"]).removeprefix("host."))
        elif event["type"] == "left":
            present.pop(event["participant"], None)
        elif event["type"] == "session_live":
            live = True
        elif event["type"] == "session_ended":
            break
        if live:
            attended.update(present.values())
            assistants.update(who.removeprefix("assistant.") for who in present if who.startswith("assistant."))
    return attended, hosts, assistants
