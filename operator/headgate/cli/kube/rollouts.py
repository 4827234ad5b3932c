"""Rollouts as the API server has them: get, list, preconditioned patches and a watch, with typed refusals."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import cast

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from headgate.cli.kube.refusals import Expired, innermost_cause, refusal
from headgate.cluster.objects import CONFIG_MAP, PROMPT_VERSION, ROLLOUT, Json, NotFound, Refused, Unavailable

FIELD_MANAGER = "headgate-cli"
_PAGE = 500
_MERGE_PATCH = "application/merge-patch+json"


class EventKind(StrEnum):
    """What a watch tells of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a watch."""

    kind: EventKind
    obj: Json


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects, and the resourceVersion from which a watch goes on."""

    items: tuple[Json, ...]
    resource_version: str


@dataclass(frozen=True, slots=True)
class _Page:
    """A part of a list, and the token for the next part."""

    items: tuple[Json, ...]
    resource_version: str
    more: str | None


class Rollouts:
    """The Rollouts of a cluster. Every method raises a ClusterError's subclass, and nothing else, on failure."""

    def __init__(self, api: client.ApiClient, *, timeout: float) -> None:
        self._api = client.CustomObjectsApi(api)
        self._client = api
        self._timeout = timeout
        self._host = api.configuration.host

    def get(self, namespace: str, name: str) -> Json:
        """One Rollout. Raises NotFound."""
        with self._typed(f"rollout {namespace}/{name}"):
            return _mapping(
                self._api.get_namespaced_custom_object(
                    ROLLOUT.group, ROLLOUT.version, namespace, ROLLOUT.plural, name, _request_timeout=self._timeout
                )
            )

    def listing(self, namespace: str | None, name: str | None = None) -> Listing:
        """All of a namespace or, for None, of the cluster; or the one of that name, when it is there.

        Raises NotFound when the cluster has no such kind.
        """
        items: list[Json] = []
        more: str | None = None
        while True:
            page = self._page(namespace, name, _PAGE, more)
            items.extend(page.items)
            more = page.more
            if not more:
                return Listing(tuple(items), page.resource_version)

    def names(self, namespace: str, *, most: int) -> tuple[str, ...]:
        """The first names of a namespace, in their order."""
        page = self._page(namespace, None, most, None)
        found = (item.get("metadata") for item in page.items)
        return tuple(str(metadata.get("name")) for metadata in found if isinstance(metadata, dict))

    def merge_patch(
        self, namespace: str, name: str, body: Json, *, resource_version: str, dry_run: bool = False
    ) -> Json:
        """A merge patch under the resourceVersion that was read. Returns the object. Raises Conflict, NotFound.

        With ``dry_run`` the API server checks everything and stores nothing.
        """
        metadata = _mapping(body.get("metadata", {}))
        preconditioned = {**body, "metadata": {**metadata, "resourceVersion": resource_version}}
        with self._typed(f"rollout {namespace}/{name}"):
            return _mapping(
                self._api.patch_namespaced_custom_object(
                    ROLLOUT.group,
                    ROLLOUT.version,
                    namespace,
                    ROLLOUT.plural,
                    name,
                    preconditioned,
                    field_manager=FIELD_MANAGER,
                    dry_run="All" if dry_run else None,
                    _content_type=_MERGE_PATCH,
                    _request_timeout=self._timeout,
                )
            )

    def watch(self, namespace: str | None, name: str | None, resource_version: str, *, seconds: int) -> Iterator[Event]:
        """What happens from a resourceVersion on, for at most so many seconds. Raises Expired."""
        with self._typed("the watch of rollouts"):
            response = self._lister(namespace)(
                field_selector=f"metadata.name={name}" if name else None,
                resource_version=resource_version,
                watch=True,
                allow_watch_bookmarks=True,
                timeout_seconds=seconds,
                _preload_content=False,
                _request_timeout=(self._timeout, seconds + self._timeout),
            )
            stream = cast("urllib3.BaseHTTPResponse", response)
            try:
                yield from _events(_successful(stream))
            finally:
                stream.close()

    def family(self, namespace: str, version: str) -> str | None:
        """The family of a PromptVersion; None where there is none of that name, or it may not be read."""
        kind = PROMPT_VERSION
        try:
            with self._typed(f"{kind.kind} {namespace}/{version}"):
                found = _mapping(
                    self._api.get_namespaced_custom_object(
                        kind.group, kind.version, namespace, kind.plural, version, _request_timeout=self._timeout
                    )
                )
                return str(_mapping(found["spec"])["family"])
        except (NotFound, Refused):
            return None

    def config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        """The data of a ConfigMap, such as an attempt's manifest. Raises NotFound."""
        # Without the client's class for the core group, which imports a third of a second's worth of models.
        request = self._client.param_serialize(
            "GET",
            "/api/v1/namespaces/{namespace}/configmaps/{name}",
            path_params={"namespace": namespace, "name": name},
            auth_settings=["BearerToken"],
        )
        with self._typed(f"{CONFIG_MAP.kind} {namespace}/{name}"):
            answer = self._client.call_api(*request, _request_timeout=self._timeout)
            stream = _successful(answer.response)
            data = _mapping(_mapping(json.loads(stream.data)).get("data") or {})
            return {key: str(value) for key, value in data.items()}

    def _page(self, namespace: str | None, name: str | None, limit: int, more: str | None) -> _Page:
        with self._typed("rollouts"):
            page = _mapping(
                self._lister(namespace)(
                    field_selector=f"metadata.name={name}" if name else None,
                    limit=limit,
                    _continue=more,
                    _request_timeout=self._timeout,
                )
            )
            metadata, items = _mapping(page["metadata"]), page["items"]
            if not isinstance(items, list):
                raise TypeError("a list was expected")
            following = metadata.get("continue")
            return _Page(
                tuple(_mapping(item) for item in items),
                str(metadata["resourceVersion"]),
                str(following) if following else None,
            )

    def _lister(self, namespace: str | None) -> Callable[..., object]:
        if namespace is None:
            return partial(self._api.list_cluster_custom_object, ROLLOUT.group, ROLLOUT.version, ROLLOUT.plural)
        return partial(
            self._api.list_namespaced_custom_object, ROLLOUT.group, ROLLOUT.version, namespace, ROLLOUT.plural
        )

    @contextmanager
    def _typed(self, what: str) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise refusal(error, what) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unavailable(
                f"{what}: the API server {self._host} does not answer: {innermost_cause(error)}"
            ) from error
        except (ValueError, TypeError, KeyError) as error:
            raise Unavailable(f"{what}: {self._host} does not answer like a Kubernetes API server: {error}") from error


def _successful(stream: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    """The same; the client leaves it to its caller to look at the status of what it does not read itself."""
    if not 200 <= stream.status <= 299:
        raise ApiException(status=stream.status, reason=stream.reason, body=stream.data.decode(errors="replace"))
    return stream


def _events(stream: urllib3.BaseHTTPResponse) -> Iterator[Event]:
    rest = b""
    for chunk in stream.stream(amt=None):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield _event(_mapping(json.loads(line)))


def _event(line: Json) -> Event:
    obj = _mapping(line["object"])
    if line["type"] == "ERROR":
        message = str(obj.get("message", "the watch ended"))
        raise Expired(message) if obj.get("code") == 410 else Unavailable(message)
    return Event(EventKind(str(line["type"])), obj)


def _mapping(value: object) -> Json:
    if not isinstance(value, dict):
        raise TypeError("an object was expected")
    return cast("Json", value)
