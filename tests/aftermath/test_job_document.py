"""The Job that is made from a CronJob: its template, and what happened."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from headgate.aftermath.job_document import KEPT_SECONDS, LEAST_KEPT_SECONDS, job_document, job_name
from headgate.aftermath.tries import FailedTry
from headgate.cluster.objects import Json
from headgate.engine.hooks import DueHook
from tests.aftermath.cron_jobs import cron_job
from tests.aftermath.hooks import MADE

TOLD = {
    "HEADGATE_NAMESPACE": "ai",
    "HEADGATE_ROLLOUT": "reply",
    "HEADGATE_ATTEMPT": "3",
    "HEADGATE_REJECTED_VERSION": "v8",
    "HEADGATE_STABLE_VERSION": "v7",
    "HEADGATE_REASON": "quality/errors: 20% is above 5%",
}


def made(hook: DueHook = MADE, **changes: object) -> dict[str, Any]:
    return job_document(hook, cron_job(**changes), hook.timeout)


def containers(job: dict[str, Any]) -> list[dict[str, Any]]:
    pod = job["spec"]["template"]["spec"]
    found: list[dict[str, Any]] = [*pod["initContainers"], *pod["containers"]]
    return found


def test_it_is_the_template_and_what_it_is_for() -> None:
    template = cron_job()
    before = copy.deepcopy(template)
    job: dict[str, Any] = job_document(MADE, template, MADE.timeout)
    assert template == before, "the CronJob as it is known was changed"
    assert (job["apiVersion"], job["kind"], job["metadata"]["namespace"]) == ("batch/v1", "Job", "ai")
    assert job["metadata"]["labels"] == {
        "team": "ai",
        "headgate.dev/rollout": "reply",
        "headgate.dev/attempt": "3",
        "headgate.dev/hook": "smoke",
    }
    assert job["metadata"]["annotations"] == {
        "note": "x",
        "cronjob.kubernetes.io/instantiate": "manual",
        "headgate.dev/after": MADE.key,
    }
    assert job["spec"]["backoffLimit"] == 1
    assert [each["image"] for each in containers(job)] == ["fetch", "evaluate"]
    assert "ownerReferences" not in job["metadata"]


def test_each_container_is_told_what_happened_and_keeps_what_else_it_knew() -> None:
    fetch, evaluate = containers(made())
    assert {each["name"]: each["value"] for each in fetch["env"]} == TOLD
    assert {each["name"]: each["value"] for each in evaluate["env"]} == {**TOLD, "SET": "smoke"}
    assert len(evaluate["env"]) == len(TOLD) + 1


def test_what_others_wrote_is_no_variable_of_the_pod() -> None:
    sly = replace(MADE, reason="alert: $(PASSWORD) costs $5 $$(X)")
    [reason] = [each for each in containers(made(sly))[1]["env"] if each["name"] == "HEADGATE_REASON"]
    assert reason["value"] == "alert: $$(PASSWORD) costs $$5 $$$$(X)"


@pytest.mark.parametrize(("given", "wanted"), [(None, 600), (60, 60), (7200, 600)])
def test_it_ends_within_the_hooks_time(given: int | None, wanted: int) -> None:
    changes: dict[str, Any] = {} if given is None else {"activeDeadlineSeconds": given}
    assert made(**changes)["spec"]["activeDeadlineSeconds"] == wanted


@pytest.mark.parametrize(("left", "wanted"), [(600.0, 600), (300.2, 301), (0.01, 1)])
def test_one_that_is_made_late_has_what_is_left_of_the_hooks_time(left: float, wanted: int) -> None:
    spec: dict[str, Any] = job_document(MADE, cron_job(), left)["spec"]  # type: ignore[assignment]  # it is a mapping
    assert spec["activeDeadlineSeconds"] == wanted


@pytest.mark.parametrize(("given", "wanted"), [(None, KEPT_SECONDS), (0, 1200), (60, 1200), (90_000, 90_000)])
def test_it_removes_itself_but_not_within_the_hooks_time_nor_before_its_end_was_seen(
    given: int | None, wanted: int
) -> None:
    changes: dict[str, Any] = {} if given is None else {"ttlSecondsAfterFinished": given}
    assert made(**changes)["spec"]["ttlSecondsAfterFinished"] == wanted


def test_one_with_a_day_of_time_is_kept_for_more_than_a_day() -> None:
    long = replace(MADE, timeout=86_400.0)
    assert made(long)["spec"]["ttlSecondsAfterFinished"] == 86_400 + LEAST_KEPT_SECONDS


def test_its_name_is_its_own_whatever_rollout_attempt_and_hook_are_called() -> None:
    same = [
        MADE,
        replace(MADE, rollout="reply-3", attempt=3, name="smoke", uid="another"),
        replace(MADE, rollout="reply", attempt=3, name="3-smoke"),
        replace(MADE, rollout="reply-3", attempt=3),
        replace(MADE, attempt=4),
        replace(MADE, uid="another"),
        replace(MADE, rollout="r" * 63, name="a" * 63),
        replace(MADE, rollout="r" * 63, name="b" * 63),
        replace(MADE, rollout="a.b"),
    ]
    names = [job_name(hook) for hook in same]
    assert len(set(names)) == len(same)
    assert all(len(name) <= 63 and name.replace("-", "a").isalnum() and name.islower() for name in names)
    assert job_name(MADE).startswith("reply-3-smoke-")


@pytest.mark.parametrize(
    "odd", [{}, {"spec": None}, {"spec": {"jobTemplate": {"spec": {"template": {}}}}}, {"spec": []}]
)
def test_a_cron_job_without_pods_makes_none(odd: Json) -> None:
    with pytest.raises(FailedTry, match="no template of a pod"):
        job_document(MADE, odd, MADE.timeout)
