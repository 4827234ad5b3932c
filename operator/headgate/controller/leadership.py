"""Whether this replica is the one that decides: while it holds the Lease, and always where there is none."""

import asyncio
import logging
import socket
import uuid
from pathlib import Path

from headgate.cluster.credentials import own_namespace
from headgate.cluster.lease import Lease
from headgate.cluster.objects import Objects
from headgate.controller import clock

_log = logging.getLogger(__name__)


def lease_namespace(configured: str | None, kubeconfig: Path | None) -> str | None:
    """Where the Lease lives: where it was told, or in the pod's own namespace; None: there is no Lease.

    Whoever runs the operator by hand, with a kubeconfig, is alone unless they say otherwise.
    """
    return configured or (own_namespace() if kubeconfig is None else None)


def lease_name(watched: str | None) -> str:
    """The Lease's name: of those who watch one namespace another than of those who watch all."""
    return f"headgate-{watched}" if watched is not None else "headgate"


class Leadership:
    """The Lease of those who watch the same Rollouts, or none."""

    def __init__(self, objects: Objects, namespace: str | None, watched: str | None) -> None:
        """``namespace`` is where the Lease lives, None for none; ``watched`` is the only one watched, None for all."""
        self._lease: Lease | None = None
        if namespace is not None:
            holder = f"{socket.gethostname()}_{uuid.uuid4()}"
            self._lease = Lease(objects, namespace, lease_name(watched), holder, clock=clock.boottime, now=clock.now)

    def is_held(self) -> bool:
        """Whether this replica may write at this moment. Asks nobody."""
        return self._lease is None or self._lease.holds()

    @property
    def problem(self) -> str | None:
        """Why it cannot lead until a person acts, in one line."""
        return self._lease.problem if self._lease is not None and not self._lease.holds() else None

    async def acquire(self) -> None:
        """Returns when this replica leads."""
        if self._lease is not None:
            _log.info("standing by")
            await self._lease.acquire()
            _log.info("leading")

    async def keep(self) -> None:
        """Raises NotLeading when another replica leads; never returns."""
        if self._lease is not None:
            await self._lease.keep()
        await asyncio.Event().wait()

    async def release(self) -> None:
        """Lets another replica lead at once."""
        if self._lease is not None:
            await self._lease.release()
