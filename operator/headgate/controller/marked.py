"""The routers that carry a Rollout's marks, whatever its spec and its manifest say. Asks nobody."""

from headgate.api.rollout import Delivery
from headgate.cluster.objects import CONFIG_MAP, FEATURE_FLAG, HTTP_ROUTE, Kind
from headgate.cluster.store import Store
from headgate.delivery.claims import claims
from headgate.engine.observation import RolloutView


def carriers(store: Store) -> tuple[Kind, ...]:
    """The kinds of all objects in which a router may live."""
    return (CONFIG_MAP, FEATURE_FLAG, HTTP_ROUTE, *store.targets.served)


def marked_by(store: Store, view: RolloutView) -> tuple[Delivery, ...]:
    """Enough of a delivery for each router that this very Rollout has marked, to put it at stable.

    It looks through every object of its namespace: for what happens seldom.
    """
    return tuple(
        claim.delivery
        for kind in carriers(store)
        for key, document in store.documents.shelf(kind)
        if key.namespace == view.namespace
        for claim in claims(kind, document)
        if (claim.rollout, claim.uid) == (view.name, view.uid)
    )
