"""What happened in one run, as it is seen from outside, for the oracles to judge. Asks nobody anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.conductor import Request
from tests.faults.scenarios import Scenario
from tests.integration.cluster import Document


@dataclass(frozen=True, slots=True)
class Course:
    """One run, from what people did first to the rest after it."""

    scenario: Scenario
    namespace: str
    rollout: Sequence[Document]
    """The states of the Rollout."""
    router: Sequence[Document]
    """The states of the object in which the candidate's share stands."""
    requests: Sequence[Request]
    """What the operator asked."""
    end: Mapping[str, Document]
    """Everything that is there in the end, by kind and name."""
    is_over: bool
    """Whether the Rollout came to its end."""
    is_quiet: bool
    """Whether the operator asked nothing any more."""
    troubles: Sequence[str]
    """Errors that the operator logged."""
    strikes: int = 0
    """How many requests met a fault."""
    overtaken: Sequence[str] = ()
    """The objects, by kind and name, that somebody annotated."""
    weights: Sequence[int] = field(default=())
    """The shares of the candidate that the router showed, each once as long as it lasted."""
