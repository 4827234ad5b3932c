"""A flagd document in a FeatureFlag of the OpenFeature operator, whose flags are fields that flagd watches."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headgate.cluster import shape
from headgate.cluster.objects import FEATURE_FLAG, Json, JsonValue, NotFound
from headgate.delivery import flagd, flagd_document, json_text
from headgate.delivery.flag_config_map import LIMIT
from headgate.delivery.namespace_objects import NamespaceObjects
from headgate.delivery.refusals import Unusable


@dataclass(frozen=True, slots=True)
class FeatureFlag:
    """The flagSpec of a FeatureFlag.

    CRDs older than the operator's apis 0.2.46 prune the flags' metadata. So headgate's marks stand again in the
    annotation ``headgate.dev/<rollout>``, a JSON object by flag.
    """

    name: str

    @property
    def place(self) -> str:
        """What people call it in messages."""
        return f"FeatureFlag {self.name}"

    def names(self, obj: Json | None) -> Iterable[str]:
        """The names of the flags. Raises Unusable for what cannot be read."""
        return self._flags(obj).keys() if obj is not None else ()

    def flag(self, obj: Json | None, flag: str) -> Mapping[str, JsonValue] | None:
        """The flag with its marks; None when it or the FeatureFlag is missing. Raises Unusable."""
        if obj is None:
            return None
        found = self._flags(obj).get(flag)
        if found is None:
            return None
        fields = shape.mapping(found)
        if flagd.ROLLOUT in shape.mapping(fields.get("metadata")):
            return fields
        marked = [marks[flag] for marks in _marks(obj).values() if flag in marks]
        if not marked:
            return fields
        newest = max(marked, key=lambda marks: shape.whole(shape.mapping(marks).get(flagd.REVISION)) or 0)
        return {**fields, "metadata": newest}

    def with_flag(self, obj: Json | None, flag: str, value: Json, *, rises: bool) -> Json:
        """The FeatureFlag with the flag in it and its marks in the annotation. Raises Unusable."""
        before = obj or {}
        flags = {**self._flags(before), flag: value}
        after: Json = {
            "apiVersion": FEATURE_FLAG.api_version,
            "kind": FEATURE_FLAG.kind,
            **before,
            "metadata": {
                "name": self.name,
                **shape.mapping(before.get("metadata")),
                "annotations": _with_marks(before, flag, shape.mapping(value["metadata"])),
            },
            "spec": {
                **shape.mapping(before.get("spec")),
                "flagSpec": {**shape.mapping(shape.at(before, "spec", "flagSpec")), "flags": flags},
            },
        }
        if rises:
            self._refuse_a_rise(shape.at(after, "spec", "flagSpec"))
        return after

    def owned_path(self, flag: str) -> tuple[str, ...]:
        """Where in managedFields the flag's writers stand."""
        return ("spec", "flagSpec", "flags", flag)

    def _flags(self, obj: Json) -> Mapping[str, JsonValue]:
        try:
            return flagd_document.flags(shape.at(obj, "spec", "flagSpec") or {})
        except flagd_document.NotADocument as error:
            raise Unusable(f"{self.place} {error}") from error

    def _refuse_a_rise(self, document: JsonValue) -> None:
        if (size := len(json.dumps(document))) > LIMIT:
            raise Unusable(
                f"{self.place}: no weight rises above {LIMIT // 1024} KiB, and this is {size // 1024} KiB; "
                "give the flag a FeatureFlag of its own"
            )
        if (fault := flagd_document.fault(document)) is not None:
            raise Unusable(f"{self.place} {fault}: flagd would drop the whole document; repair it")


def _marks(obj: Json) -> dict[str, Mapping[str, JsonValue]]:
    """The marks by annotation, then by flag."""
    found: dict[str, Mapping[str, JsonValue]] = {}
    for key, value in shape.annotations(obj).items():
        if key.startswith(flagd.MARK) and isinstance(value, str):
            try:
                found[key] = shape.mapping(json_text.parse(value))
            except json_text.NotJson:
                continue  # an annotation that is not headgate's, or no longer readable, marks nothing
    return found


def _with_marks(obj: Json, flag: str, marks: Mapping[str, JsonValue]) -> Json:
    """The annotations with the flag's marks under its Rollout, and under no other."""
    annotations = dict(shape.annotations(obj))
    own = f"{flagd.MARK}{marks[flagd.ROLLOUT]}"
    known = _marks(obj)
    for key, by_flag in known.items():
        if key != own and flag in by_flag:
            annotations[key] = json.dumps({name: value for name, value in by_flag.items() if name != flag})
    annotations[own] = json.dumps({**known.get(own, {}), flag: dict(marks)})
    return annotations


async def write(around: NamespaceObjects, before: Json | None, after: Json) -> Json:
    """Creates the FeatureFlag, or replaces the flags and marks that differ. Raises ClusterError and Unusable."""
    name = shape.name(after)
    if before is None:
        try:
            return await around.objects.create(FEATURE_FLAG, around.namespace, after)
        except NotFound as error:
            raise Unusable(
                f"FeatureFlag {name}: the cluster serves no {FEATURE_FLAG.api_version}; "
                "install the OpenFeature operator's CRDs or deliver to a configMap"
            ) from error
    operations: list[Json] = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": shape.resource_version(before)}
    ]
    for path in (("spec", "flagSpec", "flags"), ("metadata", "annotations")):
        operations += _additions(before, after, path)
    return await around.objects.json_patch(FEATURE_FLAG, around.namespace, name, operations)


def _additions(before: Json, after: Json, path: tuple[str, ...]) -> list[Json]:
    """Adds what differs below the path, one operation a key; a parent that is missing is added whole."""
    for depth in range(1, len(path) + 1):
        if not isinstance(shape.at(before, *path[:depth]), dict):
            return [{"op": "add", "path": shape.pointer(*path[:depth]), "value": shape.at(after, *path[:depth])}]
    old, new = shape.mapping(shape.at(before, *path)), shape.mapping(shape.at(after, *path))
    return [
        {"op": "add", "path": shape.pointer(*path, key), "value": value}
        for key, value in new.items()
        if old.get(key) != value
    ]
