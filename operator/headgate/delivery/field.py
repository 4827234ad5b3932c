"""A field of an object as a router: another controller reads the candidate's share from it. It has no legacy path."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from headgate.api.rollout_status import TargetRef
from headgate.api.target import FieldDelivery, ObjectReference
from headgate.cluster.objects import ClusterError, Conflict, Json, Kind
from headgate.delivery import fence, field_document
from headgate.delivery.field_document import Marks, Wanted
from headgate.delivery.last_writer import other_writer
from headgate.delivery.namespace_objects import NamespaceObjects
from headgate.delivery.refusals import Unusable
from headgate.delivery.succession import Holds, Succession, succession
from headgate.delivery.turns import Turns
from headgate.engine.routing import RouterState, Routing

KindOf = Callable[[ObjectReference | TargetRef, str], Kind | str]
"""The kind of an object whose field is meant; why there is none, for people."""

_TURNS = Turns()


class FieldRouter:
    """The weight in one field of one object."""

    def __init__(
        self,
        router: str,
        delivery: FieldDelivery,
        around: NamespaceObjects,
        holds: Holds,
        kind_of: KindOf,
    ) -> None:
        self._router = router
        self._path = delivery.path
        self._target = delivery.target
        self._around = around
        self._holds = holds
        self._kind = kind_of(delivery.target, delivery.path) if delivery.target is not None else "it names no object"

    def observe(self, routing: Routing) -> RouterState:
        """What the field was last seen to hold. Asks nobody."""
        if isinstance(self._kind, str) or self._target is None:
            return RouterState(self._router, matches=False, problem=str(self._kind))
        obj = self._around.seen(self._kind, self._target.name)
        if obj is None:
            return RouterState(self._router, matches=False, absent=True, problem=self._missing())
        found, held = self._found(obj, routing), field_document.value(obj, self._path)
        marks, problem = found.before, self._problem(obj, found)
        if marks is None:
            return RouterState(self._router, matches=False, problem=problem)
        must = field_document.wanted(obj, self._path, routing, marks)
        is_own = found.own is not None
        written = is_own and problem is None and self._is_written(held, must, marks, routing)
        exposing = held if held is not None else 100
        if held == must.weight and not must.marks.weight:
            exposing = 0
        candidate = {marks.candidate.digest} if marks.candidate is not None and exposing else set()
        paths = [tuple(self._path.split(".")), ("metadata", "annotations", field_document.PREFIX + routing.rollout)]
        return RouterState(
            self._router,
            matches=written and not must.waits,
            weight=exposing if held is not None else None,
            shadow=0,
            revision=fence.believed(marks.revision, routing.revision) if is_own else None,
            stable=marks.stable,
            exposed=frozenset({marks.stable.digest} | candidate),
            lags=is_own and not written and problem is None and held == marks.written and self._lags(must, marks),
            waits=must.waits if written else "",
            behind=must.behind if written else "",
            writer=None if written else other_writer(obj, *paths),
            problem=problem,
        )

    async def apply(self, routing: Routing) -> RouterState:
        """Writes the weight and the marks in one write. Raises ClusterError, Fenced and Unusable."""
        kind, target = self._known()
        turn = _TURNS.of(self._around, kind, target.name)
        return await turn.take(partial(self._write, kind, target, routing))

    async def _write(self, kind: Kind, target: ObjectReference, routing: Routing) -> RouterState:
        obj = self._around.seen(kind, target.name)
        if obj is None:
            # Every object of an allowed kind is listed before anything is decided, and then watched.
            raise Unusable(self._missing())
        state = self.observe(routing)
        if state.matches or state.waits:
            return state
        found = self._found(obj, routing)
        if (reason := self._problem(obj, found)) is not None:
            raise Unusable(reason)
        fence.check(found.own.revision if found.own is not None else None, routing)
        must = field_document.wanted(obj, self._path, routing, found.before)
        operations = field_document.edits(obj, self._path, routing, must, found.left)
        try:
            written = await self._around.objects.json_patch(kind, self._around.namespace, target.name, operations)
        except Conflict:
            await self._look_again(routing)
            raise
        self._around.documents.saw(kind, written)
        return self.observe(routing)

    async def refresh(self) -> None:
        """Reads the object. Raises ClusterError."""
        if not isinstance(self._kind, str) and self._target is not None:
            await self._around.fetch(self._kind, self._target.name)

    async def _look_again(self, routing: Routing) -> None:
        """Somebody else wrote the object: raises Fenced when that was a higher revision."""
        kind, target = self._known()
        try:
            obj = await self._around.fetch(kind, target.name)
        except ClusterError:
            return  # the conflict itself is what the caller hears of
        marks = self._found(obj, routing).own if obj is not None else None
        fence.check(marks.revision if marks is not None else None, routing)

    def _known(self) -> tuple[Kind, ObjectReference]:
        if isinstance(self._kind, str) or self._target is None:
            raise Unusable(str(self._kind))
        return self._kind, self._target

    def _found(self, obj: Json, routing: Routing) -> Succession[Marks]:
        """Whose the field is, by the marks on it."""
        marks = {rollout: each for (rollout, path), each in field_document.on(obj).items() if path == self._path}
        return succession(marks, routing, self._holds)

    @staticmethod
    def _is_written(held: int | None, must: Wanted, marks: Marks, routing: Routing) -> bool:
        """Whether the field and the marks are the routing's but for counts that may lag behind."""
        same = marks == replace(must.marks, revision=marks.revision, attempt=marks.attempt)
        return held == must.weight and same and fence.stands(marks.revision, routing)

    @staticmethod
    def _lags(must: Wanted, marks: Marks) -> bool:
        """Whether the marks are the routing's but for what follows from the status of the field's reader."""
        counts = replace(must.marks, revision=marks.revision, attempt=marks.attempt)
        return marks == replace(counts, kserve=marks.kserve, written=marks.written, weight=marks.weight)

    def _problem(self, obj: Json, found: Succession[Marks]) -> str | None:
        """Why the field cannot be written, in one line; None when it can."""
        if found.holder is not None:
            return (
                f"{self._path} of {field_document.kind_and_name(obj)} belongs to Rollout {found.holder};"
                " name another field or delete that Rollout"
            )
        return field_document.problem(obj, self._path)

    def _missing(self) -> str:
        if self._target is None:
            return "it names no object"
        return f"{self._target.kind} {self._target.name} is not there; create it with the field {self._path}"
