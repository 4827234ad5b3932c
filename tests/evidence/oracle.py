"""What a real Prometheus' own parser says of a query."""

from collections.abc import Iterator

import requests


class Oracle:
    """Parses by ``/api/v1/parse_query``."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1/parse_query"
        self._session = requests.Session()
        self._session.trust_env = False

    def tree(self, query: str) -> dict[str, object] | None:
        """The syntax tree, or None for what is no PromQL."""
        answer = self._session.post(self._url, data={"query": query}, timeout=10).json()
        if answer["status"] != "success":
            assert answer["errorType"] == "bad_data", answer
            return None
        tree: dict[str, object] = answer["data"]
        return tree


def selectors(tree: object) -> Iterator[dict[str, object]]:
    """Every selector of a tree."""
    if isinstance(tree, dict):
        if tree.get("type") in ("vectorSelector", "matrixSelector"):
            yield tree
        for part in tree.values():
            yield from selectors(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from selectors(part)


def matchers(selector: dict[str, object]) -> list[tuple[str, str, str]]:
    """A selector's matchers, as label, operator and value."""
    found = selector["matchers"]
    assert isinstance(found, list)
    return [(one["name"], one["type"], one["value"]) for one in found]


def without(tree: object, matcher: tuple[str, str, str]) -> object:
    """The tree without one matcher in each of its selectors."""
    if isinstance(tree, list):
        return [without(part, matcher) for part in tree]
    if not isinstance(tree, dict):
        return tree
    left = {name: without(part, matcher) for name, part in tree.items()}
    if tree.get("type") in ("vectorSelector", "matrixSelector"):
        name, kind, value = matcher
        left["matchers"] = [
            one for one in tree["matchers"] if (one["name"], one["type"], one["value"]) != (name, kind, value)
        ]
    return left
