"""The Job that a hook makes from a CronJob, as kubectl create job --from=cronjob/NAME does, and what it is for. Pure.

Nobody gets a pod that somebody with the right to make pods had not put there: the template is taken as it stands, and
only told by environment variables what happened.
"""

import copy
import hashlib
import math

from headgate.aftermath.tries import FailedTry
from headgate.cluster import shape
from headgate.cluster.objects import Json, JsonValue
from headgate.engine.hooks import DueHook

KEY = "headgate.dev/after"
"""The annotation that says which hook of which revert a Job is."""
KEPT_SECONDS = 86_400
"""How long a Job is kept after its end when its template does not say."""
LEAST_KEPT_SECONDS = 600
"""Beyond the hook's time, in which it must be there to be found: long enough for its end to be seen."""
_LONGEST_NAME = 63
_INSTANTIATE = "cronjob.kubernetes.io/instantiate"


def job_name(hook: DueHook) -> str:
    """The one name of this hook's Job: it can be made once. The Rollout's UID is in it as a part of the digest."""
    digest = hashlib.sha256(hook.key.encode()).hexdigest()[:8]
    said = f"{hook.rollout.replace('.', '-')}-{hook.attempt}-{hook.name}"
    return f"{said[: _LONGEST_NAME - len(digest) - 1].rstrip('-')}-{digest}"


def job_document(hook: DueHook, cron_job: Json, left: float) -> Json:
    """The Job, for a hook with so many seconds left. Raises FailedTry for a CronJob without a template of pods."""
    template = shape.mapping(shape.at(cron_job, "spec", "jobTemplate"))
    metadata, spec = shape.mapping(template.get("metadata")), copy.deepcopy(dict(shape.mapping(template.get("spec"))))
    pod = shape.mapping(shape.at(spec, "template", "spec"))
    if not isinstance(pod.get("containers"), list):
        raise FailedTry(f"CronJob {hook.cron_job!r} has no template of a pod")
    for kind in ("initContainers", "containers"):
        containers = pod.get(kind)
        for container in containers if isinstance(containers, list) else ():
            if isinstance(container, dict):
                container["env"] = _environment(hook, container.get("env"))
    deadline, kept = spec.get("activeDeadlineSeconds"), spec.get("ttlSecondsAfterFinished")
    own, least = max(1, math.ceil(left)), math.ceil(hook.timeout) + LEAST_KEPT_SECONDS
    spec["activeDeadlineSeconds"] = min(deadline, own) if isinstance(deadline, int) else own
    spec["ttlSecondsAfterFinished"] = max(kept if isinstance(kept, int) else KEPT_SECONDS, least)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(hook),
            "namespace": hook.namespace,
            "labels": {
                **shape.mapping(metadata.get("labels")),
                "headgate.dev/rollout": hook.rollout,
                "headgate.dev/attempt": str(hook.attempt),
                "headgate.dev/hook": hook.name,
            },
            "annotations": {**shape.mapping(metadata.get("annotations")), _INSTANTIATE: "manual", KEY: hook.key},
        },
        "spec": spec,
    }


def _environment(hook: DueHook, given: JsonValue) -> list[JsonValue]:
    """What happened, and then what the template says; of equal names what happened counts."""
    told = {
        "HEADGATE_NAMESPACE": hook.namespace,
        "HEADGATE_ROLLOUT": hook.rollout,
        "HEADGATE_ATTEMPT": str(hook.attempt),
        "HEADGATE_REJECTED_VERSION": hook.rejected.version,
        "HEADGATE_STABLE_VERSION": hook.stable.version,
        "HEADGATE_REASON": hook.reason,
    }
    own = given if isinstance(given, list) else []
    others = [each for each in own if not (isinstance(each, dict) and each.get("name") in told)]
    # The kubelet would take a $(NAME) in what others wrote for a variable of the pod.
    told_first: list[JsonValue] = [{"name": name, "value": text.replace("$", "$$")} for name, text in told.items()]
    return [*told_first, *others]
