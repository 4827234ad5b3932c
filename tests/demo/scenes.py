"""Scenes as the demo would have seen them, by hand."""

from headgate.api.rollout_status import Outcome, RolloutStatus
from headgate.local.demo.scene import Scene
from headgate.local.demo.tally import CompanyTally, Tally, VersionTally

_AT = "2026-01-01T00:00:00Z"


def status(
    *,
    phase: str = "Progressing",
    weight: int = 0,
    attempt: int = 1,
    candidate: str = "v8",
    outcome: Outcome | None = None,
    verdicts: list[dict[str, object]] | None = None,
) -> RolloutStatus:
    """A status with an attempt."""
    return RolloutStatus.model_validate(
        {
            "phase": phase,
            "weight": weight,
            "stable": {"version": "v7", "digest": "d7"},
            "attempt": {
                "number": attempt,
                "candidate": {"version": candidate, "digest": "d8"},
                "state": "Stepping" if outcome is None else "Ended",
                "startedAt": _AT,
                "outcome": outcome,
            },
            "verdicts": verdicts or [],
        }
    )


def verdict(check: str, kind: str, value: str | None = None) -> dict[str, object]:
    """A recorded verdict."""
    return {"gate": "reply-quality", "check": check, "verdict": kind, "since": _AT, "value": value}


def tally(**arms: tuple[str, str]) -> Tally:
    """Companies with their version and arm, each served once."""
    companies = {name: CompanyTally(version=version, arm=arm, evaluations=1) for name, (version, arm) in arms.items()}
    versions = [version for version, _ in arms.values()]
    return Tally(
        companies=companies,
        versions={version: VersionTally(evaluations=versions.count(version)) for version in versions},
    )


def scene() -> Scene:
    """A scene with bounds and nothing seen yet."""
    return Scene(bounds={"error-rate": "above 5%"})
