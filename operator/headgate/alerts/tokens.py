"""Who posts: bearer tokens in files, each bound to namespaces. Read anew at each post: a rotation just works."""

import hmac
import logging
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from headgate.api.configuration import AlertToken

LONGEST_TOKEN = 4096
SHORTEST_TOKEN = 16
"""Anything shorter can be guessed, so that it opens nothing."""
_log = logging.getLogger(__name__)


class Tokens:
    """The configured tokens."""

    def __init__(self, configured: Sequence[AlertToken]) -> None:
        self._configured = tuple((Path(token.file), frozenset(token.namespaces)) for token in configured)
        self._problems: dict[Path, str] = {}

    def namespaces(self, authorization: str | None) -> frozenset[str]:
        """The namespaces that an ``Authorization`` header opens; none for whoever is not known.

        The time that it takes tells nothing of which token was nearly right.
        """
        scheme, _, presented = (authorization or "").partition(" ")
        # aiohttp hands bytes that are no UTF-8 through as surrogates.
        mine = sha256(presented.strip().encode("utf-8", "surrogateescape")).digest()
        opened: set[str] = set()
        for file, namespaces in self._configured:
            token = self._token(file)
            if hmac.compare_digest(sha256(token).digest(), mine) and token:
                opened |= namespaces
        return frozenset(opened) if scheme.lower() == "bearer" else frozenset()

    def _token(self, file: Path) -> bytes:
        """The token in that file; empty, which opens nothing, when there is none of use."""
        try:
            with file.open("rb") as content:
                token = content.read(LONGEST_TOKEN + 1).strip()
        except OSError as error:
            return self._unusable(file, error.strerror or "cannot be read")
        if not SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN:
            return self._unusable(file, f"holds no token of {SHORTEST_TOKEN} to {LONGEST_TOKEN} bytes")
        self._problems.pop(file, None)
        return token

    def _unusable(self, file: Path, problem: str) -> bytes:
        if self._problems.get(file) != problem:
            self._problems[file] = problem
            _log.warning("alerts: token file %s: %s; nobody is let in by it", file, problem)
        return b""
