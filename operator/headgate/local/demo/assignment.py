"""Which version a company gets: the application's side of the flag, by OpenFeature and flagd's file provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext

# The file resolver looks at the file's modification time once per "deadline", which it uses for nothing else.
_POLL_MILLISECONDS = 50


class NoAssignment(Exception):
    """The flag could not be evaluated; the text says why in one line."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the flag says for one company."""

    version: str
    arm: str


class Flag:
    """One flag of a flagd document in a file, which is read again whenever it is replaced."""

    def __init__(self, file: Path, name: str, customer_key: str) -> None:
        self._name = name
        self._customer_key = customer_key
        provider = FlagdProvider(
            resolver_type=ResolverType.FILE,
            offline_flag_source_path=str(file),
            deadline_ms=_POLL_MILLISECONDS,
        )
        # Raises when the file is missing: on a cluster, too, a Pod waits for the ConfigMap that it mounts.
        api.set_provider_and_wait(provider)
        self._client = api.get_client()

    def for_company(self, company: str) -> Assignment:
        """The version and arm that the flag gives to this company.

        Raises:
            NoAssignment: the flag is missing, broken, or names no version.
        """
        context = EvaluationContext(targeting_key=company, attributes={self._customer_key: company})
        details = self._client.get_object_details(self._name, {}, context)
        value = details.value
        version, arm = (value.get("version"), value.get("arm")) if isinstance(value, Mapping) else (None, None)
        if details.error_code is not None or not isinstance(version, str) or not isinstance(arm, str):
            raise NoAssignment(f"flag {self._name}: {details.error_message or f'{value!r} names no version and arm'}")
        return Assignment(version, arm)

    def close(self) -> None:
        """Stop reading the file."""
        api.shutdown()
