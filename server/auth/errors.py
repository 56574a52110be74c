"""What can go wrong with sign-in, permission and pairing. `code` is stable; the client translates it."""


class AuthError(Exception):
    """Base of every error of this package."""

    code = "auth_error"


class NotSignedIn(AuthError):
    code = "not_signed_in"


class WrongPassword(AuthError):
    """Login and password do not fit together; which of them is wrong is nobody's business."""

    code = "wrong_password"


class TooManyAttempts(AuthError):
    """`retry_after` is in seconds."""

    code = "too_many_attempts"

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"retry after {retry_after:.0f} s")
        self.retry_after = retry_after


class NotPermitted(AuthError):
    code = "not_permitted"

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class ForeignRequest(AuthError):
    """A request that changes something came from another site, or without the client's own header."""

    code = "foreign_request"


class PairingCodeWrong(AuthError):
    """No such code is waiting: mistyped, used or too old."""

    code = "pairing_code_wrong"
