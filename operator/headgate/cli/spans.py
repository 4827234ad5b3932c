"""Lengths of time for people, at most two units. Knows no clock."""

from datetime import datetime

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def span(seconds: float) -> str:
    """A length in seconds as ``45s``, ``3m20s``, ``5h`` or ``2d3h``; less than nothing is ``0s``."""
    rest = int(seconds)
    for index, (unit, size) in enumerate(_UNITS):
        if rest >= size:
            count, rest = divmod(rest, size)
            if index + 1 < len(_UNITS):
                smaller, smaller_size = _UNITS[index + 1]
                if part := rest // smaller_size:
                    return f"{count}{unit}{part}{smaller}"
            return f"{count}{unit}"
    return "0s"


def since(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment is; empty for none."""
    return "" if moment is None else span((now - moment).total_seconds())
