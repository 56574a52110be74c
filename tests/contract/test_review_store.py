"""Both databases keep reviews the same way, and the service works on either."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from sqlalchemy import text

from recordings.errors import InvalidEntry, NotYoursToShare, ReviewNotFound, VersionConflict
from recordings.ports import Summary, Viewing
from recordings.release import Standing
from recordings.review import PRIVATE, Author, Release, ReviewPart, ReviewState
from recordings.service import DUE_AFTER, VIEWING_INTERVAL, ReviewService
from server.storage.database import Database
from server.storage.migrate import migrate
from server.storage.review_store import SqlReviewStore

HOST = Author("zhang", "core", "host")
WEST = Author("li", "west", "member")
POINTS = {"goals": 9, "content": 14, "process": 9, "teacher": 18, "pupils": 30, "result": 9}


class Desk:
    """A service on a fresh database, with a clock that is set by hand and ids that count."""

    def __init__(self, database: Database) -> None:
        self.now = 1000.0
        numbers = count(1)
        self.store = SqlReviewStore(database)
        self.service = ReviewService(self.store, lambda: self.now, lambda: f"id{next(numbers)}")

    async def open(self, session: str = "s1", held_at: float = 900.0, member: str = "west") -> str:
        review = await self.service.open_for(
            session,
            title="古诗二首",
            subject="语文",
            held_at=held_at,
            duration=2400.0,
            parts=[
                ReviewPart("core", "host", True, ("zhang",)),
                ReviewPart(member, "member", True),
                ReviewPart("absent", "member", False),
            ],
        )
        return review.id


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


async def test_review_is_kept_with_everything_written_into_it(desk: Desk) -> None:
    id = await desk.open()
    await desk.service.comment(id, WEST, "看这里", at=12.5, label="提问")
    written = await desk.service.comment(id, HOST, "是的", reply_to="id2")
    await desk.service.score(id, WEST, POINTS)
    await desk.service.conclude(
        id, WEST, worked="好", change="多提问", follow_up="补课", owner="李老师", due="2026-12-01"
    )
    desk.now += 1
    last = await desk.service.conclude(id, HOST, worked="好", change="慢一点")
    found = await desk.service.get(id)
    assert found == last
    assert found.comments == written.comments
    assert [(score.total, score.band, score.rubric.version) for score in found.scores] == [(89, "band_2", 1)]
    assert (found.review.state, found.review.revision, found.review.due_at) == (
        ReviewState.BOTH_SIDES,
        3,
        1000.0 + DUE_AFTER,
    )
    closed = await desk.service.close(id, HOST, 3)
    assert await desk.service.get(id) == closed
    assert closed.review.state == ReviewState.CLOSED


async def test_review_of_a_session_is_opened_once(desk: Desk) -> None:
    ids = await asyncio.gather(*(desk.open() for _ in range(5)))
    assert len(set(ids)) == 1
    found = await desk.service.of_session("s1")
    assert found is not None
    assert found.id == ids[0]
    assert await desk.service.of_session("s2") is None


async def test_own_score_and_conclusion_are_replaced(desk: Desk) -> None:
    id = await desk.open()
    for goals in (5, 10):
        await desk.service.score(id, WEST, {**POINTS, "goals": goals})
    for worked in ("好", "更好"):
        await desk.service.conclude(id, WEST, worked=worked, change="慢")
    found = await desk.service.get(id)
    assert [score.points["goals"] for score in found.scores] == [10]
    assert [conclusion.worked for conclusion in found.conclusions] == ["更好"]


async def test_what_a_rule_refuses_changes_nothing(desk: Desk) -> None:
    id = await desk.open()
    before = await desk.service.get(id)
    with pytest.raises(InvalidEntry):
        await desk.service.comment(id, WEST, "")
    with pytest.raises(VersionConflict):
        await desk.service.close(id, HOST, 99)
    assert await desk.service.get(id) == before


async def test_writing_at_the_same_time_loses_nothing(desk: Desk) -> None:
    id = await desk.open()
    await asyncio.gather(
        *(desk.service.comment(id, WEST, f"第{number}条") for number in range(12)),
        *(desk.service.conclude(id, author, worked="好", change="慢") for author in (HOST, WEST)),
    )
    found = await desk.service.get(id)
    assert {comment.text for comment in found.comments} == {f"第{number}条" for number in range(12)}
    assert found.review.state == ReviewState.BOTH_SIDES
    assert found.review.revision == 3


async def test_only_one_of_two_closings_wins(desk: Desk) -> None:
    id = await desk.open()
    for author in (HOST, WEST):
        await desk.service.conclude(id, author, worked="好", change="慢")
    results = await asyncio.gather(
        *(desk.service.close(id, author, 3) for author in (HOST, WEST)), return_exceptions=True
    )
    assert sorted(isinstance(result, Exception) for result in results) == [False, True]


async def test_list_shows_the_reviews_of_the_units_newest_first(desk: Desk) -> None:
    old = await desk.open("s1", held_at=100.0)
    new = await desk.open("s2", held_at=200.0, member="east")
    await desk.service.comment(old, WEST, "好")
    await desk.service.conclude(old, WEST, worked="好", change="慢")
    everything = await desk.service.list()
    assert [summary.review.id for summary in everything] == [new, old]
    dossier = await desk.service.get(old)
    assert await desk.service.list(["west"]) == [Summary(dossier.review, 1, ("west",))]
    assert everything[1].missing == ("core",)
    assert [summary.review.id for summary in await desk.service.list(["east", "west"])] == [new, old]
    assert [summary.review.id for summary in await desk.service.list(["absent"])] == [new, old]
    assert await desk.service.list([]) == []


async def test_overdue_lists_what_is_late(desk: Desk) -> None:
    first = await desk.open("s1")
    desk.now += 10
    second = await desk.open("s2")
    assert await desk.service.overdue() == []
    desk.now += DUE_AFTER
    assert [summary.review.id for summary in await desk.service.overdue(["core"])] == [first]
    desk.now += 1
    assert [summary.review.id for summary in await desk.service.overdue()] == [first, second]


async def test_viewings_are_kept_once_in_a_while(desk: Desk) -> None:
    id = await desk.open()
    await desk.service.log_view("li", id)
    desk.now += 5
    await desk.service.log_view("li", id)
    await desk.service.log_view("zhang", id)
    desk.now += VIEWING_INTERVAL
    await desk.service.log_view("li", id)
    assert await desk.service.views(id) == [
        Viewing("li", 1005.0 + VIEWING_INTERVAL),
        Viewing("zhang", 1005.0),
        Viewing("li", 1000.0),
    ]


async def test_unknown_review_is_told(desk: Desk) -> None:
    with pytest.raises(ReviewNotFound):
        await desk.service.get("nothing")
    with pytest.raises(ReviewNotFound):
        await desk.service.comment("nothing", WEST, "好")
    with pytest.raises(ReviewNotFound):
        await desk.service.log_view("li", "nothing")


TEACHES, LEADS = Standing(person="zhang", teaches="hosts"), Standing(person="head", office="unit", leads=True)


async def test_releases_are_kept_in_order_and_the_last_one_holds(desk: Desk) -> None:
    id, other = await desk.open(), await desk.open("s2")
    assert await desk.service.release_of(id) == PRIVATE
    await desk.service.release(id, TEACHES, "units", ["b", "a"], ["a", "b"], expected=0)
    desk.now += 1
    last = await desk.service.release(id, LEADS, "teachers", ["a"], [], expected=1)
    assert await desk.service.get(id) == last
    assert last.releases == (
        Release(scope="units", invited=("a", "b"), by="zhang", at=1000.0),
        Release(scope="teachers", invited=("a",), by="head", at=1001.0),
    )
    assert await desk.service.release_of(id) == last.release
    await desk.service.release(other, TEACHES, "community", [], [], expected=0)
    assert {one.review.session: one.scope for one in await desk.service.list()} == {"s1": "teachers", "s2": "community"}
    with pytest.raises(NotYoursToShare):
        await desk.service.release(id, LEADS, "units", [], [], expected=2)
    with pytest.raises(ReviewNotFound):
        await desk.service.release("nothing", TEACHES, "units", [], [], expected=0)


async def test_of_two_releases_at_once_one_is_told_to_look_again(desk: Desk) -> None:
    id = await desk.open()
    results = await asyncio.gather(
        *(desk.service.release(id, TEACHES, scope, [], [], expected=0) for scope in ("units", "community")),
        return_exceptions=True,
    )
    assert sorted(isinstance(result, VersionConflict) for result in results) == [False, True]
    assert len((await desk.service.get(id)).releases) == 1


async def test_upgrade_keeps_a_recording_for_those_who_had_opened_it(desk: Desk, database: Database) -> None:
    seen, unseen = await desk.open("s1"), await desk.open("s2")
    for person in ("li", "wang", "li"):
        await desk.service.log_view(person, seen)
        desk.now += VIEWING_INTERVAL
    with database.engine.begin() as connection:
        for statement in (
            "DROP TABLE review_invited",
            "DROP TABLE review_release",
            "DELETE FROM schema_version WHERE number = 16",
        ):
            connection.execute(text(statement))
    assert "0016_releases" in await asyncio.to_thread(migrate, database.engine)
    assert await desk.service.release_of(unseen) == PRIVATE
    assert await desk.service.release_of(seen) == Release(scope="teachers", invited=("li", "wang"), by="", at=900.0)
    # the host goes on from there
    await desk.service.release(seen, TEACHES, "teachers", [], [], expected=1)
    assert (await desk.service.release_of(seen)).invited == ()
