"""Who posts: bearer tokens in files, each bound to namespaces. A file that was changed counts at once."""

import hmac
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from headgate.api.configuration import AlertToken

LONGEST_TOKEN = 4096
SHORTEST_TOKEN = 16
"""Anything shorter can be guessed, so that it opens nothing."""
_SETTLED_SECONDS = 2.0
"""How old a change must be for another one to bear a later time: clocks of file systems are coarse."""
_Stamp = tuple[int, ...]
_log = logging.getLogger(__name__)


class Tokens:
    """The configured tokens."""

    def __init__(self, configured: Sequence[AlertToken]) -> None:
        self._configured = tuple((_TokenFile(Path(token.file)), frozenset(token.namespaces)) for token in configured)
        self.sets_of_namespaces = len({namespaces for _, namespaces in self._configured})
        """How many different sets of namespaces there are tokens for."""

    def namespaces(self, authorization: str | None) -> frozenset[str]:
        """The namespaces that an ``Authorization`` header opens; none for whoever is not known.

        The time that it takes tells nothing of which token was nearly right. Strangers ask too: it costs little.
        """
        scheme, _, presented = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return frozenset()
        # aiohttp hands bytes that are no UTF-8 through as surrogates.
        mine = sha256(presented.strip().encode("utf-8", "surrogateescape")).digest()
        opened: set[str] = set()
        for file, namespaces in self._configured:
            digest = file.digest()
            if hmac.compare_digest(digest or _NOBODYS, mine) and digest is not None:
                opened |= namespaces
        return frozenset(opened)


_NOBODYS = sha256().digest()


@dataclass(slots=True)
class _TokenFile:
    """The token in one file; the file is read again when it is another one or was written since."""

    path: Path
    _read_at: _Stamp | None = None
    """The file as it was when it was read; None when it must be read again in any case."""
    _digest: bytes | None = None
    _problem: str = ""

    def digest(self) -> bytes | None:
        """The token's SHA-256; None, which opens nothing, when there is none of use."""
        try:
            stamp = _stamp(self.path)
            if stamp is None or stamp != self._read_at:
                self._read_at = stamp
                self._digest = self._read()
        except OSError as error:
            self._read_at = self._digest = None
            self._tell(error.strerror or "cannot be read")
        return self._digest

    def _read(self) -> bytes | None:
        with self.path.open("rb") as content:
            token = content.read(LONGEST_TOKEN + 1).strip()
        is_of_use = SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN
        self._tell("" if is_of_use else f"holds no token of {SHORTEST_TOKEN} to {LONGEST_TOKEN} bytes")
        return sha256(token).digest() if is_of_use else None

    def _tell(self, problem: str) -> None:
        known, self._problem = self._problem, problem
        if problem and problem != known:
            _log.warning("alerts: token file %s: %s; nobody is let in by it", self.path, problem)


def _stamp(path: Path) -> _Stamp | None:
    """What differs once a file was changed or replaced; None while a change may not show in it yet."""
    found = path.stat()
    if time.time() - max(found.st_mtime, found.st_ctime) < _SETTLED_SECONDS:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
