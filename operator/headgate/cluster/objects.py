"""The small face of Kubernetes that the other rooms see: kinds, objects as plain mappings, and typed refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
Json: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Kind:
    """A namespaced kind of object, as the API server serves it."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """``group/version``, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


CONFIG_MAP = Kind("", "v1", "configmaps", "ConfigMap")
EVENT = Kind("", "v1", "events", "Event")
ROLLOUT = Kind("headgate.dev", "v1alpha1", "rollouts", "Rollout")
QUALITY_GATE = Kind("headgate.dev", "v1alpha1", "qualitygates", "QualityGate")
PROMPT_VERSION = Kind("headgate.dev", "v1alpha1", "promptversions", "PromptVersion")
HTTP_ROUTE = Kind("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
FEATURE_FLAG = Kind("core.openfeature.dev", "v1beta1", "featureflags", "FeatureFlag")
CONTROLLER_REVISION = Kind("apps", "v1", "controllerrevisions", "ControllerRevision")
CRON_JOB = Kind("batch", "v1", "cronjobs", "CronJob")
JOB = Kind("batch", "v1", "jobs", "Job")
LEASE = Kind("coordination.k8s.io", "v1", "leases", "Lease")

WATCH_LABEL = "headgate.dev/watch"
"""Label (value "true") of the ConfigMaps that headgate watches; it never watches all of a cluster's."""

FIELD_MANAGER = "headgate"


class ClusterError(Exception):
    """The API server did not do what was asked; the text says what and why in one line."""


class Conflict(ClusterError):
    """A precondition did not hold (409, or 422 of a JSON patch's test): somebody else wrote first. Read again."""


class AlreadyExists(ClusterError):
    """The object to be created is there already."""


class NotFound(ClusterError):
    """The object, or its whole kind, is not there."""


class Refused(ClusterError):
    """The server will not have it as it is (400, 403, 413, 422): trying again changes nothing by itself."""


class Forbidden(Refused):
    """Whoever asked has not the right (403): a person must give it, or name somebody else who has it."""


class Oversized(Refused):
    """What was sent, or would be kept then, is larger than the API server or its etcd takes: less must be written."""


class Unavailable(ClusterError):
    """No answer, or one that says later (429, 5xx, connection, timeout). The write may or may not have happened."""

    def __init__(self, message: str, retry_after: float | None = None, *, unauthorized: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds, when the server said so."""
        self.unauthorized = unauthorized
        """Whether the credentials were not accepted (401): later is when there are others."""


class TooLarge(Unavailable):
    """The answer was longer than is read; less may be asked for."""


class NotLeading(ClusterError):
    """Nothing was sent: another replica may be the one that decides by now."""


class Objects(Protocol):
    """Reads and preconditioned writes. Every method raises a ClusterError's subclass, and nothing else, on failure."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Json:
        """The object as it is now. Raises NotFound."""
        ...

    async def create(self, kind: Kind, namespace: str, body: Json) -> Json:
        """Creates it; the name is the precondition. Raises AlreadyExists."""
        ...

    async def merge_patch(
        self, kind: Kind, namespace: str, name: str, body: Json, *, resource_version: str, subresource: str = ""
    ) -> Json:
        """A merge patch under the resourceVersion that was read. Returns the object. Raises Conflict, NotFound."""
        ...

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, JsonValue]]
    ) -> Json:
        """A JSON patch that holds its own ``test`` operations. Returns the object. Raises Conflict, NotFound."""
        ...


class Revisions(Objects, Protocol):
    """Objects of which some are listed, and deleted when they are too many."""

    async def labelled(self, kind: Kind, namespace: str, label_selector: str) -> Sequence[Json]:
        """The objects of a namespace that carry those labels. Raises NotFound when the kind is not served."""
        ...

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Deletes it while it is the object of that UID. Raises Conflict, NotFound."""
        ...


class Impersonates(Revisions, Protocol):
    """Revisions that can also be written in the name of a ServiceAccount."""

    def acting_as(self, namespace: str, service_account: str) -> Revisions:
        """The same, with every write sent as that ServiceAccount and no other power behind it. Raises Refused.

        Reads stay the operator's own. Two for the same account are the same object while both are held.
        """
        ...


class Documents(Protocol):
    """The last seen state of the objects that routers live in. Never asks the API server by itself."""

    def seen(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """The object as it was last seen by a watch or returned by a write; None when it was never seen or is gone."""
        ...

    def saw(self, kind: Kind, obj: Json) -> None:
        """Remembers an object that a read or write returned, unless something newer is known."""
        ...

    def gone(self, kind: Kind, namespace: str, name: str) -> None:
        """Forgets an object that is known not to exist."""
        ...
