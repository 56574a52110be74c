"""This module owns which communities share teachers or rooms, and so have to be built around each other."""

from __future__ import annotations

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
