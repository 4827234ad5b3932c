"""What whoever reads a router gets from it: which version serves how many customers or requests, in %.

Reads flags by flagd's format and routes by the Gateway API's; headgate's own marks in them are not looked at.
"""

import json
from typing import Any, Protocol

from tests.integration import resources
from tests.integration.cluster import Document, Namespace
from tests.integration.journal import Journal

Shares = dict[str, int]


class Router(Protocol):
    """One way to deliver, and to see what was delivered."""

    def delivery(self) -> Document:
        """As it stands in a Rollout."""
        ...

    def prepare(self, namespace: Namespace) -> None:
        """Applies what must be there before."""
        ...

    def shares(self, namespace: Namespace) -> Shares:
        """What each version gets now, without those that get nothing; empty while nothing can be read."""
        ...

    def history(self, namespace: Namespace) -> Journal:
        """The states of the object in which the weights stand."""
        ...

    def weight(self, state: Document) -> int | None:
        """The share in such a state that another version than the stable one of then gets; None without any."""
        ...


class FlagInConfigMap:
    """A flagd document in a ConfigMap."""

    config_map = "flags"

    def __init__(self, flag: str = "reply") -> None:
        self.name = flag

    def delivery(self) -> Document:
        return resources.flag_delivery(self.name, self.config_map)

    def prepare(self, namespace: Namespace) -> None:
        """The document is created by headgate."""

    def flag(self, namespace: Namespace) -> Document:
        return self._in(namespace.find("ConfigMap", self.config_map))

    def shares(self, namespace: Namespace) -> Shares:
        return _served(self.flag(namespace))

    def history(self, namespace: Namespace) -> Journal:
        return Journal(namespace, "ConfigMap", self.config_map)

    def weight(self, state: Document) -> int | None:
        flag = self._in(state)
        return _split(flag).get("candidate", 0) if flag else None

    def _in(self, state: Document) -> Document:
        document = json.loads(state.get("data", {}).get("flags.json", "{}"))
        found: Document = document.get("flags", {}).get(self.name, {})
        return found


class FlagInFeatureFlag:
    """A FeatureFlag of the OpenFeature operator."""

    def __init__(self, flag: str = "reply") -> None:
        self.name = flag

    def delivery(self) -> Document:
        return {"flag": {"name": self.name, "key": "companyId", "featureFlag": {"name": "flags"}}}

    def prepare(self, namespace: Namespace) -> None:
        """The resource is created by headgate."""

    def shares(self, namespace: Namespace) -> Shares:
        return _served(self._in(namespace.find("FeatureFlag", "flags")))

    def history(self, namespace: Namespace) -> Journal:
        return Journal(namespace, "FeatureFlag", "flags")

    def weight(self, state: Document) -> int | None:
        flag = self._in(state)
        return _split(flag).get("candidate", 0) if flag else None

    def _in(self, resource: Document) -> Document:
        found: Document = resource.get("spec", {}).get("flagSpec", {}).get("flags", {}).get(self.name, {})
        return found


class Route:
    """Two backends of one rule of an HTTPRoute, each with the ConfigMap that says what it runs."""

    backends = ("blue", "green")

    def __init__(self, rollout: str = "reply") -> None:
        self.name = rollout

    def delivery(self) -> Document:
        return {"httpRoute": {"name": self.name, "backends": list(self.backends)}}

    def prepare(self, namespace: Namespace) -> None:
        namespace.apply(resources.route(self.name, self.backends), manager="platform")

    def runs(self, namespace: Namespace, backend: str) -> str:
        """The version that a backend must run; empty before the first."""
        return str(namespace.find("ConfigMap", f"{self.name}-{backend}").get("data", {}).get("version", ""))

    def rule(self, state: Document) -> Document:
        found: Document = state["spec"]["rules"][1]
        return found

    def weights(self, state: Document) -> dict[str, int]:
        """By backend."""
        return {ref["name"]: ref.get("weight", 1) for ref in self.rule(state)["backendRefs"]}

    def shares(self, namespace: Namespace) -> Shares:
        weights = self.weights(namespace.get("HTTPRoute", self.name))
        whole = sum(weights.values())
        return {self.runs(namespace, backend): 100 * weight // whole for backend, weight in weights.items() if weight}

    def history(self, namespace: Namespace) -> Journal:
        return Journal(namespace, "HTTPRoute", self.name)

    def weight(self, state: Document) -> int | None:
        return self.weights(state)[self.backends[1]] if state else None


def weights(router: Router, journal: Journal) -> list[int]:
    """The weights that a router went through, each once as long as it lasted."""
    passed: list[int] = []
    for state in journal.states():
        weight = router.weight(state)
        if weight is not None and passed[-1:] != [weight]:
            passed.append(weight)
    return passed


def _served(flag: Document) -> Shares:
    shares: Shares = {}
    for variant, share in _split(flag).items():
        if not share:
            continue
        version = flag["variants"][variant]["version"] or flag["variants"][variant]["arm"]
        shares[version] = shares.get(version, 0) + share
    return shares


def _split(flag: Document) -> Shares:
    """The share of each variant among customers with a key."""
    if not flag:
        return {}
    targeting: Any = flag.get("targeting") or flag["defaultVariant"]
    if isinstance(targeting, dict) and "if" in targeting:
        targeting = targeting["if"][-1]
    if isinstance(targeting, str):
        return {targeting: 100}
    _, *entries = targeting["fractional"]
    whole = sum(share for _, share in entries)
    return {variant: 100 * share // whole for variant, share in entries}
