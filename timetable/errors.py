"""What can go wrong with a timetable, without a word about HTTP. `code` is stable; the client translates it."""

from collections.abc import Sequence

from timetable.model import Finding


class TimetableError(Exception):
    """Base of every error that this package raises on purpose."""

    code = "timetable_error"


class InputRefused(TimetableError):
    """An input has findings of severity `error`; nothing of it was taken."""

    code = "input_refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{len(findings)} finding(s)")
        self.findings = tuple(findings)


class NotFound(TimetableError):
    code = "not_found"

    def __init__(self, noun: str, id: str) -> None:
        super().__init__(f"no {noun} {id!r}")
        self.noun, self.id = noun, id


class StaleVersion(TimetableError):
    """Somebody else changed it first: `current` is the version that stands now."""

    code = "stale_version"

    def __init__(self, expected: int, current: int) -> None:
        super().__init__(f"expected version {expected}, it is {current}")
        self.expected, self.current = expected, current


class NotAllowedNow(TimetableError):
    """The state machine has no such step from the present state."""

    code = "not_allowed_now"

    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"{event!r} is not possible in state {state!r}")
        self.state, self.event = state, event


class BuildFailed(TimetableError):
    """No table was found: `status` is `infeasible` or `unknown`, with what is known about why."""

    code = "build_failed"

    def __init__(self, status: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(status)
        self.status, self.findings = status, tuple(findings)
