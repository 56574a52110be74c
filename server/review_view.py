"""What the review page shows: the timeline with its recordings, and everything written so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from recordings.ports import Viewing
from recordings.release import Standing, Withheld, scopes_open_to
from recordings.review import Author, Dossier, Review, ReviewPart, ReviewState, Scope
from recordings.rubric import Rubric
from recordings.segment_index import FragmentIndex
from recordings.timeline import Timeline, TimelineSegment, View
from recordings.withdrawal import Hidden, word_of_comment, word_of_conclusion
from server.auth.principal import Principal
from server.county import County
from server.shapes.review import (
    Chapter,
    CommentView,
    ConclusionView,
    Criterion,
    Fragment,
    ReleaseRow,
    ReleaseView,
    ReviewRow,
    ReviewView,
    RubricView,
    ScoreView,
    SegmentView,
    Side,
    TimelineMark,
    ViewingRow,
    ViewTrack,
    WatcherRow,
)
from server.storage.people_store import Person

May = Literal["comment", "score", "conclude", "close"]


class Recorded(Struct, frozen=True):
    """What was recorded of a session: its timeline, and the index of every file that can be played."""

    timeline: Timeline
    indexes: dict[str, FragmentIndex]
    deleted_at: float | None = None


def author_of(asker: Principal, review: Review) -> Author:
    """In whose name the asker writes: the host's unit, a member's, or as a researcher."""
    part = part_of(asker, review)
    if part is None:
        return Author(asker.id, asker.unit or "", "researcher")
    return Author(asker.id, part.unit, part.side)


def part_of(asker: Principal, review: Review) -> ReviewPart | None:
    """The asker's side of the lesson: the home unit's, for a teacher with several posts also another one's."""
    units = [asker.unit, *(grant.unit for grant in asker.grants)]
    return next((part for unit in units if unit is not None and (part := review.part(unit)) is not None), None)


def review_row(review: Review, comments: int, written: Sequence[str], scope: Scope, now: float) -> ReviewRow:
    return ReviewRow(
        id=review.id,
        session=review.session,
        title=review.title,
        subject=review.subject,
        held_at=review.held_at,
        due_at=review.due_at,
        state=review.state.value,
        overdue=review.overdue(now),
        rehearsal=review.rehearsal,
        units=tuple(part.unit for part in review.parts),
        comments=comments,
        written=tuple(written),
        missing=tuple(unit for unit in review.required if unit not in written),
        scope=scope,
    )


def review_view(
    dossier: Dossier,
    recorded: Recorded,
    *,
    rubric: Rubric,
    viewings: Sequence[Viewing],
    people: Mapping[str, Person],
    county: County,
    asker: Principal,
    standing: Standing,
    withheld: Withheld | None,
    hidden: Hidden,
    writes: bool,
    researchers: Sequence[Person],
    address: Callable[[str], str],
    kept_until: float | None,
    now: float,
) -> ReviewView:
    """`address` gives the link of a segment; where the recording is `withheld` the asker sees facts and no pictures;
    what is `hidden` nobody sees; in the dossier it is gone already."""
    review, timeline = dossier.review, recorded.timeline
    part = part_of(asker, review)
    talk = {lane.participant: lane.spans for lane in timeline.talk}
    return ReviewView(
        row=review_row(review, len(dossier.comments), dossier.written, dossier.release.scope, now),
        unit_names={one.unit: county.unit_name(one.unit) for one in review.parts},
        revision=review.revision,
        duration=max(timeline.duration, review.duration),
        recording=timeline.live,
        deleted_at=recorded.deleted_at,
        kept_until=kept_until,
        views=tuple(
            _track(view, recorded.indexes, talk.get(view.participant, ()), None if withheld else address, hidden)
            for view in timeline.views
        ),
        chapters=tuple(Chapter(code=c.code, title=c.title, start=c.start, end=c.end) for c in timeline.chapters),
        marks=tuple(
            TimelineMark(
                at=mark.at,
                until=mark.until,
                side=mark.side,
                kind=mark.kind,
                participant=mark.participant,
                label="" if mark.word in hidden.words else mark.label,
                hidden=mark.word in hidden.words,
            )
            for mark in timeline.marks
        ),
        comments=tuple(
            CommentView(
                id=comment.id,
                at=comment.at,
                author=comment.author.person,
                author_name=_name(people, comment.author.person),
                unit=comment.author.unit,
                unit_name=county.unit_name(comment.author.unit),
                side=_side(comment.author),
                text=comment.text,
                label=comment.label,
                reply_to=comment.reply_to,
                written_at=comment.written_at,
                hidden=word_of_comment(comment) in hidden.words,
            )
            for comment in dossier.comments
        ),
        rubric=RubricView(
            id=rubric.id,
            version=rubric.version,
            criteria=tuple(
                Criterion(id=c.id, points=c.points, title_zh=c.title_zh, title_en=c.title_en) for c in rubric.criteria
            ),
        ),
        scores=tuple(
            ScoreView(
                author=score.author.person,
                author_name=_name(people, score.author.person),
                side=_side(score.author),
                group=score.author.group,
                points=score.points,
                total=score.total,
                band=score.band,
                rubric_version=score.rubric.version,
            )
            for score in dossier.scores
        ),
        conclusions=tuple(
            ConclusionView(
                author=conclusion.author.person,
                author_name=_name(people, conclusion.author.person),
                unit=conclusion.author.unit,
                unit_name=county.unit_name(conclusion.author.unit),
                side=_side(conclusion.author),
                worked=conclusion.worked,
                change=conclusion.change,
                follow_up=conclusion.follow_up,
                owner=conclusion.owner,
                due=conclusion.due,
                written_at=conclusion.written_at,
                hidden=word_of_conclusion(conclusion) in hidden.words,
            )
            for conclusion in dossier.conclusions
        ),
        my_side=part.side if part else None,
        may=_may(dossier, asker, writes=writes),
        viewings=tuple(
            ViewingRow(
                person=viewing.person,
                name=_name(people, viewing.person),
                unit_name=county.unit_name(people[viewing.person].unit) if viewing.person in people else "",
                at=viewing.at,
            )
            for viewing in viewings
        ),
        watching=withheld or "yes",
        hidden_units=tuple(sorted(hidden.units)),
        hidden_words=tuple(sorted(hidden.words)),
        release=_release(dossier, standing, researchers, people, county),
    )


def _release(
    dossier: Dossier,
    standing: Standing,
    researchers: Sequence[Person],
    people: Mapping[str, Person],
    county: County,
) -> ReleaseView:
    def named(person: str) -> WatcherRow:
        unit = people[person].unit if person in people else None
        return WatcherRow(person=person, name=_name(people, person), unit_name=county.unit_name(unit) if unit else "")

    return ReleaseView(
        revision=len(dossier.releases),
        scope=dossier.release.scope,
        invited=tuple(named(person) for person in dossier.release.invited),
        may=scopes_open_to(standing, dossier.release),
        invitable=tuple(named(one.id) for one in researchers) if standing.teaches == "hosts" else (),
        history=tuple(
            ReleaseRow(
                at=made.at,
                name=_name(people, made.by),
                scope=made.scope,
                invited=tuple(_name(people, person) for person in made.invited),
            )
            for made in reversed(dossier.releases)
        ),
    )


def _may(dossier: Dossier, asker: Principal, *, writes: bool) -> tuple[May, ...]:
    review = dossier.review
    if review.state is ReviewState.CLOSED or not writes:
        return ()
    part = part_of(asker, review)
    concludes = part is not None and part.attended and (not part.teachers or asker.id in part.teachers)
    choices: dict[May, bool] = {
        "comment": True,
        "score": True,
        "conclude": concludes,
        "close": part is not None and review.state is ReviewState.BOTH_SIDES,
    }
    return tuple(action for action, possible in choices.items() if possible)


def _track(
    view: View,
    indexes: Mapping[str, FragmentIndex],
    talk: tuple[tuple[float, float], ...],
    address: Callable[[str], str] | None,
    hidden: Hidden,
) -> ViewTrack:
    segments: tuple[SegmentView, ...] = ()
    withdrawn = view.unit in hidden.units
    consent = view.consent and not withdrawn
    if address is not None and consent:
        segments = tuple(
            _segment(segment, indexes[segment.id], address(segment.id))
            for segment in view.segments
            if segment.id in indexes and indexes[segment.id].fragments
        )
    return ViewTrack(
        participant=view.participant,
        source=view.source,
        side=view.side,
        unit=view.unit,
        unit_name=view.unit_name,
        name=view.name,
        class_name=view.class_name,
        segments=segments,
        gaps=view.gaps,
        consent=consent,
        withdrawn=view.consent and withdrawn,
        talk=talk if consent else (),
    )


def _segment(segment: TimelineSegment, found: FragmentIndex, url: str) -> SegmentView:
    return SegmentView(
        id=segment.id,
        start=segment.start,
        duration=segment.duration,
        url=url,
        mime=found.mime,
        init_offset=found.init.offset,
        init_size=found.init.size,
        fragments=tuple(
            Fragment(time=f.time, duration=f.duration, offset=f.offset, size=f.size, keyframe=f.keyframe)
            for f in found.fragments
        ),
        has_video=segment.video,
        has_audio=segment.audio,
    )


def _side(author: Author) -> Side:
    return "host" if author.group == "host" else "member"


def _name(people: Mapping[str, Person], person: str) -> str:
    return people[person].name if person in people else person
