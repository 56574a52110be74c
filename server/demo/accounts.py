"""The demo county's people: an account for each role and unit, and one for each teacher of the demo lesson."""

from server.county import County
from server.shapes.people import Grant
from server.storage.people_store import Person
from timetable.model import Community, Lesson, SchoolUnit


def accounts(county: County, lesson: Lesson, password_hash: str) -> list[Person]:
    """All with the same password: its hash is computed once, argon2 is slow on purpose."""
    register = county.register
    people = [
        _person("bureau.admin", "教育局管理员", None, Grant(role="bureau_admin"), password_hash),
        _person("bureau.viewer", "教育局督导", None, Grant(role="bureau_viewer"), password_hash),
    ]
    for community in register.communities:
        people += _community_people(community, password_hash)
        for unit in county.units_of(community):
            people += _unit_people(county, unit, password_hash)
    known = {person.teacher for person in people}
    for party in lesson.parties:
        for id in party.teachers:
            if id not in known:
                people.append(_teacher(county, id, party.unit, password_hash))
    return people


def login_of_teacher(id: str) -> str:
    return id


def _community_people(community: Community, password_hash: str) -> list[Person]:
    here = f"c{community.number}"
    return [
        _person(
            f"{here}.convenor",
            f"召集人{community.number:02d}",
            community.core,
            Grant(role="convenor", community=community.id),
            password_hash,
        ),
        _person(
            f"{here}.researcher",
            f"教研员{community.number:02d}",
            None,
            Grant(role="researcher", community=community.id),
            password_hash,
        ),
    ]


def _unit_people(county: County, unit: SchoolUnit, password_hash: str) -> list[Person]:
    principal = Grant(role="principal", unit=unit.id)
    director = Grant(role="academic_director", unit=unit.id)
    people = [
        _person(f"{unit.id}.principal", f"{unit.short_name}校长", unit.id, principal, password_hash),
        _person(f"{unit.id}.director", f"{unit.short_name}教务主任", unit.id, director, password_hash),
    ]
    own = next((t for t in county.register.teachers if t.posts[0] == unit.id), None)
    if own is not None:
        people.append(_teacher(county, own.id, unit.id, password_hash))
    return people


def _teacher(county: County, id: str, unit: str, password_hash: str) -> Person:
    teacher = county.teacher(id)
    return Person(
        id=f"person.{id}",
        login=login_of_teacher(id),
        name=teacher.name,
        unit=unit,
        teacher=id,
        password_hash=password_hash,
        grants=tuple(Grant(role="teacher", unit=post) for post in teacher.posts),
        demo=True,
    )


def _person(login: str, name: str, unit: str | None, grant: Grant, password_hash: str) -> Person:
    return Person(
        id=f"person.{login}",
        login=login,
        name=name,
        unit=unit,
        teacher=None,
        password_hash=password_hash,
        grants=(grant,),
        demo=True,
    )
