"""A CronJob as a team keeps one for this purpose: suspended, so that it is a template and nothing more."""

from typing import Any

from headgate.cluster.objects import Json


def cron_job(**changes: Any) -> Json:  # noqa: ANN401 - fields of any type
    """Evaluates once; fields of the Job's spec may be changed."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "smoke-evaluation"},
        "spec": {
            "schedule": "0 0 1 1 *",
            "suspend": True,
            "jobTemplate": {
                "metadata": {"labels": {"team": "ai"}, "annotations": {"note": "x"}},
                "spec": {
                    "backoffLimit": 1,
                    "template": {
                        "spec": {
                            "restartPolicy": "Never",
                            "initContainers": [{"name": "fetch", "image": "fetch"}],
                            "containers": [
                                {
                                    "name": "evaluate",
                                    "image": "evaluate",
                                    "env": [
                                        {"name": "SET", "value": "smoke"},
                                        {"name": "HEADGATE_ATTEMPT", "value": "none"},
                                    ],
                                }
                            ],
                        }
                    },
                    **changes,
                },
            },
        },
    }
