"""Logs as JSON, one object a line, with nothing in it that could be taken for another line. Knows no event."""

import json
import logging
import sys
from datetime import UTC, datetime

_LONGEST = 4000
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUIET = ("kopf", "aiohttp.access", "urllib3", "kubernetes")


class JsonLines(logging.Formatter):
    """A record as one line of JSON; ``extra`` values that are plain become fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_LONGEST],
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and isinstance(value, str | int | float | bool):
                line[name] = value[:_LONGEST] if isinstance(value, str) else value
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)[-_LONGEST:]
        return json.dumps(line, ensure_ascii=True)


class _Expected(logging.Filter):
    """Drops what kopf warns of and headgate expects: kinds that nobody has installed are no error until used."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Unresolved resources cannot be served" not in record.getMessage()


def configure(level: int = logging.INFO) -> None:
    """Sends every log line to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(_Expected())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
