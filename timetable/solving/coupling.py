"""This module owns which communities share teachers or rooms, and so have to be built around each other, and how the
others are shared out among processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from timetable.model import Register


def coupled(register: Register, communities: Sequence[str]) -> list[tuple[str, ...]]:
    """These communities in groups: none shares a teacher or a room with one of another group. In the given order."""
    groups: list[tuple[list[str], set[tuple[str, str]]]] = []
    for community in communities:
        members, held = [community], _held(register, community)
        apart = []
        for group in groups:
            if group[1].isdisjoint(held):
                apart.append(group)
            else:
                members = [*group[0], *members]
                held |= group[1]
        groups = [*apart, (members, held)]
    order = {community: number for number, community in enumerate(communities)}
    found = [tuple(sorted(members, key=order.__getitem__)) for members, _ in groups]
    return sorted(found, key=lambda group: order[group[0]])


def shared_out(register: Register, groups: Sequence[tuple[str, ...]], most: int) -> list[tuple[str, ...]]:
    """The groups as at most so many, about alike in lessons: some of them become one. In the given order."""
    lessons = Counter(requirement.community for requirement in register.requirements)
    sizes = {group: sum(lessons[community] for community in group) for group in groups}
    shares: list[list[tuple[str, ...]]] = [[] for _ in range(min(most, len(groups)))]
    for group in sorted(groups, key=sizes.__getitem__, reverse=True):
        min(shares, key=lambda share: sum(sizes[one] for one in share)).append(group)
    order = {group: number for number, group in enumerate(groups)}
    for share in shares:
        share.sort(key=order.__getitem__)
    shares.sort(key=lambda share: order[share[0]])
    return [tuple(community for group in share for community in group) for share in shares]


def _held(register: Register, community: str) -> set[tuple[str, str]]:
    """What its lessons may hold: the campuses of its units, with all their rooms, and every teacher who has a post
    at one of them, and so may supervise there, or is asked for by name."""
    units = {unit for one in register.communities if one.id == community for unit in one.units}
    found = {("campus", unit.campus) for unit in register.units if unit.id in units}
    found |= {("teacher", teacher.id) for teacher in register.teachers if not units.isdisjoint(teacher.posts)}
    for requirement in register.requirements:
        if requirement.community == community:
            found |= {("teacher", teacher) for party in requirement.parties for teacher in party.teachers}
    return found
