"""`headgate local down`: ends what `up` started."""

from pathlib import Path

from headgate.local import cache
from headgate.local.errors import LocalError
from headgate.local.installation import Installation


def down(directory: Path) -> None:
    """End every program that `up` started in this directory; returns when all are gone.

    The data, the certificates and the logs stay; a later `up` goes on with them. Nothing happens where nothing runs.

    Raises:
        LocalError: the directory does not exist, or a program does not end.
    """
    installation = Installation(directory.absolute())
    if not installation.directory.is_dir():
        raise LocalError(f"{directory} does not exist: give the --dir that `headgate local up` was given")
    with cache.locked(installation.lock):
        installation.stop()
