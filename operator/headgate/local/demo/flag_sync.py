"""What the kubelet does for a Pod that mounts a ConfigMap: keeps a file as one of its keys is, only faster."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

from headgate.cluster.objects import Json


async def sync(config_map_states: AsyncIterator[Json], key: str, file: Path) -> None:
    """Write the key's value of every state that comes to the file; a state without the key leaves it as it is."""
    async for config_map in config_map_states:
        data = config_map.get("data")
        value = data.get(key) if isinstance(data, dict) else None
        if isinstance(value, str):
            replace(file, value)


def replace(file: Path, content: str) -> None:
    """Put the content in the file's place at once, under a later modification time than before.

    Readers never see half a document; flagd's file provider looks at nothing but the time, and two writes within one
    tick of the kernel's clock would have the same.
    """
    unfinished = file.with_name(f".{file.name}.new")
    unfinished.write_text(content)
    if file.exists():
        before, now = file.stat().st_mtime_ns, unfinished.stat().st_mtime_ns
        # The provider compares floating-point seconds, in which less than a microsecond is lost.
        if now < before + 1_000_000:
            os.utime(unfinished, ns=(before + 1_000_000, before + 1_000_000))
    unfinished.replace(file)
