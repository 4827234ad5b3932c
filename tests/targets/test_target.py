"""Example 02 on a real API server: an edit of the ranker is the release, and the revert puts the edit back."""

import pytest

from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.controller.kube import Kube, Requests
from tests.controller.process import OperatorProcess
from tests.targets.inference_service import service
from tests.targets.ranking import HELD, Ranking, example, model, rollout, version_of

pytestmark = pytest.mark.usefixtures("operator")


def test_an_edit_goes_through_the_steps_and_becomes_stable(ranking: Ranking, kube: Kube) -> None:
    ranking.begin()
    ranking.release(2)
    after = ranking.wait_for(lambda found: found["stable"]["version"] == version_of(service(model(2))))
    assert [entry["outcome"] for entry in after["history"]] == ["Promoted"]
    ranking.wait_for_weight(0)
    assert ranking.storage == model(2)
    assert kube.names("ControllerRevision") == {version_of(service(model(number))) for number in (1, 2)}


def test_a_whole_release_costs_at_most_twenty_requests_and_its_rest_none(
    ranking: Ranking, kube: Kube, plane: ControlPlane
) -> None:
    ranking.begin(steps=[{"weight": share, "holdFor": "1s"} for share in (10, 25, 50)] + [{"weight": 100}])
    requests = Requests(plane.audit_log, kube.namespace)
    ranking.release(2)
    ranking.wait_for_end_of(version_of(service(model(2))))
    ranking.wait_for_weight(0)
    wait_until(lambda: "Promoted" in kube.reasons(), timeout=10, otherwise=lambda: str(kube.reasons()))
    asked = requests.of_the_operator()
    assert len(asked) <= 20, "\n".join(asked)
    rest = Requests(plane.audit_log, kube.namespace)
    for replicas in range(2, 12):
        ranking.edit(minReplicas=replicas)
    assert rest.of_the_operator() == []


def test_a_bad_edit_is_taken_back(ranking: Ranking) -> None:
    ranking.begin()
    ranking.is_bad(service(model(2)))
    ranking.release(2)
    after = ranking.wait_for(lambda found: found["phase"] == "RolledBack")
    assert [rejection["version"] for rejection in after["rejected"]] == [version_of(service(model(2)))]
    assert (ranking.storage, ranking.weight) == (model(1), 0)
    assert ranking.owned_by_headgate() == []


def test_a_revert_restores_the_declared_fields_and_nothing_else(ranking: Ranking, kube: Kube) -> None:
    """Fields that the good version lacked are removed, and those that it had are there again."""
    fields = ["spec.predictor.model.storageUri", "spec.predictor.model.runtime", "spec.predictor.timeout"]
    good = service(timeout=30)
    bad = service(model(2))
    bad["spec"]["predictor"]["model"]["runtime"] = "triton"
    ranking.is_bad(bad, *fields)
    target = {**example()["spec"]["target"], "fields": fields}
    ranking.begin(good, target=target)
    ranking.edit(model={"storageUri": model(2), "runtime": "triton"}, timeout=None)
    ranking.wait_for(lambda found: found["weight"] == 10 or found["phase"] == "RolledBack")
    ranking.edit(minReplicas=7)
    ranking.wait_for(lambda found: found["phase"] == "RolledBack")
    assert ranking.predictor == {
        "minReplicas": 7,
        "timeout": 30,
        "canaryTrafficPercent": 0,
        "model": {"modelFormat": {"name": "sklearn"}, "storageUri": model(1)},
    }


def test_an_edit_of_another_field_is_no_release(ranking: Ranking) -> None:
    ranking.begin(steps=HELD)
    ranking.release(2)
    ranking.wait_for_weight(10)
    ranking.edit(minReplicas=3)
    ranking.kube.annotate("ranker", abort="1")
    after = ranking.wait_for(lambda found: found["phase"] == "RolledBack")
    assert after["attempts"] == 1
    assert (ranking.storage, ranking.predictor["minReplicas"]) == (model(1), 3)


def test_the_owner_applies_the_next_model_without_force(ranking: Ranking, kube: Kube) -> None:
    ranking.begin()
    ranking.is_bad(service(model(2)))
    kube.apply(service(model(2)), manager="git")
    ranking.wait_for(lambda found: found["phase"] == "RolledBack")
    kube.apply(service(model(3)), manager="git")
    ranking.wait_for(lambda found: found["stable"]["version"] == version_of(service(model(3))))


def test_an_edit_while_the_operator_is_stopped_exposes_nobody(ranking: Ranking, operator: OperatorProcess) -> None:
    ranking.begin(steps=HELD)
    operator.kill()
    try:
        ranking.release(2)
        assert (ranking.storage, ranking.weight) == (model(2), 0)
    finally:
        operator.start()
    ranking.wait_for_weight(10)


def test_a_restart_in_mid_attempt_forgets_neither_the_weight_nor_the_way_back(
    ranking: Ranking, operator: OperatorProcess
) -> None:
    ranking.begin(steps=HELD)
    ranking.release(2)
    ranking.wait_for_weight(10)
    operator.kill()
    ranking.kube.annotate("ranker", abort="1")
    operator.start()
    ranking.wait_for(lambda found: found["phase"] == "RolledBack")
    assert (ranking.storage, ranking.weight) == (model(1), 0)
    assert ranking.owned_by_headgate() == []


def test_a_newer_edit_begins_anew_and_the_old_one_is_taken_as_no_bad_one(ranking: Ranking) -> None:
    ranking.begin(steps=HELD)
    ranking.release(2)
    ranking.wait_for_weight(10)
    ranking.release(3)
    after = ranking.wait_for(lambda found: found["attempt"]["number"] == 2 and found["weight"] == 10)
    assert [entry["outcome"] for entry in after["history"]] == ["Superseded"]
    assert "rejected" not in after or after["rejected"] == []
    ranking.release(1)
    after = ranking.wait_for(lambda found: len(found["history"]) == 2 and found["phase"] == "Idle")
    assert after["history"][0]["outcome"] == "Aborted"
    ranking.wait_for_weight(0)


def test_the_target_is_deleted_in_mid_attempt(ranking: Ranking, kube: Kube) -> None:
    ranking.begin(steps=HELD)
    ranking.release(2)
    ranking.wait_for_weight(10)
    kube.delete("InferenceService", "ranker")
    after = ranking.wait_for(lambda found: found["attempt"]["state"] == "Ended")
    assert after["attempt"]["outcome"] == "Aborted"
    assert "was deleted" in after["attempt"]["reason"]
    assert "InferenceService ranker" in ranking.stalled("TargetNotFound")
    kube.apply(service(model(3)), manager="git")
    after = ranking.wait_for(lambda found: found["stable"]["version"] == version_of(service(model(3))))
    assert after["attempts"] == 1
    ranking.wait_for_weight(0)
    assert "TargetReplaced" in kube.reasons()


def test_the_target_is_replaced_by_another_object_in_mid_attempt(ranking: Ranking, kube: Kube) -> None:
    ranking.begin(steps=HELD)
    ranking.release(2)
    ranking.wait_for_weight(10)
    kube.delete("InferenceService", "ranker")
    kube.apply(service(model(3), canaryTrafficPercent=10), manager="git")
    ranking.wait_for(lambda found: found["stable"]["version"] == version_of(service(model(3))))
    ranking.wait_for_weight(0)


def test_a_rejected_model_that_comes_back_as_a_new_object_does_not_become_stable(ranking: Ranking, kube: Kube) -> None:
    ranking.begin()
    ranking.is_bad(service(model(2)))
    ranking.release(2)
    ranking.wait_for(lambda found: found["phase"] == "RolledBack")
    kube.delete("InferenceService", "ranker")
    kube.apply(service(model(2)), manager="git")
    assert "rejected in attempt 1" in ranking.stalled("Rejected")
    ranking.wait_for_weight(0)


def test_what_the_configuration_does_not_allow_is_refused_with_the_way_out(ranking: Ranking) -> None:
    target = {**example()["spec"]["target"], "fields": ["spec.transformer.image"], "exposure": "Immediate"}
    flag = {"flag": {"name": "ranker", "key": "companyId", "configMap": {"name": "flags", "key": "flags.json"}}}
    ranking.kube.apply(service(), manager="git")
    ranking.kube.apply(rollout(target=target, delivery=[flag]))
    assert "allows (spec.predictor)" in ranking.stalled("TargetNotAllowed")
    assert ranking.weight is None
