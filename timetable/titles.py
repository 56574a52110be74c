"""This module owns how a requirement is called for people: by its subject, its schools and their classes."""

from timetable.model import Register, Requirement


def parties_named(register: Register, requirement: Requirement) -> str:
    """The schools with their classes, the host first: 西河 五(2)班、固隆 五(1)班."""
    schools = {unit.id: unit.short_name for unit in register.units}
    classes = {known.id: known.name for known in register.classes}
    names = (
        f"{schools.get(party.unit, party.unit)} {'、'.join(classes.get(id, id) for id in party.classes)}".strip()
        for party in requirement.parties
    )
    return "、".join(names)


def requirement_title(register: Register, requirement: Requirement) -> str:
    """科学 西河 五(2)班、固隆 五(1)班."""
    return f"{requirement.subject} {parties_named(register, requirement)}".strip()
