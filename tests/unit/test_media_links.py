"""Links to recordings: good for one person, one segment and some hours, and for nothing that anybody made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.auth.errors import NotPermitted
from server.media_links import LINK_SECONDS, MediaLinks
from tests.live_lessons import Clock

CLOCK = Clock(now=1_800_000_000.0)
LINKS = MediaLinks(b"s" * 32, CLOCK)


def token(session: str = "s1", segment: str = "0001", person: str = "p1") -> str:
    path, _, found = LINKS.address(session, segment, person).partition("?t=")
    assert path == f"/media/{session}/{segment}"
    return found


def refuses(links: MediaLinks, session: str, segment: str, person: str, given: str) -> bool:
    try:
        links.check(session, segment, person, given)
    except NotPermitted:
        return True
    return False


def test_a_link_is_good_for_what_it_names_and_nothing_else() -> None:
    given = token()
    assert not refuses(LINKS, "s1", "0001", "p1", given)
    assert refuses(LINKS, "s2", "0001", "p1", given)
    assert refuses(LINKS, "s1", "0002", "p1", given)
    assert refuses(LINKS, "s1", "0001", "p2", given)
    assert refuses(MediaLinks(b"t" * 32, CLOCK), "s1", "0001", "p1", given)


@pytest.mark.parametrize(("later", "refused"), [(0, False), (LINK_SECONDS, False), (LINK_SECONDS * 1.25 + 1, True)])
def test_a_link_ends(later: float, refused: bool) -> None:
    given = token()
    assert refuses(MediaLinks(b"s" * 32, Clock(now=CLOCK.now + later)), "s1", "0001", "p1", given) is refused


def test_a_link_stays_the_same_for_a_while() -> None:
    step = LINK_SECONDS / 4
    clock = Clock(now=CLOCK.now // step * step)
    links = MediaLinks(b"s" * 32, clock)
    first = links.address("s1", "0001", "p1")
    clock.now += step - 1
    assert links.address("s1", "0001", "p1") == first
    clock.now += 1
    assert links.address("s1", "0001", "p1") != first


@given(st.text(max_size=120) | st.binary(max_size=90).map(lambda raw: raw.hex()))
def test_nothing_made_up_is_a_link(given: str) -> None:
    assert refuses(LINKS, "s1", "0001", "p1", given)


@given(st.integers(0, 10_000), st.sampled_from("ABCxyz019-_"))
def test_no_sign_of_a_link_can_be_changed_to_reach_further(place: int, sign: str) -> None:
    given = token()
    at = place % len(given)
    changed = given[:at] + sign + given[at + 1 :]
    assert refuses(LINKS, "s1", "0001", "p2", changed)
    assert refuses(LINKS, "s2", "0001", "p1", changed)


@given(st.text("abcdefghij.-0123456789", min_size=1, max_size=40), st.text("0123456789", min_size=1, max_size=8))
def test_ids_cannot_run_into_each_other(session: str, segment: str) -> None:
    given = token(session, segment)
    assert not refuses(LINKS, session, segment, "p1", given)
    assert refuses(LINKS, session + segment[0], segment[1:], "p1", given)
