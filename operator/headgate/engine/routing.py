"""What every router must show, and what a router was seen to show. Knows no router."""

from dataclasses import dataclass, field

from headgate.api.rollout import Delivery, KillSwitch
from headgate.api.rollout_status import TargetRef
from headgate.api.target import ObjectReference


@dataclass(frozen=True, slots=True)
class Payload:
    """What an application records with each evaluation of the flag: settings of one version."""

    compiled: str | None = None
    """The ConfigMap of the compiled prompt."""
    model: str | None = None
    """``provider/name@version``."""
    seed: int | None = None
    temperature: str | None = None


@dataclass(frozen=True, slots=True)
class ArmVersion:
    """A version as routers name it. Without a payload a router keeps the one that it shows for the same digest."""

    version: str
    digest: str
    payload: Payload | None = None


@dataclass(frozen=True, slots=True)
class Routing:
    """The absolute split that routers must show. Writing it twice is writing it once."""

    namespace: str
    rollout: str
    uid: str
    revision: int
    """The fence: no router that shows a higher revision is overwritten."""
    attempt: int
    """The attempt's number; 0 before the first."""
    stable: ArmVersion
    candidate: ArmVersion | None
    """None at rest: every router shows stable alone."""
    weight: int = 0
    """The candidate's share in %, 0 to 100."""
    shadow: int = 0
    """The share of requests that is copied to the candidate, in %."""
    stable_slot: int = 0
    """Which of an httpRoute's backends serves stable."""
    kill: KillSwitch = KillSwitch.OFF
    held: str | None = None
    """The digest of what the object that is released holds; None for prompts, and where it is not to be seen."""

    @property
    def is_settled(self) -> bool:
        """Whether the object that is released holds stable's content."""
        return self.held == self.stable.digest


@dataclass(frozen=True, slots=True)
class RouterState:
    """What one router was seen to show."""

    router: str
    """Its identity: ``flag/<configMap>/<key>#<flag>``, ``featureFlag/<name>#<flag>``, ``httpRoute/<name>``
    or ``field/<group>/<kind>/<name>#<path>``."""
    matches: bool
    """Whether it shows exactly the routing that was asked about."""
    absent: bool = False
    """Whether it does not exist at all, and so exposes nobody."""
    weight: int | None = None
    """The candidate's share that it shows; None when it shows no split of ours."""
    shadow: int | None = None
    revision: int | None = None
    """The fence that it carries."""
    stable: ArmVersion | None = None
    """The stable version that it names."""
    stable_slot: int | None = None
    exposed: frozenset[str] = field(default_factory=frozenset)
    """Digests that somebody is served by it."""
    waits: str = ""
    """What its reader must do before it may show the routing, in words; then it shows nobody the candidate."""
    behind: str = ""
    """What its reader still does otherwise, although it shows the routing, in words. There is nothing left to write."""
    lags: bool = False
    """Whether it shows what was written, and its reader by now asks for something else: that is nobody's drift."""
    writer: str | None = None
    """The field manager that wrote it last, when that is not headgate."""
    problem: str | None = None
    """Why it cannot be written, in one line; None when it can."""


def router_id(delivery: Delivery) -> str:
    """The identity of the router behind a delivery; two Rollouts with the same one claim the same thing."""
    if delivery.flag is not None:
        flag = delivery.flag
        if flag.config_map is not None:
            return f"flag/{flag.config_map.name}/{flag.config_map.key}#{flag.name}"
        if flag.feature_flag is not None:
            return f"featureFlag/{flag.feature_flag.name}#{flag.name}"
    if delivery.http_route is not None:
        return f"httpRoute/{delivery.http_route.name}"
    if delivery.field is not None:
        held_by = delivery.field.target
        place = f"{_group(held_by.api_version)}/{held_by.kind}/{held_by.name}" if held_by is not None else "target"
        return f"field/{place}#{delivery.field.path}"
    raise ValueError("a delivery without a router")


def target_id(target: ObjectReference | TargetRef) -> str:
    """The identity of an object that is released; two Rollouts with the same one claim the same thing."""
    return f"target/{_group(target.api_version)}/{target.kind}/{target.name}"


def _group(api_version: str) -> str:
    return api_version.split("/", 1)[0]
