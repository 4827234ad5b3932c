"""The way back of a target when others write against it: GitOps, a schema that changed, snapshots that are not ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.controller.kube import Kube, Requests
from tests.targets.inference_service import crd, service
from tests.targets.ranking import HELD, Ranking, model, version_of

MOST_WEIGHTS = 4
"""The steps' weights up to the breach, and 0."""
MOST_STATUSES = 4
"""Rejected, undelivered, delivered in between once at most, undelivered for good."""

pytestmark = pytest.mark.usefixtures("operator")


@contextmanager
def git_ops(
    ranking: Ranking, number: int, *, manager: str = "git", weight: int | None = None
) -> Iterator[list[dict[str, Any]]]:
    """A controller that forces what Git says upon the ranker every few moments; what it found whenever it had to."""
    over, corrections = threading.Event(), list[dict[str, Any]]()
    written = service(model(number)) if weight is None else service(model(number), canaryTrafficPercent=weight)

    def keep() -> None:
        while not over.wait(0.2):
            found = ranking.predictor
            if found["model"]["storageUri"] != model(number) or weight not in (None, found["canaryTrafficPercent"]):
                corrections.append(found)
                ranking.kube.apply(written, manager=manager, force=True)

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield corrections
    finally:
        over.set()
        thread.join()


def test_a_controller_that_writes_the_rejected_model_back_meets_no_second_write(
    ranking: Ranking, kube: Kube, plane: ControlPlane
) -> None:
    ranking.begin()
    ranking.is_bad(service(model(2)))
    kube.apply(service(model(2)), manager="git")
    with git_ops(ranking, 2) as corrections:
        message = ranking.stalled("Rejected")
        requests = Requests(plane.audit_log, kube.namespace)
        for _ in range(10):
            # Each of these is news of the target, which headgate looks at.
            ranking.edit(minReplicas=len(corrections) + 1)
            ranking.edit(minReplicas=len(corrections) + 2)
        assert (ranking.storage, ranking.weight) == (model(2), 0)
        assert requests.of_the_operator(lambda entry: entry["verb"] not in ("get", "list")) == []
    assert len(corrections) == 1
    assert f"{version_of(service(model(2)))} (sha256:" in message
    assert "headgate retry ranker" in message


def test_fields_that_argo_cd_keeps_are_left_alone_and_nothing_is_written_at_rest(
    ranking: Ranking, kube: Kube, plane: ControlPlane
) -> None:
    ranking.begin()
    ranking.is_bad(service(model(2)))
    since_then = Requests(plane.audit_log, kube.namespace)
    with git_ops(ranking, 2, manager="argocd-controller") as corrections:
        message = ranking.stalled("Rejected")
        ranking.wait_for_weight(0)
        requests = Requests(plane.audit_log, kube.namespace)
        for replicas in range(2, 12):
            ranking.edit(minReplicas=replicas)
        assert (ranking.storage, ranking.weight) == (model(2), 0)
        assert requests.of_the_operator(lambda entry: entry["verb"] not in ("get", "list")) == []
    # Only the change in Git itself was ever applied: headgate put nothing back that had to be written again.
    assert [found["model"]["storageUri"] for found in corrections] == [model(1)]
    assert "Argo CD keeps InferenceService ranker: put spec.predictor.model.storageUri back in Git as in" in message
    assert "(headgate git-revert ranker)" in message
    events = [event for event in kube.every("Event") if event["reason"] == "RolledBack"]
    assert [("git-revert ranker" in event["message"]) for event in events] == [True]
    assert len(since_then.of_the_operator(_patches_the_ranker)) <= MOST_WEIGHTS
    kube.apply(service(model(1)), manager="argocd-controller", force=True)
    ranking.wait_for(lambda found: found["phase"] == "Idle")
    assert ranking.condition("Ready")["status"] == "True"


def test_a_weight_that_git_carries_too_is_fought_over_ever_more_slowly_under_one_condition(
    ranking: Ranking, kube: Kube, plane: ControlPlane
) -> None:
    ranking.begin(steps=HELD)
    ranking.release(2)
    ranking.wait_for_weight(10)
    kube.annotate("ranker", abort="1")
    ranking.stalled("RolledBack")
    requests = Requests(plane.audit_log, kube.namespace)
    with git_ops(ranking, 2, manager="argocd-controller", weight=50) as corrections:
        wait_until(lambda: len(corrections) >= 4, timeout=90, otherwise=lambda: f"{corrections} were needed")
        undelivered = ranking.condition("Delivered")
        stalled = ranking.condition("Stalled")
    assert (undelivered["status"], stalled["reason"]) == ("False", "Rejected")
    assert "changed by argocd-controller, it shows 50 %" in undelivered["message"]
    assert "leave it out of Git" in undelivered["message"]
    assert [found["canaryTrafficPercent"] for found in corrections] == [0] * len(corrections)
    # Git's first write was one of its own; each later one undid a correction, and those come ever later.
    assert len(requests.of_the_operator(_patches_the_ranker)) <= len(corrections) + 1
    statuses = requests.of_the_operator(lambda entry: entry["requestURI"].partition("?")[0].endswith("/status"))
    assert len(statuses) <= MOST_STATUSES
    assert ranking.storage == model(2)


def _patches_the_ranker(entry: dict[str, Any]) -> bool:
    return entry["verb"] == "patch" and "/inferenceservices/ranker" in entry["requestURI"]


def test_a_schema_that_refuses_the_good_model_is_told_in_its_own_words(ranking: Ranking, plane: ControlPlane) -> None:
    good = service("s3://legacy/1")
    path = ("schema", "openAPIV3Schema", "properties", "spec", "properties", "predictor")
    ranking.is_good(good)
    ranking.begin(good, steps=HELD)
    ranking.release(2)
    ranking.wait_for_weight(10)
    stricter = crd()
    found: Any = stricter["spec"]["versions"][0]
    for part in path:
        found = found[part]
    found["properties"]["model"]["properties"]["storageUri"]["pattern"] = "^s3://models/"
    try:
        plane.api.install_crds([stricter])
        wait_until(lambda: _is_refused(ranking), timeout=15, otherwise=lambda: "the schema is as it was")
        ranking.kube.annotate("ranker", abort="1")
        message = ranking.stalled("RestoreRefused")
        assert "spec.predictor.model.storageUri" in message
        assert "should match '^s3://models/'" in message
        assert (ranking.storage, ranking.weight) == (model(2), 0)
    finally:
        plane.api.install_crds([crd()])
    ranking.wait_for(lambda status: status["phase"] == "RolledBack", timeout=60)
    assert ranking.storage == "s3://legacy/1"


def _is_refused(ranking: Ranking) -> bool:
    try:
        ranking.kube.apply(service("s3://legacy/2", name="probe"))
    except Exception:  # noqa: BLE001 - that it is refused is all that is asked
        return True
    return False


def test_a_snapshot_that_was_tampered_with_is_not_put_back(ranking: Ranking, kube: Kube) -> None:
    ranking.begin(steps=HELD)
    ranking.release(2)
    ranking.wait_for_weight(10)
    name = version_of(service(model(1)))
    kept = kube.get("ControllerRevision", name)
    kube.delete("ControllerRevision", name)
    metadata = {"name": name, "labels": kept["metadata"]["labels"]}
    forged = {**kept, "metadata": metadata, "data": {**kept["data"], "fields": {"spec.predictor.model.storageUri": {}}}}
    kube.apply(forged)
    kube.annotate("ranker", abort="1")
    assert name in ranking.stalled("SnapshotTampered")
    assert (ranking.storage, ranking.weight) == (model(2), 0)
    kube.delete("ControllerRevision", name)
    kube.apply({**kept, "metadata": metadata})
    ranking.wait_for(lambda status: status["phase"] == "RolledBack", timeout=60)
    assert ranking.storage == model(1)


def test_snapshots_beyond_the_limit_are_deleted_but_for_those_in_use(ranking: Ranking, kube: Kube) -> None:
    ranking.begin(steps=[{"weight": 100}], revisionHistoryLimit=1)
    for number in (2, 3, 4, 5):
        target = service(model(number))
        (ranking.is_bad if number == 2 else ranking.is_good)(target)
        ranking.release(number)
        ranking.wait_for_end_of(version_of(target))
    # What is stable, what was rejected, and one more.
    kept = {version_of(service(model(number))) for number in (2, 4, 5)}
    wait_until(
        lambda: kube.names("ControllerRevision") == kept,
        timeout=10,
        otherwise=lambda: str(kube.names("ControllerRevision")),
    )
