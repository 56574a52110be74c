"""This module owns the use of reviews: opening them when a lesson ends, and writing into them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from recordings import release as releasing
from recordings import review as rules
from recordings.errors import ReviewNotFound
from recordings.ports import ReviewStore, Summary, Viewing
from recordings.release import Standing
from recordings.review import Author, Comment, Conclusion, Dossier, Release, Review, ReviewPart, Scope
from recordings.rubric import DEFAULT_RUBRIC, Rubric

DUE_AFTER = 7 * 86_400.0
"""Seconds from a lesson's end until both sides should have written."""

VIEWING_INTERVAL = 600.0
"""Seconds within which opening a review again is the same viewing."""


class ReviewService:
    """The reviews of this server. `clock` gives Unix seconds, `new_id` a fresh unguessable id."""

    def __init__(
        self,
        store: ReviewStore,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        rubric: Rubric = DEFAULT_RUBRIC,
        due_after: float = DUE_AFTER,
    ) -> None:
        self.rubric = rubric
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._due_after = due_after

    async def open_for(
        self,
        session: str,
        *,
        title: str,
        subject: str,
        held_at: float,
        duration: float,
        parts: Sequence[ReviewPart],
        rehearsal: bool = False,
        taught: Sequence[str] = (),
    ) -> Review:
        """Open the review of a session that has ended; asked again, return the one there is. The host's part first."""
        return await self._store.add(
            Review(
                id=self._new_id(),
                session=session,
                title=title,
                subject=subject,
                held_at=held_at,
                due_at=self._clock() + self._due_after,
                duration=duration,
                parts=tuple(parts),
                rehearsal=rehearsal,
                taught=tuple(taught),
            )
        )

    async def get(self, review_id: str) -> Dossier:
        """Raises ReviewNotFound."""
        found = await self._store.get(review_id)
        if found is None:
            raise ReviewNotFound(review_id)
        return found

    async def of_session(self, session: str) -> Review | None:
        """The review of a session, once it has one."""
        return await self._store.of_session(session)

    async def list(self, units: Collection[str] | None = None) -> Sequence[Summary]:
        """The reviews these units have a part in (all, without units), the newest lesson first."""
        return await self._store.summaries(units)

    async def overdue(self, units: Collection[str] | None = None) -> Sequence[Summary]:
        """Those of `list` whose due date has passed before they were closed, the longest overdue first."""
        now = self._clock()
        late = [summary for summary in await self._store.summaries(units) if summary.review.overdue(now)]
        return sorted(late, key=lambda summary: summary.review.due_at)

    async def comment(
        self,
        review_id: str,
        author: Author,
        text: str,
        *,
        at: float | None = None,
        label: str = "",
        reply_to: str | None = None,
    ) -> Dossier:
        """Raises ReviewNotFound, ReviewClosed, InvalidEntry."""
        new = Comment(
            id=self._new_id(),
            author=author,
            at=at,
            text=text,
            label=label,
            reply_to=reply_to,
            written_at=self._clock(),
        )
        return await self._store.change(review_id, lambda dossier: rules.comment(dossier, new))

    async def score(self, review_id: str, author: Author, points: Mapping[str, int]) -> Dossier:
        """Raises ReviewNotFound, ReviewClosed, InvalidEntry."""
        now = self._clock()
        return await self._store.change(
            review_id, lambda dossier: rules.score(dossier, author, points, self.rubric, now)
        )

    async def conclude(
        self,
        review_id: str,
        author: Author,
        *,
        worked: str,
        change: str,
        follow_up: str = "",
        owner: str = "",
        due: str = "",
    ) -> Dossier:
        """Raises ReviewNotFound, ReviewClosed, NotInvolved, InvalidEntry."""
        new = Conclusion(
            author=author,
            worked=worked,
            change=change,
            follow_up=follow_up,
            owner=owner,
            due=due,
            written_at=self._clock(),
        )
        return await self._store.change(review_id, lambda dossier: rules.conclude(dossier, new))

    async def close(self, review_id: str, author: Author, revision: int) -> Dossier:
        """Close the review as its reader saw it.

        Raises ReviewNotFound, ReviewClosed, VersionConflict, NotInvolved, ConclusionsMissing.
        """
        now = self._clock()
        return await self._store.change(review_id, lambda dossier: rules.close(dossier, author, revision, now))

    async def release(
        self,
        review_id: str,
        standing: Standing,
        scope: Scope,
        invited: Sequence[str],
        invitable: Sequence[str],
        *,
        expected: int,
    ) -> Dossier:
        """Share the recording or take it back, as `recordings.release.change` allows.

        Raises ReviewNotFound, NotYoursToShare, VersionConflict, InvalidEntry.
        """
        wanted = Release(scope=scope, invited=tuple(invited), by=standing.person, at=self._clock())
        return await self._store.change(
            review_id, lambda dossier: releasing.change(dossier, standing, wanted, invitable, expected=expected)
        )

    async def release_of(self, review_id: str) -> Release:
        """With whom the recording is shared now."""
        return await self._store.release_of(review_id)

    async def log_view(self, person: str, review_id: str) -> None:
        """Write down that somebody watches, once in VIEWING_INTERVAL. Raises ReviewNotFound."""
        now = self._clock()
        for known in await self._store.viewings(review_id):
            if known.person == person and now - known.at < VIEWING_INTERVAL:
                return
        await self._store.add_viewing(review_id, Viewing(person, now))

    async def views(self, review_id: str) -> Sequence[Viewing]:
        """Everybody who watched, the latest first: the recorded teachers can see it."""
        return await self._store.viewings(review_id)
