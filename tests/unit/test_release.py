"""Who may watch a recording: the whole decision as a table, and who may change it."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.errors import InvalidEntry, NotYoursToShare, ReviewError, VersionConflict
from recordings.release import MOST_INVITED, WIDER, Office, Standing, Withheld, change, refusal, scopes_open_to
from recordings.review import PRIVATE, Dossier, Release, Review, ReviewPart, Scope
from server.auth.principal import Principal
from server.shapes.people import Grant, PersonRole
from server.watching import TaughtLesson, lesson_of, may_write, standing
from signaling.plan import SessionPlan, UnitPart
from signaling.room_state import LessonInfo

PLAN = SessionPlan(
    session="s",
    community="one",
    lesson=LessonInfo(
        id="l",
        title="光",
        subject="科学",
        kind="sync",
        rehearsal=False,
        expected=(),
        host_unit="core",
        host_teacher="甲",
        starts=0.0,
        ends=2400.0,
    ),
    parts=(
        UnitPart(unit="core", unit_name="核心", teachers=("t-host",)),
        UnitPart(unit="west", unit_name="西河", teachers=("t-west",)),
        UnitPart(unit="away", unit_name="东沟", teachers=("t-away",)),
    ),
)
HELD = Review(
    id="r",
    session="s",
    title="光",
    subject="科学",
    held_at=0.0,
    due_at=9.0,
    duration=2400.0,
    parts=(
        ReviewPart("core", "host", True, ("p-substitute",)),
        ReviewPart("west", "member", True),
        ReviewPart("away", "member", False),
    ),
    taught=("p-substitute", "p-helper"),
)
LESSON = lesson_of(PLAN, HELD, ("core", "west", "away", "fifth"))

WHO: dict[str, Principal] = {}


def somebody(
    name: str, role: PersonRole, *, unit: str | None = None, community: str | None = None, teacher: str | None = None
) -> None:
    grant = Grant(role=role, unit=unit, community=community)
    WHO[name] = Principal(kind="person", id=f"p-{name}", name=name, unit=unit, teacher=teacher, grants=(grant,))


somebody("host", "teacher", unit="core", teacher="t-host")
somebody("substitute", "academic_director", unit="core")
somebody("west", "teacher", unit="west", teacher="t-west")
somebody("helper", "teacher", unit="west")
somebody("away", "teacher", unit="away", teacher="t-away")
somebody("colleague", "teacher", unit="core")
somebody("head", "principal", unit="west")
somebody("fifth", "teacher", unit="fifth")
somebody("convenor", "convenor", community="one")
somebody("researcher", "researcher", community="one")
somebody("county", "researcher")
somebody("invited", "researcher", community="one")
somebody("other", "researcher", community="two")
somebody("stranger", "teacher", unit="elsewhere", teacher="t-else")
somebody("bureau", "bureau_admin")
somebody("viewer", "bureau_viewer")
WHO["panel"] = Principal(kind="room", id="west-remote1", name="录播室", unit="west")
WHO["nobody"] = Principal(kind="person", id="p-nobody", name="nobody", unit=None)

YES = None
PRIVATE_ROW, UNITS_ROW, COMMUNITY_ROW = (
    Release(scope=scope, invited=("p-invited", "p-other", "p-bureau")) for scope in get_args(Scope)
)
TABLE: dict[str, tuple[Withheld | None, Withheld | None, Withheld | None]] = {
    "host": (YES, YES, YES),
    "substitute": (YES, YES, YES),
    "west": (YES, YES, YES),
    "helper": (YES, YES, YES),
    # the assistant of a class that was not there was not recorded
    "away": ("not_shared", YES, YES),
    "colleague": ("not_shared", YES, YES),
    "head": ("not_shared", YES, YES),
    "fifth": ("not_shared", "units_only", YES),
    "convenor": ("not_shared", "units_only", YES),
    "researcher": ("not_shared", "units_only", YES),
    "county": ("not_shared", "units_only", YES),
    "invited": (YES, YES, YES),
    "other": ("not_involved", "not_involved", "not_involved"),
    "stranger": ("not_involved", "not_involved", "not_involved"),
    "bureau": ("facts_only", "facts_only", "facts_only"),
    "viewer": ("facts_only", "facts_only", "facts_only"),
    "panel": ("not_involved", "not_involved", "not_involved"),
    "nobody": ("not_involved", "not_involved", "not_involved"),
}


@pytest.mark.parametrize("name", WHO)
def test_who_may_watch(name: str) -> None:
    here = standing(WHO[name], LESSON)
    assert tuple(refusal(here, release) for release in (PRIVATE_ROW, UNITS_ROW, COMMUNITY_ROW)) == TABLE[name]


def test_before_its_review_a_session_is_for_those_who_are_in_it() -> None:
    lesson = lesson_of(PLAN, None, (), {"p-helper"})
    let_in = {name for name, asker in WHO.items() if refusal(standing(asker, lesson), PRIVATE) is None}
    assert let_in == {"host", "west", "helper", "away"}


def test_a_person_of_several_offices_has_the_nearest() -> None:
    both = Grant(role="bureau_viewer"), Grant(role="teacher", unit="core")
    asker = Principal(kind="person", id="p", name="p", unit=None, grants=both)
    assert standing(asker, LESSON).office == "unit"


def test_writing_needs_no_watching_but_an_office_in_the_lesson() -> None:
    writers = {name for name, asker in WHO.items() if may_write(asker, LESSON)}
    assert writers == set(WHO) - {"fifth", "other", "stranger", "bureau", "viewer", "panel", "nobody"}


DOSSIER = Dossier(HELD)


def test_who_may_share_and_who_may_take_back() -> None:
    shared = Release(scope="units")
    may = {name: scopes_open_to(standing(asker, LESSON), shared) for name, asker in WHO.items()}
    for name in ("host", "substitute"):
        assert may.pop(name) == ("teachers", "units", "community")
    for name in ("west", "helper", "head"):
        assert may.pop(name) == ("teachers", "units")
    assert set(may.values()) == {()}


def moved(
    dossier: Dossier, name: str, scope: Scope, invited: tuple[str, ...] = (), expected: int | None = None
) -> Dossier:
    asker = standing(WHO[name], LESSON)
    wanted = Release(scope=scope, invited=invited, by=asker.person, at=1.0)
    known = ["p-invited", *(f"p{number}" for number in range(30))]
    return change(dossier, asker, wanted, known, expected=len(dossier.releases) if expected is None else expected)


def test_every_change_is_kept_and_the_last_one_holds() -> None:
    shared = moved(DOSSIER, "host", "community", ("p-invited",))
    narrowed = moved(shared, "head", "teachers", ("p-invited",))
    assert [(made.scope, made.by) for made in narrowed.releases] == [
        ("community", "p-host"),
        ("teachers", "p-head"),
    ]
    assert narrowed.release.invited == ("p-invited",)
    assert DOSSIER.release == PRIVATE


def test_asking_for_what_holds_changes_nothing() -> None:
    assert moved(DOSSIER, "host", "teachers") is DOSSIER


@pytest.mark.parametrize(
    ("before", "name", "scope", "invited", "expected", "error"),
    [
        ("teachers", "west", "units", (), 0, NotYoursToShare),
        ("units", "west", "units", ("p-invited",), 1, NotYoursToShare),
        ("units", "colleague", "teachers", (), 1, NotYoursToShare),
        ("units", "bureau", "teachers", (), 1, NotYoursToShare),
        ("units", "host", "teachers", (), 0, VersionConflict),
        ("teachers", "host", "teachers", ("p-stranger",), 0, InvalidEntry),
        ("teachers", "host", "teachers", tuple(f"p{number}" for number in range(MOST_INVITED + 1)), 0, InvalidEntry),
    ],
)
def test_what_is_refused(
    before: Scope, name: str, scope: Scope, invited: tuple[str, ...], expected: int, error: type[ReviewError]
) -> None:
    dossier = DOSSIER if before == "teachers" else moved(DOSSIER, "host", before)
    with pytest.raises(error):
        moved(dossier, name, scope, invited, expected)


OFFICES: tuple[Office, ...] = get_args(Office)


@given(
    standings=st.builds(
        Standing,
        person=st.sampled_from(["a", "b"]),
        teaches=st.sampled_from(["no", "assists", "hosts"]),
        office=st.sampled_from(OFFICES),
        leads=st.booleans(),
    ),
    invited=st.sets(st.sampled_from(["a", "b"])),
)
def test_a_wider_scope_never_shuts_anybody_out(standings: Standing, invited: set[str]) -> None:
    seen = [refusal(standings, Release(scope=scope, invited=tuple(invited))) is None for scope in WIDER]
    assert seen == sorted(seen)
    for scope, office in product(WIDER, ("none", "facts")):
        outside = Standing(person=standings.person, office=office)  # type: ignore[arg-type]
        assert refusal(outside, Release(scope=scope, invited=tuple(invited))) is not None


def test_a_lesson_without_members_or_host_has_no_teachers_by_accident() -> None:
    empty = TaughtLesson(units=("core",), community="one", community_units=("core",))
    assert standing(WHO["nobody"], empty).teaches == "no"
