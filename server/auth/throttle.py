"""How often somebody may try: a bucket of attempts for each key, which fills again with time."""

from collections.abc import Callable

from server.auth.errors import TooManyAttempts

MAX_KEYS = 10_000


class Throttle:
    """`burst` attempts at once, then one more every `seconds`. Holds at most MAX_KEYS keys: the oldest is forgotten,
    so that a flood of names cannot fill the memory."""

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._spent: dict[str, tuple[float, float]] = {}

    def spend(self, key: str) -> None:
        """Take one attempt of `key`, or raise TooManyAttempts."""
        now = self._clock()
        spent, since = self._spent.pop(key, (0.0, now))
        spent = max(0.0, spent - (now - since) / self._seconds)
        if spent > self._burst - 1:
            self._spent[key] = (spent, now)
            raise TooManyAttempts((spent - self._burst + 1) * self._seconds)
        self._spent[key] = (spent + 1, now)
        if len(self._spent) > MAX_KEYS:
            del self._spent[next(iter(self._spent))]

    def forgive(self, key: str) -> None:
        """Forget the attempts of `key`: the last one was right."""
        self._spent.pop(key, None)
