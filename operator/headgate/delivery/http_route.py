"""An HTTPRoute and its backends' ConfigMaps as a router: the order in which they are written, and the fence."""

from dataclasses import replace

from headgate.api.rollout import HttpRouteDelivery
from headgate.cluster import shape
from headgate.cluster.objects import (
    CONFIG_MAP,
    HTTP_ROUTE,
    AlreadyExists,
    ClusterError,
    Conflict,
    Json,
    NotFound,
)
from headgate.delivery import backends, fence, flag_place, http_route_document, http_route_marks
from headgate.delivery.backends import BackendVersion
from headgate.delivery.http_route_document import Shares
from headgate.delivery.http_route_marks import Marks
from headgate.delivery.last_writer import other_writer
from headgate.delivery.namespace_objects import NamespaceObjects
from headgate.delivery.refusals import Unusable
from headgate.delivery.succession import Holds, Succession, succession
from headgate.engine.routing import ArmVersion, RouterState, Routing


class HttpRouteRouter:
    """The split between two backends of one HTTPRoute. It has no legacy path: both kill switches mean stable."""

    def __init__(self, router: str, delivery: HttpRouteDelivery, around: NamespaceObjects, holds: Holds) -> None:
        self._router = router
        self._name = delivery.name
        self._backends = (delivery.backends[0], delivery.backends[1])
        self._around = around
        self._holds = holds

    def observe(self, routing: Routing) -> RouterState:
        """What the route and the ConfigMaps were last seen to show. Asks nobody."""
        route = self._seen_route()
        if route is None:
            # Every route is listed before anything is decided, so one that was never seen does not exist.
            return RouterState(self._router, matches=False, absent=True, problem=self._missing())
        found = self._found(route, routing)
        refused = self._claimed(found) or self._reserved(routing)
        marks, problem = self._before(found), refused or http_route_document.problem(route, self._backends)
        shown, is_own = self._shown(routing), found.own is not None
        matches = (
            problem is None
            and marks is not None
            and is_own
            and self._marked(marks, routing)
            and not http_route_document.edits(route, routing, self._backends, marks)
            and backends.wanted(routing, shown) == shown
        )
        if marks is None:
            return RouterState(self._router, matches=False, problem=problem)
        idle = http_route_document.shares(route, self._backends, 1 - marks.slot)
        paths = [("spec", "rules"), ("metadata", "annotations", http_route_marks.annotation(routing.rollout))]
        return RouterState(
            self._router,
            matches=matches,
            weight=idle.traffic,
            shadow=idle.copies,
            revision=self._carried(marks, routing) if is_own else None,
            stable=self._stable(marks, shown),
            stable_slot=marks.slot,
            exposed=self._exposed(route, marks, shown),
            writer=None if matches else other_writer(route, *paths),
            problem=problem,
        )

    async def apply(self, routing: Routing) -> RouterState:
        """Makes the route and the ConfigMaps show the routing. Raises ClusterError, Fenced and Unusable.

        Weights fall before a ConfigMap changes and rise after: no request meets a backend that is to run another
        version than the split says. A new candidate is published only to a backend that gets nothing.
        """
        if self._seen_route() is None:
            await self.refresh()
        if not self._around.only_lowers:
            await self._look_at_backends(routing)
        state = self.observe(routing)
        if state.matches:
            return state
        route = self._route()
        self._refuse(route, routing)
        rises = fence.exposes(routing)
        if not rises:
            route = await self._write_route(route, routing)
        elif self._publishes(routing) and self._busy(route, 1 - routing.stable_slot):
            route = await self._write_route(route, replace(routing, weight=0, shadow=0, candidate=None))
        if not self._around.only_lowers:
            await self._write_backends(routing)
        if rises:
            await self._write_route(route, routing)
        return self.observe(routing)

    async def refresh(self) -> None:
        """Reads the route. Raises ClusterError. Its ConfigMaps are read by ``apply``, which knows the Rollout."""
        await self._around.fetch(HTTP_ROUTE, self._name)

    def _refuse(self, route: Json, routing: Routing) -> None:
        found = self._found(route, routing)
        if (refused := self._claimed(found) or self._reserved(routing)) is not None:
            raise Unusable(refused)
        fence.check(found.own.revision if found.own is not None else None, routing)
        problem = http_route_document.problem(route, self._backends)
        if problem is not None and (fence.exposes(routing) or not http_route_document.places(route, self._backends)):
            raise Unusable(problem)

    async def _write_route(self, route: Json, routing: Routing) -> Json:
        """Sets weights, mirror and marks in one write, or in none when they stand. Returns the route."""
        found = self._found(route, routing)
        operations = http_route_document.edits(route, routing, self._backends, found.before)
        if found.own is not None and not operations and self._marked(found.own, routing):
            return route
        wanted = http_route_marks.wanted(routing, self._backends)
        test: Json = {"op": "test", "path": "/metadata/resourceVersion", "value": shape.resource_version(route)}
        marked = [
            *http_route_document.annotate(route, routing.rollout, wanted),
            *map(http_route_document.forget, found.left),
        ]
        try:
            written = await self._around.objects.json_patch(
                HTTP_ROUTE, self._around.namespace, self._name, [test, *operations, *marked]
            )
        except Conflict:
            await self._look_again(routing)
            raise
        self._around.documents.saw(HTTP_ROUTE, written)
        return written

    async def _look_again(self, routing: Routing) -> None:
        """Somebody else wrote the route: raises Fenced when that was a higher revision."""
        try:
            await self._around.fetch(HTTP_ROUTE, self._name)
        except ClusterError:
            return  # the conflict itself is what the caller hears of
        own = self._found(self._seen_route() or {}, routing).own
        fence.check(own.revision if own is not None else None, routing)

    async def _look_at_backends(self, routing: Routing) -> None:
        """Reads the ConfigMaps that were never seen although the route's marks say that they were written."""
        if routing.rollout in http_route_marks.on(self._seen_route() or {}):
            for backend in self._backends:
                name = backends.config_map_name(routing.rollout, backend)
                if self._around.seen(CONFIG_MAP, name) is None:
                    await self._around.fetch(CONFIG_MAP, name)

    async def _write_backends(self, routing: Routing) -> None:
        shown = self._shown(routing)
        for slot, wanted in sorted(backends.wanted(routing, shown).items()):
            if shown.get(slot) != wanted:
                await self._write_backend(routing, self._backends[slot], wanted)

    async def _write_backend(self, routing: Routing, backend: str, wanted: BackendVersion) -> None:
        name = backends.config_map_name(routing.rollout, backend)
        seen = self._around.seen(CONFIG_MAP, name)
        try:
            if seen is None:
                body = backends.config_map(routing, backend, wanted)
                written = await self._around.objects.create(CONFIG_MAP, self._around.namespace, body)
            else:
                backends.refuse_foreign(seen, routing)
                fence.check(backends.revision(seen), routing)
                patch, version = backends.patch(routing, wanted), shape.resource_version(seen)
                written = await self._around.objects.merge_patch(
                    CONFIG_MAP, self._around.namespace, name, patch, resource_version=version
                )
        except (AlreadyExists, Conflict) as error:
            found = await self._around.fetch(CONFIG_MAP, name)
            if found is not None:
                backends.refuse_foreign(found, routing)
                fence.check(backends.revision(found), routing)
            raise Conflict(str(error)) from error
        except NotFound:
            self._around.documents.gone(CONFIG_MAP, self._around.namespace, name)
            raise
        self._around.documents.saw(CONFIG_MAP, written)

    def _found(self, route: Json, routing: Routing) -> Succession[Marks]:
        """Whose the route is, by the marks on it."""
        return succession(http_route_marks.on(route), routing, self._holds)

    def _before(self, found: Succession[Marks]) -> Marks | None:
        """The marks that are gone on from."""
        if found.own is not None or found.before is None:
            return found.own
        return http_route_marks.left_to(found.before, self._backends)

    def _claimed(self, found: Succession[Marks]) -> str | None:
        """Why the route is another Rollout's; None when it is not."""
        if found.holder is None:
            return None
        return f"HTTPRoute {self._name} belongs to Rollout {found.holder}; name another route or delete that Rollout"

    def _reserved(self, routing: Routing) -> str | None:
        """Why a backend cannot have its ConfigMap: the name is, or will be, one of headgate's own; None when it can."""
        names = (backends.config_map_name(routing.rollout, backend) for backend in self._backends)
        taken = next(filter(flag_place.is_reserved, names), None)
        if taken is None:
            return None
        return f"ConfigMap {taken}: names that end like this are headgate's own; call the backend otherwise"

    def _marked(self, marks: Marks, routing: Routing) -> bool:
        """Whether the marks are the routing's but for counts that may lag behind."""
        wanted = http_route_marks.wanted(routing, self._backends)
        lagging = replace(wanted, revision=marks.revision, attempt=marks.attempt)
        return marks == lagging and fence.stands(marks.revision, routing)

    def _carried(self, marks: Marks, routing: Routing) -> int:
        """The highest revision that the route or one of its ConfigMaps carries: each of them is a fence."""
        names = (backends.config_map_name(routing.rollout, backend) for backend in self._backends)
        own = (found for found in map(self._seen_config_map, names) if backends.is_of(found, routing.rollout))
        carried = [marks.revision, *map(backends.revision, own)]
        return max(fence.believed(revision, routing.revision) for revision in carried)

    def _publishes(self, routing: Routing) -> bool:
        """Whether the idle backend is to run another version than it does."""
        idle = 1 - routing.stable_slot
        shown = self._shown(routing)
        return idle not in shown or shown[idle].digest != backends.wanted(routing, shown)[idle].digest

    def _busy(self, route: Json, slot: int) -> bool:
        return http_route_document.shares(route, self._backends, slot) != Shares(0, 0)

    def _stable(self, marks: Marks, shown: dict[int, BackendVersion]) -> ArmVersion:
        found = shown.get(marks.slot)
        payload = found.payload if found and found.digest == marks.stable.digest else None
        return replace(marks.stable, payload=payload)

    def _exposed(self, route: Json, marks: Marks, shown: dict[int, BackendVersion]) -> frozenset[str]:
        """The digests that backends with traffic are to run, by their ConfigMaps and by the marks."""
        digests: set[str] = set()
        for slot in (0, 1):
            if http_route_document.shares(route, self._backends, slot).traffic:
                marked = marks.stable if slot == marks.slot else marks.candidate
                digests |= {version.digest for version in (shown.get(slot), marked) if version is not None}
        return frozenset(digests)

    def _shown(self, routing: Routing) -> dict[int, BackendVersion]:
        found: dict[int, BackendVersion] = {}
        for slot, backend in enumerate(self._backends):
            name = backends.config_map_name(routing.rollout, backend)
            if (version := backends.read(self._around.seen(CONFIG_MAP, name))) is not None:
                found[slot] = version
        return found

    def _seen_config_map(self, name: str) -> Json:
        return self._around.seen(CONFIG_MAP, name) or {}

    def _seen_route(self) -> Json | None:
        return self._around.seen(HTTP_ROUTE, self._name)

    def _route(self) -> Json:
        route = self._seen_route()
        if route is None:
            raise Unusable(self._missing())
        return route

    def _missing(self) -> str:
        both = f"{self._backends[0]} and {self._backends[1]}"
        return f"HTTPRoute {self._name} is not there; create it with a rule that names {both}"
