"""This module owns how a requirement and its lessons are called for people: by subject, schools and classes; what has
no class by what it is, whose and about what."""

from collections.abc import Iterable, Mapping

from timetable.model import Lesson, Register, Requirement

KIND_WORDS: Mapping[str, str] = {
    "local": "本校课",
    "sync": "同步课堂",
    "dedicated": "专递课堂",
    "joint_preparation": "集体备课",
    "joint_meeting": "联席会议",
    "common_test": "学业测试",
    "research": "教研",
}


def short_title(one: Requirement | Lesson, classes: Iterable[str], host: str) -> str:
    """科学 五(2)班 of the names of its classes; without any 集体备课 语文 西河 古诗单元, `host` being who holds it."""
    named = "、".join(classes)
    if named:
        return f"{one.subject} {named}"
    kind = KIND_WORDS[one.kind]
    words = dict.fromkeys((kind, one.subject, host))
    if one.topic != f"{one.subject}{kind}":
        words[one.topic] = None
    return " ".join(word for word in words if word)


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
    """科学 西河 五(2)班、固隆 五(1)班; without classes 集体备课 语文 西河、固隆 古诗单元."""
    parties = parties_named(register, requirement)
    taught = any(party.classes for party in requirement.parties)
    return short_title(requirement, (parties,) if taught else (), parties)
