"""A flagd document in a ConfigMap: one key of its data, edited as text so that the rest stays as people wrote it."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headgate.cluster import shape
from headgate.cluster.objects import CONFIG_MAP, WATCH_LABEL, Json, JsonValue
from headgate.delivery import flag_place, flagd_document, json_text
from headgate.delivery.json_text import ObjectText
from headgate.delivery.namespace_objects import NamespaceObjects
from headgate.delivery.refusals import Unusable

LIMIT = 900 * 1024
"""Bytes of data above which no weight rises: a ConfigMap ends at 1 MiB, and the way back must still fit."""


@dataclass(frozen=True, slots=True)
class FlagConfigMap:
    """A key of a ConfigMap that holds a flagd document."""

    name: str
    key: str

    @property
    def place(self) -> str:
        """What people call it in messages."""
        return f"ConfigMap {self.name}, key {self.key}"

    def names(self, obj: Json | None) -> Iterable[str]:
        """The names of the document's flags. Raises Unusable for what cannot be read."""
        text = self._text(obj)
        return self._flags(text).keys() if text is not None else ()

    def flag(self, obj: Json | None, flag: str) -> Mapping[str, JsonValue] | None:
        """The flag; None when it, the key or the ConfigMap is missing. Raises Unusable for what cannot be read."""
        text = self._text(obj)
        if text is None:
            return None
        found = self._flags(text).get(flag)
        if found is None:
            return None
        return shape.mapping(found)

    def with_flag(self, obj: Json | None, flag: str, value: Json, *, rises: bool) -> Json:
        """The ConfigMap with the flag in it and headgate's label on it. Raises Unusable."""
        before = obj or {}
        if (foreign := flag_place.fault(self.name, self.key, obj)) is not None:
            raise Unusable(foreign)
        text = self._text(obj)
        if text is None:
            text = json.dumps({"$schema": flagd_document.SCHEMA, "flags": {flag: value}}, indent=2) + "\n"
        else:
            try:
                edited = self._document(text).with_member(flag, value)
            except json_text.NotJson as error:
                raise Unusable(f"{self.place}: {error}; keep one of them") from error
            text = edited.text
            _recent.add(text, edited)
        data = {**shape.mapping(before.get("data")), self.key: text}
        if rises:
            self._refuse_a_rise(text, _size(data))
        metadata = {"name": self.name, **shape.mapping(before.get("metadata"))}
        metadata["labels"] = {**shape.mapping(metadata.get("labels")), WATCH_LABEL: "true"}
        return {"apiVersion": "v1", "kind": "ConfigMap", **before, "metadata": metadata, "data": data}

    def owned_path(self, _flag: str) -> tuple[str, ...]:
        """Where in managedFields the document's writers stand."""
        return ("data", self.key)

    def _text(self, obj: Json | None) -> str | None:
        if obj is None:
            return None
        if self.key in shape.mapping(obj.get("binaryData")):
            raise Unusable(f"{self.place} is in binaryData; flagd's documents are text, move it to data")
        text = shape.text(shape.at(obj, "data", self.key))
        return text if text and text.strip() else None

    def _flags(self, text: str) -> Mapping[str, JsonValue]:
        return flagd_document.flags(self._document(text).document)

    def _document(self, text: str) -> ObjectText:
        """The document, with its flags. Raises Unusable for what cannot be read."""
        document = _recent.get(text)
        if document is None:
            try:
                flagd_document.flags(json_text.parse(text))
                document = ObjectText.read(text, "flags")
            except json_text.NotJson as error:
                raise Unusable(f"{self.place} is no JSON ({error}); repair it or empty the key") from error
            except flagd_document.NotADocument as error:
                raise Unusable(f"{self.place} {error}; make it a flagd document or empty the key") from error
            _recent.add(text, document)
        return document

    def _refuse_a_rise(self, text: str, size: int) -> None:
        if size > LIMIT:
            raise Unusable(
                f"{self.place}: no weight rises above {LIMIT // 1024} KiB of data, and this is {size // 1024} KiB; "
                "give the flag a ConfigMap of its own"
            )
        if (fault := flagd_document.fault(self._document(text).document)) is not None:
            raise Unusable(f"{self.place} {fault}: flagd would drop the whole document; repair it")


class _Recent:
    """The documents that were read or made last: many Rollouts look at one text, and nobody alters what it says."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._documents: OrderedDict[str, ObjectText] = OrderedDict()

    def get(self, text: str) -> ObjectText | None:
        document = self._documents.get(text)
        if document is not None:
            self._documents.move_to_end(text)
        return document

    def add(self, text: str, document: ObjectText) -> None:
        self._documents[text] = document
        while len(self._documents) > self._size:
            self._documents.popitem(last=False)


_recent = _Recent(16)


def _size(data: Mapping[str, JsonValue]) -> int:
    return sum(len(key) + len((shape.text(value) or "").encode()) for key, value in data.items())


async def write(around: NamespaceObjects, before: Json | None, after: Json) -> Json:
    """Creates the ConfigMap, or patches the keys and the label that differ. Raises ClusterError."""
    if before is None:
        return await around.objects.create(CONFIG_MAP, around.namespace, after)
    old, new = shape.mapping(before.get("data")), shape.mapping(after.get("data"))
    patch: Json = {"data": {key: value for key, value in new.items() if old.get(key) != value}}
    if shape.at(before, "metadata", "labels", WATCH_LABEL) != "true":
        patch["metadata"] = {"labels": {WATCH_LABEL: "true"}}
    name, version = shape.name(before), shape.resource_version(before)
    return await around.objects.merge_patch(CONFIG_MAP, around.namespace, name, patch, resource_version=version)
