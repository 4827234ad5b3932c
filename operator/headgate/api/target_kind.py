"""Which objects a Rollout may release or write weights into, as the operator's configuration allows them."""

from typing import Annotated

from pydantic import Field, field_validator

from headgate.api.model import GROUP, SpecModel
from headgate.api.target import ApiVersion, FieldPath, KindName, holds

# Whoever edits one of these edits the cluster's own rules, or runs what they like: no way leads there through headgate.
BUILT_IN = frozenset(
    {
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
"""The groups that an API server serves by itself."""
# headgate's routers write these, with marks of their own in them; a second way in would go round those.
_OF_ROUTERS = frozenset({"core.openfeature.dev", "gateway.networking.k8s.io"})


class TargetKind(SpecModel):
    """A kind of custom resource whose objects Rollouts may name, and which of its fields."""

    api_version: ApiVersion
    """The group and version."""
    kind: KindName
    """The kind."""
    fields: Annotated[list[FieldPath], Field(min_length=1, max_length=64)]
    """The fields that may be released or written, each with all that stands in it."""

    @field_validator("api_version")
    @classmethod
    def _somebody_elses(cls, api_version: str) -> str:
        group = api_version.split("/", maxsplit=1)[0]
        if group == GROUP or group.endswith(f".{GROUP}"):
            raise ValueError(f"{api_version} is headgate's own; a Rollout releases no Rollout; remove it")
        if group in _OF_ROUTERS:
            raise ValueError(
                f"{api_version} is what deliveries write by themselves (flag.featureFlag, httpRoute), with marks that a"
                " second way in would go round; remove it"
            )
        if group in BUILT_IN:
            raise ValueError(
                f"{api_version} is built into Kubernetes; only custom resources are targets, or a Rollout would be"
                " a way to rights that its author has not; remove it"
            )
        return api_version

    def permits(self, path: str) -> bool:
        """Whether the field at that path may be released or written."""
        return any(holds(allowed, path) for allowed in self.fields)
