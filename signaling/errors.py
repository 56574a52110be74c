"""This module owns what can go wrong with a live session: a stable `code` each, and typed fields. It knows no HTTP."""

from __future__ import annotations


class SignalingError(Exception):
    """The base of every error of live sessions."""

    code = "signaling_error"


class Refusal(SignalingError):
    """A command that the room does not carry out. Each kind of refusal has its own code; `values` fill the sentence
    that the client shows."""

    code = "refused"

    def __init__(self, reason: str, **values: str | int | float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values


class SessionNotFound(SignalingError):
    code = "session_not_found"

    def __init__(self, session: str) -> None:
        super().__init__(f"there is no session {session}")
        self.session = session


class SessionNotOpen(SignalingError):
    """The rooms open a quarter of an hour before the lesson; `opens` is when, in unix seconds."""

    code = "session_not_open"

    def __init__(self, session: str, opens: float) -> None:
        super().__init__(f"session {session} is not open yet")
        self.session = session
        self.opens = opens


class SessionOver(SignalingError):
    code = "session_over"

    def __init__(self, session: str) -> None:
        super().__init__(f"session {session} has ended")
        self.session = session


class NotInLesson(SignalingError):
    """Neither the table nor a grant gives the asker this role in the lesson."""

    code = "not_in_lesson"

    def __init__(self, session: str, role: str) -> None:
        super().__init__(f"no {role} in session {session}")
        self.session = session
        self.role = role


class TokenMissing(SignalingError):
    """A program came without its Bearer token."""

    code = "token_missing"


class TokenInvalid(SignalingError):
    """A join token that this server did not sign, or that is meant for something else."""

    code = "token_invalid"


class TokenExpired(SignalingError):
    code = "token_expired"


class TokenUsed(SignalingError):
    """The token has already let another device in."""

    code = "token_used"


class Draining(SignalingError):
    """This process is about to stop and takes nobody in any more."""

    code = "draining"
