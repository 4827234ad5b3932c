"""The small face of every router, and which one a delivery asks for. Knows no document's format."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeAlias

from headgate.api.rollout import Delivery
from headgate.cluster.objects import CONFIG_MAP, FEATURE_FLAG, Documents, Objects
from headgate.delivery import feature_flag, flag_config_map
from headgate.delivery.feature_flag import FeatureFlag
from headgate.delivery.field import FieldRouter, KindOf
from headgate.delivery.flag_config_map import FlagConfigMap
from headgate.delivery.flag_router import FlagRouter
from headgate.delivery.http_route import HttpRouteRouter
from headgate.delivery.namespace_objects import NamespaceObjects
from headgate.delivery.refusals import Fenced, Unusable
from headgate.delivery.shared_object import SharedObjects
from headgate.delivery.succession import Holds
from headgate.engine.routing import RouterState, Routing, router_id

__all__ = ["Fenced", "Router", "Unusable", "routers"]


class Router(Protocol):
    """One mechanism that carries the split to traffic, for one Rollout."""

    def observe(self, routing: Routing) -> RouterState:
        """What the router was last seen to show, beside what it shall show. From what is seen; asks nobody."""
        ...

    async def apply(self, routing: Routing) -> RouterState:
        """Makes the router show the routing; writes nothing when it does. Returns what it then shows.

        Raises Fenced when it carries a higher revision, Unusable when a person must change something first, and
        ClusterError: after a Conflict the Rollout is to be read again before anything is written.
        """
        ...

    async def refresh(self) -> None:
        """Reads anew what the router lives in, into Documents. Raises ClusterError; missing objects are no error."""
        ...


_SHARED = SharedObjects()


HoldsRouter: TypeAlias = Callable[[str, str, str, bool], bool]
"""Whether marks on the router of that id keep others off it: by the Rollout's name and UID, and whether they expose."""


def _everybody(_router: str, _rollout: str, _uid: str, _exposes: bool) -> bool:  # noqa: FBT001
    return True


def _no_targets(_target: object, _path: str) -> str:
    return "no targets are configured"


def routers(  # noqa: PLR0917 - the last two are seldom given
    namespace: str,
    deliveries: Sequence[Delivery],
    objects: Objects,
    documents: Documents,
    holds: HoldsRouter = _everybody,
    kind_of: KindOf = _no_targets,
    *,
    only_lowers: bool = False,
) -> dict[str, Router]:
    """The routers behind the deliveries of a Rollout, by router id.

    They are written by ``objects``, as whoever those speak as. ``holds`` says whether another Rollout in the namespace
    still has a router: what one that is gone, or has another by now, left behind may be taken over. ``kind_of`` knows
    the kinds whose objects' fields may be written. ``only_lowers``: they take back exposure, and make and publish
    nothing.
    Making routers asks and writes nothing; make them anew for every look.
    """
    around = NamespaceObjects(namespace, objects, documents, only_lowers)
    return {router_id(delivery): _router(delivery, around, holds, kind_of) for delivery in deliveries}


def _router(delivery: Delivery, around: NamespaceObjects, holds_router: HoldsRouter, kind_of: KindOf) -> Router:
    router = router_id(delivery)
    holds: Holds = partial(holds_router, router)
    if delivery.http_route is not None:
        return HttpRouteRouter(router, delivery.http_route, around, holds)
    if delivery.field is not None:
        return FieldRouter(router, delivery.field, around, holds, kind_of)
    flag = delivery.flag
    if flag is not None and flag.config_map is not None:
        place = flag.config_map
        shared = _SHARED.of(around, CONFIG_MAP, place.name, flag_config_map.write)
        return FlagRouter(router, flag, FlagConfigMap(place.name, place.key), shared, around, holds)
    if flag is not None and flag.feature_flag is not None:
        name = flag.feature_flag.name
        shared = _SHARED.of(around, FEATURE_FLAG, name, feature_flag.write)
        return FlagRouter(router, flag, FeatureFlag(name), shared, around, holds)
    raise ValueError("a delivery without a router")
