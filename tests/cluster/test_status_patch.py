"""A status is written as the least that changed."""

from headgate.cluster.objects import Json
from headgate.cluster.status_patch import merge_patch


def merged(target: Json, patch: Json) -> Json:
    """RFC 7396, as the API server does it."""
    result = dict(target)
    for name, value in patch.items():
        known = result.get(name)
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = merged(known if isinstance(known, dict) else {}, value)
        else:
            result[name] = value
    return result


BEFORE: Json = {"revision": 1, "attempt": {"number": 1, "step": {"index": 0, "name": "10"}}, "verdicts": [{"a": 1}]}
AFTER: Json = {"revision": 2, "attempt": {"number": 1, "outcome": "Promoted"}, "verdicts": []}


def test_nothing_is_written_when_nothing_changed() -> None:
    assert merge_patch(BEFORE, BEFORE) == {}


def test_what_is_gone_is_removed_and_lists_are_whole() -> None:
    patch = merge_patch(BEFORE, AFTER)
    assert patch == {"revision": 2, "attempt": {"step": None, "outcome": "Promoted"}, "verdicts": []}
    assert merged(BEFORE, patch) == AFTER
