"""What the demo's service did for each company: who was served by which version, and how that went."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from headgate.local.demo.assignment import Assignment


class CompanyTally(BaseModel):
    """One company, as it was last served."""

    model_config = ConfigDict(frozen=True)

    version: str
    arm: str
    evaluations: int
    """How often the flag was evaluated for it."""


class VersionTally(BaseModel):
    """One version, since the service began."""

    model_config = ConfigDict(frozen=True)

    evaluations: int = 0
    errors: int = 0
    first_error_at: float | None = None
    """When it first failed, in seconds since the epoch."""
    last_served_at: float | None = None
    """When somebody was last given it, in seconds since the epoch."""


class Tally(BaseModel):
    """Everything that was counted, as it travels from the service to the demo."""

    model_config = ConfigDict(frozen=True)

    companies: Mapping[str, CompanyTally] = {}
    versions: Mapping[str, VersionTally] = {}

    def on(self, version: str) -> int:
        """How many companies were last served by this version."""
        return sum(company.version == version for company in self.companies.values())

    def served_since(self, earlier: "Tally", companies: Iterable[str]) -> bool:
        """Whether each of these companies was served at least once after the earlier tally."""
        return all(
            name in self.companies
            and (
                name not in earlier.companies or self.companies[name].evaluations > earlier.companies[name].evaluations
            )
            for name in companies
        )

    def evaluations_since(self, earlier: "Tally") -> Mapping[str, int]:
        """Evaluations per version after the earlier tally; versions without any are left out."""
        grown = {
            name: version.evaluations - earlier.versions.get(name, VersionTally()).evaluations
            for name, version in self.versions.items()
        }
        return {name: count for name, count in grown.items() if count}


class Counting:
    """Keeps the tally while requests come in."""

    def __init__(self) -> None:
        self._companies: dict[str, CompanyTally] = {}
        self._versions: dict[str, VersionTally] = {}

    def evaluated(self, company: str, assignment: Assignment, at: float) -> None:
        """The flag was evaluated for this company."""
        before = self._companies.get(company)
        self._companies[company] = CompanyTally(
            version=assignment.version,
            arm=assignment.arm,
            evaluations=(before.evaluations if before else 0) + 1,
        )
        seen = self._versions.get(assignment.version, VersionTally())
        self._versions[assignment.version] = seen.model_copy(
            update={"evaluations": seen.evaluations + 1, "last_served_at": at}
        )

    def failed(self, version: str, at: float) -> None:
        """A request ended in an error."""
        seen = self._versions.get(version, VersionTally())
        first = at if seen.first_error_at is None else seen.first_error_at
        self._versions[version] = seen.model_copy(update={"errors": seen.errors + 1, "first_error_at": first})

    def tally(self) -> Tally:
        """What was counted so far."""
        return Tally(companies=dict(self._companies), versions=dict(self._versions))
