"""`demo.json`: what programs outside find the running demonstration by. Its form is a promise; see the README."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from server.storage.people_store import Person


class User(Struct, frozen=True, kw_only=True):
    role: str
    unit: str
    login: str
    password: str


class FeedEntry(Struct, frozen=True, kw_only=True):
    kind: Literal["teacher", "class", "room", "unit", "community"]
    id: str
    name: str
    url: str


class EndpointEntry(Struct, frozen=True, kw_only=True):
    unit: str
    room: str
    url: str


class LessonEntry(Struct, frozen=True, kw_only=True):
    id: str
    title: str
    host_url: str
    assistant_url: str
    endpoint_urls: tuple[EndpointEntry, ...]
    observer_url: str
    review_url: str


class Access(Struct, frozen=True, kw_only=True):
    url: str
    token: str


class Announcement(Struct, frozen=True, kw_only=True):
    base_url: str
    users: tuple[User, ...]
    feeds: tuple[FeedEntry, ...]
    lesson: LessonEntry
    whip: Access
    whep: Access


def users(people: Sequence[Person], password: str) -> tuple[User, ...]:
    """One entry for each role that a person holds; the unit's id, empty for people of the county."""
    return tuple(
        User(role=role, unit=person.unit or "", login=person.login, password=password)
        for person in people
        for role in dict.fromkeys(grant.role for grant in person.grants)
    )
