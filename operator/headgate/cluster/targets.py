"""The kinds that Rollouts may release or write into: which are allowed, which are served, and what is kept of them."""

from collections.abc import Iterable
from dataclasses import replace

from headgate.api.rollout import RolloutSpec
from headgate.api.rollout_status import AttemptState, TargetRef
from headgate.api.target import ObjectReference
from headgate.api.target_kind import TargetKind
from headgate.cluster.gitops import MARKS, keeper
from headgate.cluster.metadata import identity
from headgate.cluster.objects import Json, JsonValue, Kind
from headgate.engine.content import Content, content_of, version_name
from headgate.engine.observation import RolloutView, TargetView, VersionView
from headgate.engine.routing import Payload
from headgate.engine.target import NOT_ALLOWED, NOT_FOUND, NOT_SERVED

_OURS = "headgate.dev/"
_KEPT_METADATA = ("name", "namespace", "uid", "resourceVersion", "generation", "deletionTimestamp", "managedFields")


class Targets:
    """What the configuration allows, joined with what the API server was seen to serve."""

    def __init__(self, allowed: Iterable[TargetKind] = ()) -> None:
        self.allowed = {(kind.api_version, kind.kind): kind for kind in allowed}
        """By apiVersion and kind."""
        self._served: dict[tuple[str, str], Kind] = {}
        self._listed: set[Kind] = set()

    def serves(self, allowed: TargetKind, plural: str) -> Kind:
        """The API server serves that kind under that plural."""
        group, version = allowed.api_version.split("/", 1)
        kind = Kind(group, version, plural, allowed.kind)
        self._served[allowed.api_version, allowed.kind] = kind
        return kind

    def listed(self, kind: Kind) -> None:
        """All objects of the kind are known: one that is not known does not exist."""
        self._listed.add(kind)

    @property
    def served(self) -> tuple[Kind, ...]:
        """The kinds that were seen to be served."""
        return tuple(self._served.values())

    def kind_of(self, named: "ObjectReference | TargetRef", *paths: str) -> Kind | str:
        """The kind of a named object whose fields at those paths are meant; why there is none, for people."""
        allowed = self.allowed.get((named.api_version, named.kind))
        what = f"{named.api_version} {named.kind}"
        if allowed is None:
            return (
                f"{what} is not among the targets of the operator's configuration, so no Rollout may name it;"
                f" add it there: targets: [{{apiVersion: {named.api_version}, kind: {named.kind}, fields: [...]}}]"
            )
        for path in paths:
            if not allowed.permits(path):
                return (
                    f"{path} of {what} is not among the fields that the operator's configuration allows"
                    f" ({', '.join(allowed.fields)}); add it there, or name another field"
                )
        served = self._served.get((named.api_version, named.kind))
        if served is None or served not in self._listed:
            return f"{what} is not served or may not be listed; install its CRD, and see the chart's values: targets"
        return served

    def is_allowed(self, named: "ObjectReference | TargetRef", *paths: str) -> bool:
        """Whether the configuration lets a Rollout name these fields of such an object."""
        allowed = self.allowed.get((named.api_version, named.kind))
        return allowed is not None and all(allowed.permits(path) for path in paths)

    def unread(self, ref: TargetRef) -> str | None:
        """Why it is not known what stable's fields hold, in one line with the way out; None where it is."""
        if self.is_allowed(ref, *ref.fields):
            return None
        return (
            f"{self.kind_of(ref, *ref.fields)}; what is stable is so by this field too: allow it"
            " until this Rollout is Ready with the fields that it names now"
        )

    def keep(self, kind: Kind, obj: Json) -> Json:
        """The object without what no Rollout may be about: its identity, marks, allowed fields and KServe's status."""
        allowed = self.allowed.get((kind.api_version, kind.kind))
        if allowed is None:
            return obj
        kept: Json = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": _metadata(obj)}
        for path in allowed.fields:
            _copy(obj, kept, path.split("."))
        _copy(obj, kept, ["status", "components"])
        return kept


def refused(targets: Targets, spec: RolloutSpec) -> str | None:
    """Why a spec names something that the configuration does not allow, in one line; None when it does not."""
    named: list[tuple[ObjectReference, tuple[str, ...]]] = []
    if spec.target is not None:
        named.append((spec.target, tuple(spec.target.fields)))
    fields = (route.field for route in spec.routes())
    named += [(field.target, (field.path,)) for field in fields if field is not None and field.target is not None]
    for reference, paths in named:
        if not targets.is_allowed(reference, *paths):
            why = targets.kind_of(reference, *paths)
            return why if isinstance(why, str) else None
    return None


def view_of(rollout: RolloutView, kind: Kind | str, obj: Json | None) -> TargetView:
    """What the object that a Rollout releases holds, by stable's fields while it is still stable's object."""
    named = wanted(rollout)
    if named is None:
        return TargetView()
    if isinstance(kind, str):
        return TargetView(reason=NOT_SERVED, message=kind)
    who = identity(obj) if obj is not None else None
    if obj is None or who is None or who.deleting:
        where = f"{named.kind} {named.name} does not exist in namespace {rollout.namespace!r}"
        return TargetView(reason=NOT_FOUND, message=f"{where}; apply it, or name another in spec.target")
    before = rollout.status.stable.target if rollout.status.stable is not None else None
    declared = rollout.spec.target.fields if rollout.spec is not None and rollout.spec.target is not None else None
    same = before is not None and before.uid == who.uid
    fields = list(before.fields) if before is not None and same else list(declared or ())
    ref = _ref(named, who.uid, fields)
    content = content_of(obj, fields)
    other = declared is not None and sorted(declared) != sorted(fields)
    rebased = content_of(obj, declared) if declared is not None and other else None
    return TargetView(
        ref=ref,
        version=_version(rollout.name, who.uid, content),
        content=content,
        rebased=_version(rollout.name, who.uid, rebased) if rebased is not None else None,
        rebased_ref=_ref(named, who.uid, declared or []) if rebased is not None else None,
        rebased_content=rebased,
        generation=who.generation,
        keeper=keeper(obj),
    )


def not_allowed(message: str, stable: TargetView | None = None) -> TargetView:
    """The view of a target that no Rollout may name; ``stable`` is what is seen by stable's fields all the same."""
    return replace(stable if stable is not None else TargetView(), reason=NOT_ALLOWED, message=message)


def wanted(rollout: RolloutView) -> "ObjectReference | TargetRef | None":
    """The object that a Rollout releases; what is on record where the spec cannot be read, and on a way back."""
    attempt, stable = rollout.status.attempt, rollout.status.stable
    is_taken_back = attempt is not None and attempt.state is AttemptState.ROLLING_BACK and stable is not None
    if rollout.spec is not None and not is_taken_back:
        return rollout.spec.target
    return stable.target if stable is not None else None


def _ref(named: "ObjectReference | TargetRef", uid: str, fields: list[str]) -> TargetRef:
    return TargetRef(api_version=named.api_version, kind=named.kind, name=named.name, uid=uid, fields=sorted(fields))


def _version(rollout: str, uid: str, content: Content) -> VersionView:
    digest = content.digest
    return VersionView(version_name(rollout, digest), uid, "", digest, Payload(), ready=True)


def _metadata(obj: Json) -> Json:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        return {}
    kept: Json = {name: metadata[name] for name in _KEPT_METADATA if name in metadata}
    annotations, labels = metadata.get("annotations"), metadata.get("labels")
    if isinstance(annotations, dict):
        ours = {name: value for name, value in annotations.items() if name.startswith(_OURS) or name in MARKS}
        kept["annotations"] = ours
    if isinstance(labels, dict) and (marks := {name: labels[name] for name in labels if name in MARKS}):
        kept["labels"] = marks
    return kept


def _copy(source: Json, into: Json, path: list[str]) -> None:
    """Copies what stands at a path, or the nearest of its parents that is no object."""
    here: JsonValue = source
    there = into
    for index, name in enumerate(path):
        if not isinstance(here, dict) or name not in here:
            return
        here = here[name]
        if index == len(path) - 1 or not isinstance(here, dict):
            there[name] = here
            return
        inner = there.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        there = inner
