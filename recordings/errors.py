"""This module owns the errors of recordings and reviews: a stable `code` each, and typed fields. It knows no HTTP."""

from __future__ import annotations


class RecordingsError(Exception):
    """The base of every error this package raises on purpose."""

    code = "recordings_error"


class JournalLocked(RecordingsError):
    """Another process has this journal open for writing."""

    code = "journal_locked"

    def __init__(self, path: str) -> None:
        super().__init__(f"journal {path} is open for writing elsewhere")
        self.path = path


class JournalUnwritable(RecordingsError):
    """The operating system refused a write (disk full, input/output error); the journal is as it was before."""

    code = "journal_unwritable"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"journal {path} cannot be written: {reason}")
        self.path = path
        self.reason = reason


class MalformedPayload(RecordingsError):
    """An RTP payload that is not what its payload format allows."""

    code = "malformed_payload"


class SegmentUnwritable(RecordingsError):
    """A segment's file cannot be opened or written; what was written before stays playable."""

    code = "segment_unwritable"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"segment {path} cannot be written: {reason}")
        self.path = path
        self.reason = reason


class NotARecording(RecordingsError):
    """A file without a readable initialization segment: nothing in it can be played."""

    code = "not_a_recording"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} is not a recording: {reason}")
        self.path = path
        self.reason = reason


class UnknownParticipant(RecordingsError):
    """A tap was asked for somebody whose recording was never started."""

    code = "unknown_participant"

    def __init__(self, participant: str) -> None:
        super().__init__(f"no recording was started for participant {participant}")
        self.participant = participant


class ReviewError(RecordingsError):
    """The base of the errors of a review."""

    code = "review_error"


class ReviewNotFound(ReviewError):
    code = "review_not_found"

    def __init__(self, review_id: str) -> None:
        super().__init__(f"there is no review {review_id}")
        self.review_id = review_id


class VersionConflict(ReviewError):
    """Somebody else changed the review since it was read."""

    code = "version_conflict"

    def __init__(self, review_id: str, expected: int, found: int) -> None:
        super().__init__(f"review {review_id} is at version {found}, not {expected}")
        self.review_id = review_id
        self.expected = expected
        self.found = found


class NotYoursToShare(ReviewError):
    """The host shares a recording; its other teachers and the leaders of the units that took part take it back."""

    code = "not_yours_to_share"

    def __init__(self, review_id: str, person: str) -> None:
        super().__init__(f"{person} may not share the recording of review {review_id} like this")
        self.review_id = review_id
        self.person = person


class RecordingWithheld(ReviewError):
    """Somebody may see the review, not what was recorded; `reason` says why, as `recordings.release.Withheld`."""

    code = "recording_withheld"

    def __init__(self, review_id: str, reason: str) -> None:
        super().__init__(f"the recording of review {review_id}: {reason}")
        self.review_id = review_id
        self.reason = reason


class ReviewClosed(ReviewError):
    """Closed reviews are read-only."""

    code = "review_closed"

    def __init__(self, review_id: str) -> None:
        super().__init__(f"review {review_id} is closed")
        self.review_id = review_id


class ConclusionsMissing(ReviewError):
    """A review closes only when the host and one teacher of every unit that attended have written."""

    code = "conclusions_missing"

    def __init__(self, review_id: str, missing: tuple[str, ...]) -> None:
        super().__init__(f"review {review_id} still waits for {', '.join(missing)}")
        self.review_id = review_id
        self.missing = missing


class NotInvolved(ReviewError):
    """Only the host and the teachers of units that attended conclude a review."""

    code = "not_involved"

    def __init__(self, review_id: str, person: str) -> None:
        super().__init__(f"{person} did not take part in the lesson of review {review_id}")
        self.review_id = review_id
        self.person = person


class InvalidEntry(ReviewError):
    """Something written into a review breaks a rule; `field` names what, `reason` is a stable word."""

    code = "invalid_entry"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
