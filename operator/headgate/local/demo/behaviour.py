"""How each prompt version makes the demo's language model behave. The one made-up thing in the demo; knows no flag."""

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a version does to a request."""

    error_share: float
    """The part of its requests that fail, 0 to 1."""
    latency: float
    """The median time of an answer, in seconds."""
    cost: float
    """What an answer costs on average, in dollars."""


_BEHAVIOURS = {
    "support-reply-v7": Behaviour(error_share=0.0025, latency=0.24, cost=0.0060),
    "support-reply-v8": Behaviour(error_share=0.0025, latency=0.18, cost=0.0051),
    # It asks for JSON, and the model's every fifth answer is none.
    "support-reply-v9": Behaviour(error_share=0.20, latency=0.21, cost=0.0054),
}
_ANY_OTHER = Behaviour(error_share=0.0025, latency=0.20, cost=0.0055)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request."""

    failed: bool
    latency: float
    """Seconds."""
    cost: float
    """Dollars."""


@dataclass(slots=True)
class LanguageModel:
    """Answers as the versions' behaviours say.

    Errors are spaced evenly instead of drawn, so that a good version's small samples never look bad by chance.
    """

    _chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret depends on it
    _owed_errors: dict[str, float] = field(default_factory=dict)

    def answer(self, version: str) -> Answer:
        """The next answer with this version of the prompt."""
        behaviour = _BEHAVIOURS.get(version, _ANY_OTHER)
        owed = self._owed_errors.get(version, 0.0) + behaviour.error_share
        # 1 is rarely reached exactly by adding fractions.
        failed = owed >= 1.0 - 1e-9
        self._owed_errors[version] = owed - 1.0 if failed else owed
        return Answer(
            failed,
            latency=behaviour.latency * self._chance.lognormvariate(0.0, 0.3),
            cost=behaviour.cost * self._chance.uniform(0.8, 1.2),
        )
