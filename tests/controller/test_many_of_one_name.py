"""I3 and the way back over random histories: names that come again, routers that change hands, refused writes."""

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from headgate.cluster.objects import CONFIG_MAP, HTTP_ROUTE, ROLLOUT, ClusterError, Kind, Refused, Unavailable
from tests.controller import documents
from tests.controller.models import STEPS
from tests.controller.place import FLAG, FLAG_ELSEWHERE, OTHER_FLAG, ROUTE
from tests.controller.town import FLIGHT, NAMES, SETTINGS, VERSIONS, Town

DELIVERIES = st.lists(st.sampled_from(["flag", "other", "elsewhere", "route"]), min_size=1, max_size=2, unique=True)
ROUTERS: dict[str, Mapping[str, object]] = {
    "flag": FLAG,
    "other": OTHER_FLAG,
    "elsewhere": FLAG_ELSEWHERE,
    "route": ROUTE,
}


class Prompts(Town):
    """Four routers, and a gate that some versions fail."""

    def __init__(self) -> None:
        super().__init__()
        self._failing: set[str] = set()

    def document(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        delivery = [ROUTERS[router] for router in asked["routers"]]
        how = {"killSwitch": asked["killSwitch"], "paused": asked.get("paused", False)}
        return documents.rollout(asked["version"], name=name, steps=STEPS, delivery=delivery, **how)

    @initialize(first=VERSIONS, then=VERSIONS, routers=DELIVERIES)
    def a_release_goes_on_already(self, first: str, then: str, routers: list[str]) -> None:
        self.is_begun("old", version=first, routers=routers)
        self.look(1)
        self.apply("old", version=then)
        self.look(1, 11)

    @rule(version=VERSIONS, fails=st.booleans())
    def a_version_is_measured(self, version: str, *, fails: bool) -> None:
        (self._failing.add if fails else self._failing.discard)(version)
        self.house.sources.values = dict.fromkeys(self._failing, 9.0)

    def restarts(self) -> None:
        super().restarts()
        self.house.sources.values = dict.fromkeys(self._failing, 9.0)

    def untrue(self, name: str) -> Iterator[str]:
        yield from super().untrue(name)
        attempt = self.place.status(name).get("attempt", {})
        # Without its manifest nobody knows by what it is judged: a person is told to abort it.
        is_judged = self.place.condition("Stalled", name)["reason"] != "ManifestGone"
        if attempt.get("state") in FLIGHT and attempt["candidate"]["version"] in self._failing and is_judged:
            yield f"{name} goes on with what its gate fails"

    @rule(name=NAMES, version=VERSIONS, routers=DELIVERIES)
    def somebody_applies_one(self, name: str, version: str, routers: list[str]) -> None:
        self.applied(name, {"version": version, "routers": routers}, version=version)

    @rule(name=NAMES, routers=DELIVERIES)
    def somebody_names_other_routers(self, name: str, routers: list[str]) -> None:
        if self.exists(name):
            self.apply(name, routers=routers)

    @rule(name=NAMES, version=VERSIONS, routers=DELIVERIES, restart=st.booleans())
    def one_is_made_again_unseen(self, name: str, version: str, routers: list[str], *, restart: bool) -> None:
        self.made_again(name, restart=restart, version=version, routers=routers)

    @rule(
        which=st.sampled_from([(CONFIG_MAP, ""), (HTTP_ROUTE, ""), (ROLLOUT, ""), (ROLLOUT, "status")]),
        error=st.sampled_from([Unavailable("a webhook is down"), Refused("a policy")]),
    )
    def something_cannot_be_written(self, which: tuple[Kind, str], error: ClusterError) -> None:
        self.house.cluster.fault = lambda kind, subresource: error if (kind, subresource) == which else None


TestPrompts = Prompts.TestCase
TestPrompts.settings = SETTINGS
