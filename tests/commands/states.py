"""The states in which a person may meet a Rollout: how each is brought about, and when it is there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.commands.subjects import Prompt, Ranker, Subject, Target
from tests.integration import resources
from tests.integration.cluster import Document, Namespace

HELD: list[Document] = [
    {"weight": 10, "holdFor": "1h"},
    {"weight": 50, "holdFor": "1h", "approval": "Required"},
    {"weight": 100},
]
UNHELD: list[Document] = [{"weight": 10}, *HELD[1:]]


class Scene(Enum):
    """The surroundings that a state needs; each has an operator and a namespace of its own."""

    WELL = auto()
    OUTAGE = auto()
    """Prometheus is stopped before anything is tried."""
    REFUSED = auto()
    """The API server does not take writes of HTTPRoutes once everybody is exposed."""
    DOWN = auto()
    """The operator is killed before the commands are said, and started after them."""


def _nothing(_namespace: Namespace, _subject: Subject) -> None:
    """Nothing more happens."""


def _annotated(**asked: str) -> Callable[[Namespace, Subject], None]:
    return lambda namespace, subject: namespace.annotate(subject.name, **asked)


def _set(**spec: object) -> Callable[[Namespace, Subject], None]:
    return lambda namespace, subject: _patch(namespace, subject, spec)


def _patch(namespace: Namespace, subject: Subject, spec: Document) -> None:
    namespace.patch("Rollout", subject.name, {"spec": spec})


def _reports_failure(namespace: Namespace, subject: Subject) -> None:
    """The controller of the target says that the candidate does not come up."""
    failing = {"type": "Ready", "status": "False", "reason": "RevisionFailed", "message": "CrashLoopBackOff"}
    path = f"{namespace.path('InferenceService', subject.name)}/status"
    body = {"status": {"conditions": [failing]}}
    namespace.server.send("PATCH", path, body, "application/merge-patch+json")


def _is(**wanted: object) -> Callable[[Document], bool]:
    return lambda status: wanted.items() <= status.items()


def _is_in(state: str) -> Callable[[Document], bool]:
    return lambda status: bool(status["attempt"]["state"] == state)


def _is_stalled(reason: str) -> Callable[[Document], bool]:
    return lambda status: any((each["type"], each["reason"]) == ("Stalled", reason) for each in status["conditions"])


@dataclass(frozen=True)
class State:
    """One row's worth of the matrix."""

    reached: Callable[[Document], bool]
    """Whether the status shows it."""
    stays: Document
    """What is to be seen in the end when nobody says anything."""
    scene: Scene = Scene.WELL
    subject: Callable[[str], Subject] = Prompt
    spec: Document = field(default_factory=lambda: {"steps": HELD})
    exposed: int | None = 10
    """The weight at which the candidate is before the rest happens; None: nothing is tried."""
    then: Callable[[Namespace, Subject], None] = _nothing
    is_bad: bool = False
    """Whether the candidate answers badly until the state is there."""


_AT_TEN: Document = {"weights": [10], "phase": "Progressing", "released": 2}
_BACK: Document = {"weights": [0], "phase": "RolledBack", "released": 1, "rejected": 1}
_NO_GATES: Document = {"steps": HELD, "gates": []}
PAUSING_GATE = resources.gate(resources.check(critical={"above": "5%", "action": "Pause"}), name="pausing")

STATES: dict[str, State] = {
    "idle": State(
        reached=_is(phase="Idle"), exposed=None, stays={"weights": [0], "phase": "Idle", "released": 1, "rejected": 0}
    ),
    "paused": State(
        then=_set(paused=True),
        reached=_is(phase="Paused"),
        stays={**_AT_TEN, "phase": "Paused", "paused": True},
    ),
    "paused-by-a-gate": State(
        spec={"steps": HELD},
        is_bad=True,
        reached=lambda status: "paused" in status["attempt"],
        stays={**_AT_TEN, "phase": "Paused", "paused": False},
    ),
    "without-prometheus": State(
        scene=Scene.OUTAGE,
        spec={"steps": UNHELD},
        reached=_is(weight=10),
        # The phase turns from Progressing to Holding when nothing was measured for half a minute.
        stays={"weights": [10], "released": 2, "rejected": 0},
    ),
    "in-mid-step": State(reached=_is(weight=10), stays=_AT_TEN),
    "awaiting-approval": State(
        spec={"steps": UNHELD},
        reached=_is(phase="AwaitingApproval"),
        stays={**_AT_TEN, "phase": "AwaitingApproval"},
    ),
    "baking": State(
        spec={"steps": [{"weight": 100}], "bakeFor": "1h"},
        exposed=100,
        reached=_is(phase="Baking"),
        stays={"weights": [100], "phase": "Baking", "released": 2},
    ),
    "with-no-endpoints": State(
        subject=lambda name: Prompt(name, ("crashing-blue", "crashing-green")), reached=_is(weight=10), stays=_AT_TEN
    ),
    "of-a-failing-target": State(
        subject=Target, spec=_NO_GATES, then=_reports_failure, reached=_is(weight=10), stays=_AT_TEN
    ),
    "taken-back": State(then=_annotated(abort="1"), reached=_is(phase="RolledBack"), stays=_BACK),
    "killed": State(
        then=_set(killSwitch="Stable"),
        reached=_is(phase="Killed"),
        stays={"weights": [0], "phase": "Killed", "released": 1, "rejected": 1, "killSwitch": "Stable"},
    ),
    "half-way-back": State(scene=Scene.REFUSED, then=_annotated(abort="1"), reached=_is_in("RollingBack"), stays=_BACK),
    "refused-by-the-schema": State(
        subject=Ranker, spec=_NO_GATES, then=_annotated(abort="1"), reached=_is_stalled("RestoreRefused"), stays=_BACK
    ),
    "without-operator": State(scene=Scene.DOWN, reached=_is(weight=10), stays=_AT_TEN),
}
