"""All that is there when a run is over, without what differs between two runs anyway. Judges nothing."""

import json
import re
from typing import Any

from headgate.engine.alert_note import ALERT
from tests.faults.chronicle import KINDS
from tests.faults.world import FOREIGN, World
from tests.integration.cluster import Document

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MANIFEST = re.compile(r"\b((?:reply|ranker)-attempt-\d+)-[0-9a-f]{6,}\b")
_HASH = "headgate.dev/digest"
_PASSING = {
    *("resourceVersion", "generation", "observedGeneration", "managedFields", "revision", "headgate.dev/revision"),
    *("exposedAt", "deliveredAt", "verdicts"),
}
"""What counts writes, of which there may be more; and what is written when a transition comes that takes it along."""


def ending(world: World) -> dict[str, Document]:
    """Everything in the namespace, by kind and name."""
    found: dict[str, Document] = {}
    for kind in KINDS:
        listed = world.namespace.every(kind)
        for each in listed:
            if each["metadata"]["name"] != "kube-root-ca.crt":
                name = _MANIFEST.sub(r"\1", each["metadata"]["name"])
                found[f"{kind}/{name}"] = lasting(each, world.name)
    return found


def lasting(raw: Document, namespace: str) -> Document:
    """What of an object does not differ from run to run."""
    metadata = raw["metadata"]
    annotations = dict(metadata.get("annotations", {}))
    foreign = annotations.pop(FOREIGN, None)
    # An alert counts before it is stored; that it did stands in the history.
    annotations.pop(ALERT, None)
    owners = sorted(
        f"{entry['manager']} of {entry.get('subresource') or 'the object'}"
        for entry in metadata.get("managedFields", ())
        if entry["manager"] != "a-person"
    )
    rest = {key: value for key, value in raw.items() if key not in ("metadata", "apiVersion", "kind")}
    kept = {"annotations": annotations, "labels": metadata.get("labels", {}), "owners": owners, **rest}
    text = json.dumps(_without_passing(kept)).replace(namespace, "<namespace>")
    text = _MANIFEST.sub(r"\1", _UID.sub("<uid>", _TIME.sub("<time>", text)))
    lasting: Document = json.loads(text)
    lasting["annotated"] = foreign is not None
    return lasting


def _without_passing(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str) and value.startswith("{"):
        # A document within the document, such as a flag's or a record's.
        try:
            return _without_passing(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, dict):
        # A record's own hash goes with its revision.
        hashed = "record.json" in value or any(key.endswith("api-version") for key in value)
        return {
            key: _without_passing(each)
            for key, each in value.items()
            if key not in _PASSING and not (hashed and key == _HASH)
        }
    return [_without_passing(each) for each in value] if isinstance(value, list) else value
