"""This module owns how a FET file is written: its elements, its names, its lists of slots."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

VERSION = "6.8.5"
DAY_NAMES = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
WHOLE = "100"
"""Percent: a constraint that FET may never break."""

FetSlot = tuple[int, int]
"""A weekday, and an hour counted from 0."""


class SlotTags(NamedTuple):
    """How one of FET's lists of slots calls its number, its items, and their day and hour."""

    number: str
    item: str
    day: str
    hour: str


NOT_AVAILABLE = SlotTags("Number_of_Not_Available_Times", "Not_Available_Time", "Day", "Hour")
STARTING = SlotTags(
    "Number_of_Preferred_Starting_Times",
    "Preferred_Starting_Time",
    "Preferred_Starting_Day",
    "Preferred_Starting_Hour",
)
PREFERRED = SlotTags("Number_of_Preferred_Time_Slots", "Preferred_Time_Slot", "Preferred_Day", "Preferred_Hour")
SELECTED = SlotTags("Number_of_Selected_Time_Slots", "Selected_Time_Slot", "Selected_Day", "Selected_Hour")


def element(tag: str, *content: str) -> str:
    return f"<{tag}>{''.join(content)}</{tag}>"


def text(tag: str, value: object) -> str:
    """An element with a text; signs that XML cannot hold are dropped."""
    clean = "".join(sign for sign in str(value) if sign.isprintable() or sign in "\t\n")
    return f"<{tag}>{html.escape(clean, quote=False)}</{tag}>"


class Names:
    """Names as FET wants them: none twice, none empty."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self.by_id: dict[str, str] = {}

    def add(self, id: str, name: str) -> None:
        wanted = " ".join(name.split()) or id
        while wanted in self._taken:
            wanted = f"{wanted} [{id}]"
        self._taken.add(wanted)
        self.by_id[id] = wanted


class Constraints:
    """The constraints of a file as they come together. `hours` are the names of the hours."""

    def __init__(self, hours: Sequence[str]) -> None:
        self._hours = hours
        self.time: list[str] = []
        self.space: list[str] = []

    def add(self, tag: str, *content: str, percent: str = WHOLE) -> None:
        """A constraint on time, which FET keeps with so many percent."""
        self.time.append(element(tag, text("Weight_Percentage", percent), *content, _ACTIVE))

    def add_space(self, tag: str, *content: str) -> None:
        """A constraint on rooms and buildings."""
        self.space.append(element(tag, text("Weight_Percentage", WHOLE), *content, _ACTIVE))

    def slot(self, tags: SlotTags, at: FetSlot) -> str:
        return text(tags.day, DAY_NAMES[at[0] - 1]) + text(tags.hour, self._hours[at[1]])

    def slots(self, tags: SlotTags, given: Iterable[FetSlot]) -> str:
        found = sorted(given)
        return text(tags.number, len(found)) + "".join(element(tags.item, self.slot(tags, at)) for at in found)


def numbered(tag: str, items: Sequence[object], count: str) -> str:
    """A list of plain values with their number before them."""
    return text(count, len(items)) + "".join(text(tag, item) for item in items)


def document(head: Mapping[str, str], lists: Mapping[str, Sequence[str]]) -> bytes:
    """The whole file: single values, then the lists, in the order of the mappings."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', f'<fet version="{VERSION}">']
    parts += [text(tag, value) for tag, value in head.items()]
    for tag, items in lists.items():
        parts += [f"<{tag}>", *items, f"</{tag}>"]
    parts.append("</fet>\n")
    return "\n".join(parts).encode()


_ACTIVE = "<Active>true</Active><Comments></Comments>"
