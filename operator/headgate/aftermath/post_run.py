"""A hook that is a post to a webhook: done when the receiver says so."""

from collections.abc import Callable

from headgate.aftermath.letter import letter
from headgate.aftermath.posting import Poster
from headgate.aftermath.tries import FailedTry, HookFailed
from headgate.engine.hooks import DueHook


class PostRun:
    """One hook's post."""

    def __init__(self, hook: DueHook, poster: Poster, may_post: Callable[[], bool]) -> None:
        """``may_post`` is asked just before each try: whether this replica is still the one that acts."""
        self._hook = hook
        self._poster = poster
        self._may_post = may_post

    @property
    def what(self) -> str:
        """The webhook."""
        return f"webhook {self._hook.webhook!r}"

    async def begin(self) -> None:
        """Posts once. Raises FailedTry."""
        if not self._may_post():
            raise FailedTry(f"{self.what} was not called: this replica is not known to hold the Lease any more")
        try:
            await self._poster.post(letter(self._hook), {"Idempotency-Key": self._hook.key})
        except FailedTry as error:
            raise FailedTry(f"{self.what} {error}", error.retry_after) from error

    async def find(self) -> None:
        """Raises HookFailed: of what was posted before nothing is to be found. It is not posted that late."""
        raise HookFailed(f"{self.what} was not heard to take it, and its time was over")

    async def outcome(self) -> str:
        """What came of it."""
        return f"{self.what} took it"
