"""The same for a log: one line for each thing that changes, where there is no terminal to draw on."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from headgate.api.rollout_status import VerdictKind
from headgate.local.demo import checks
from headgate.local.demo.scene import Moment, Scene


@dataclass(slots=True)
class PlainLog:
    """Remembers what was told already."""

    scene: Scene
    _moments: int = 0
    _happenings: int = 0
    _counts: str = ""
    _verdicts: dict[str, VerdictKind | None] = field(default_factory=dict)

    def news(self) -> Iterator[str]:
        """A line for each thing that changed since the last call."""
        scene = self.scene
        for happening in scene.happenings[self._happenings :]:
            warning = " (warning)" if happening.warning else ""
            yield self._stamped(happening.at, f"{happening.reason}{warning}: {happening.message}")
        self._happenings = len(scene.happenings)
        for moment in scene.moments[self._moments :]:
            yield self._stamped(moment.at, f"rollout: {_told(moment)}")
        self._moments = len(scene.moments)
        if (counts := _counts(scene)) != self._counts:
            self._counts = counts
            yield self._now(f"companies: {counts}")
        judged = [line for line in checks.lines(scene) if line.verdict is not None]
        for line in judged:
            if self._verdicts.get(line.check) != line.verdict:
                value = f", candidate {line.value}" if line.value else ""
                against = f", stable {line.stable}" if line.stable else ""
                yield self._now(f"check {line.check}: {line.verdict}{value}{against}, critical {line.bound}")
        self._verdicts = {line.check: line.verdict for line in judged}

    def _now(self, text: str) -> str:
        return f"[{self.scene.elapsed:6.1f} s] {text}"

    def _stamped(self, at: float, text: str) -> str:
        return f"[{max(at - self.scene.began, 0.0):6.1f} s] {text}"


def _told(moment: Moment) -> str:
    phase = moment.phase.value if moment.phase else "new"
    candidate = (
        f", candidate {moment.candidate} at {moment.weight} %" if moment.candidate and not moment.outcome else ""
    )
    return f"{phase}, stable {moment.stable or 'none'}{candidate}, spec {moment.version}"


def _counts(scene: Scene) -> str:
    served = [(company.arm, company.version) for company in scene.tally.companies.values()]
    return ", ".join(f"{served.count(each)} {each[0]} ({each[1]})" for each in sorted(set(served), reverse=True))
