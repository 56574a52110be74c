"""Who may be what in a lesson, and what a join token holds."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from server.auth.principal import Principal
from server.shapes.people import Grant
from signaling.errors import TokenExpired, TokenInvalid
from signaling.events import Joined
from signaling.invitations import arrival_of, claims_for, encoder_claims
from signaling.roles import MAY, is_peer, roles_for
from signaling.rules import DURING
from signaling.tokens import Claims, sign, verify
from signaling.wire import Command, Role
from tests.live_lessons import COMMUNITY, HOST_UNIT, MEMBERS, classroom, plan, researcher, teacher

SECRET = b"k" * 32


def person(role: str, unit: str | None = None, community: str | None = None) -> Principal:
    grant = Grant(role=role, unit=unit, community=community)  # type: ignore[arg-type]
    return Principal(kind="person", id=f"p-{role}", name=role, unit=unit, grants=(grant,))


@pytest.mark.parametrize(
    ("asker", "roles"),
    [
        (teacher(HOST_UNIT), ("host", "observer")),
        (teacher(HOST_UNIT, "t-other"), ()),
        (teacher(MEMBERS[0]), ("assistant", "observer")),
        (teacher(MEMBERS[0], "t-other"), ("assistant",)),
        (teacher("elsewhere"), ()),
        (classroom(MEMBERS[1]), ("endpoint",)),
        (classroom(HOST_UNIT), ()),
        (classroom("elsewhere"), ()),
        (researcher(), ("observer",)),
        (person("academic_director", unit=HOST_UNIT), ("observer", "host")),
        (person("academic_director", unit=MEMBERS[0]), ("observer", "assistant")),
        (person("convenor", community=COMMUNITY), ("observer", "host")),
        (person("convenor", community="c2"), ()),
        (person("principal", unit=MEMBERS[2]), ("observer",)),
        (person("bureau_viewer"), ("patrol",)),
        (person("bureau_admin"), ("patrol",)),
    ],
)
def test_roles_follow_from_the_lesson_and_the_grants(asker: Principal, roles: tuple[Role, ...]) -> None:
    assert roles_for(asker, plan()) == roles


def test_others_watch_as_the_hosts_guests_only() -> None:
    peers = {HOST_UNIT: ("observer",), MEMBERS[0]: ("assistant", "observer"), "elsewhere": ("observer",)}
    for unit, roles in peers.items():
        asker = teacher(unit, "t-other")
        assert roles_for(asker, plan(), guest=True) == roles
        assert is_peer(asker, plan()) == (unit != "elsewhere")
    assert roles_for(classroom("elsewhere"), plan(), guest=True) == ()
    assert not is_peer(researcher(), plan())
    assert not is_peer(classroom(HOST_UNIT), plan())


def test_every_role_and_every_command_has_its_row() -> None:
    assert set(MAY) == set(get_args(Role))
    assert set(DURING) == set(Command.__subclasses__())
    assert {command for allowed in MAY.values() for command in allowed} == set(DURING)


def claims(asker: Principal, role: Role) -> Claims:
    return claims_for(asker, plan(), role, aud="live", exp=100.0, jti="j")


def test_classroom_comes_in_under_the_id_of_its_room() -> None:
    assert arrival_of(claims(classroom(MEMBERS[0]), "endpoint")) == Joined(
        participant="room-yanli",
        role="endpoint",
        unit="yanli",
        unit_name="yanli学校",
        name="yanli远程教室",
        class_name="yanli三（1）班",
        room="room-yanli",
        phone="0356-0000000",
    )


def test_assistant_stands_in_the_classroom_of_its_unit() -> None:
    joined = arrival_of(claims(teacher(MEMBERS[1]), "assistant"))
    assert (joined.participant, joined.unit, joined.room, joined.hidden) == (
        "assistant.p-t-gulong",
        "gulong",
        "room-gulong",
        False,
    )


def test_observer_is_hidden_and_belongs_to_no_room() -> None:
    joined = arrival_of(claims(researcher(), "observer"))
    assert (joined.hidden, joined.room, joined.unit) == (True, "", "")


def test_token_carries_its_claims() -> None:
    held = claims(teacher(HOST_UNIT), "host")
    assert verify(sign(held, SECRET), SECRET, "live", now=99.0) == held


def test_token_expires() -> None:
    with pytest.raises(TokenExpired):
        verify(sign(claims(teacher(HOST_UNIT), "host"), SECRET), SECRET, "live", now=100.1)


def test_token_is_good_for_its_audience_and_secret_only() -> None:
    token = sign(encoder_claims(plan(), exp=100.0, jti="j"), SECRET)
    with pytest.raises(TokenInvalid):
        verify(token, SECRET, "live", now=0.0)
    with pytest.raises(TokenInvalid):
        verify(token, b"x" * 32, "rtc", now=0.0)


def test_token_with_another_role_is_not_signed_here() -> None:
    held = claims(researcher(), "observer")
    _, _, mac = sign(held, SECRET).partition(".")
    body, _, _ = sign(replace(held, role="host"), b"x" * 32).partition(".")
    with pytest.raises(TokenInvalid):
        verify(f"{body}.{mac}", SECRET, "live", now=0.0)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,50}", fullmatch=True))
def test_any_other_text_is_no_token(text: str) -> None:
    with pytest.raises(TokenInvalid):
        verify(text, SECRET, "live", now=0.0)
