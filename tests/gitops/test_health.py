"""Argo CD's health check, run in a real Lua on statuses that the engine itself produced."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate.api.conditions import Condition, ConditionStatus
from headgate.api.rollout import KillSwitch
from headgate.api.rollout_status import Phase
from headgate.cluster.status_patch import dumped
from tests.engine.world import ERROR, START, World, spec, value
from tests.gitops.argo import SCRIPT, health

HOUR = timedelta(hours=1)
DOCS = Path(__file__).parents[2] / "docs" / "gitops.md"


def rollout(world: World) -> dict[str, Any]:
    """The Rollout as the API server would show it to Argo CD."""
    metadata = {"name": "reply", "namespace": "ai", "generation": world.generation}
    return {"kind": "Rollout", "metadata": metadata, "status": dumped(world.status)}


def begun(**changes: object) -> World:
    """v7 is stable."""
    world = World(spec("v7", **changes))
    world.settle()
    return world


def released(world: World) -> World:
    """v8 was applied."""
    world.release("v8")
    world.settle()
    return world


def test_a_rollout_at_rest_is_healthy() -> None:
    assert health(rollout(begun())) == ("Healthy", "Idle: stable is v7 (sha256:v7)")


def test_a_release_is_progressing_and_healthy_when_it_is_through() -> None:
    world = released(begun())
    status, message = health(rollout(world))
    assert status == "Progressing"
    assert "step 1/4 '10'" in message
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.BAKING)
    assert health(rollout(world))[0] == "Progressing"
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    assert health(rollout(world))[0] == "Healthy"


@pytest.mark.parametrize("keeper", [None, "Argo CD"])
def test_a_release_that_was_taken_back_is_degraded_and_says_why(keeper: str | None) -> None:
    world = released(begun())
    world.keeper = keeper
    world.answer = lambda _question: value(0.5)
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.ROLLED_BACK)
    status, message = health(rollout(world))
    assert status == "Degraded"
    assert "quality/errors" in message
    assert ("headgate git-revert reply" in message) is (keeper is not None)


def test_it_is_healthy_again_once_git_says_the_last_good_version() -> None:
    world = begun()
    world.keeper = "Argo CD"
    released(world).annotate("abort", "1")
    world.settle()
    assert health(rollout(world))[0] == "Degraded"
    world.release("v7")
    world.settle()
    assert health(rollout(world))[0] == "Healthy"


def test_what_waits_for_a_person_is_suspended() -> None:
    paused = released(begun())
    paused.release("v8", paused=True)
    paused.settle()
    assert health(rollout(paused)) == ("Suspended", "Spec: spec.paused is set: weights do not rise")
    steps = [{"weight": 10, "holdFor": "1m"}, {"weight": 100, "approval": "Required"}]
    waiting = released(begun(steps=steps))
    assert waiting.run(HOUR, until=lambda world: world.phase() is Phase.AWAITING_APPROVAL)
    assert health(rollout(waiting))[0] == "Suspended"
    assert health(rollout(waiting))[1].startswith("AwaitingApproval: attempt 1 of v8")
    killed = begun()
    killed.release("v7", killSwitch=KillSwitch.STABLE.value)
    killed.settle()
    assert health(rollout(killed))[0] == "Suspended"


def test_an_outage_of_prometheus_is_progressing_not_degraded() -> None:
    world = released(begun())
    world.answer = lambda _question: ERROR
    world.run(HOUR)
    assert world.phase() is Phase.HOLDING
    assert health(rollout(world))[0] == "Progressing"


def test_a_version_that_does_not_exist_is_degraded() -> None:
    world = begun()
    world.release("v1000")
    world.run(HOUR)
    status, message = health(rollout(world))
    assert status == "Degraded"
    assert "'v1000' does not exist" in message


def test_nothing_is_healthy_before_headgate_has_seen_what_was_synced() -> None:
    seen = rollout(begun())
    edited = {**seen, "metadata": {**seen["metadata"], "generation": seen["metadata"]["generation"] + 1}}
    assert health(edited) == ("Progressing", "headgate has not looked at it yet")
    # Nor may the word on an older generation be taken for one on this.
    taken_back = released(begun())
    taken_back.annotate("abort", "1")
    taken_back.settle()
    before = rollout(taken_back)
    before["metadata"]["generation"] += 1
    assert health(before)[0] == "Progressing"


@pytest.mark.parametrize("status", [None, {}, {"conditions": []}, {"observedGeneration": 1, "conditions": []}])
def test_an_object_without_a_word_of_headgates_is_progressing(status: dict[str, Any] | None) -> None:
    obj = {"metadata": {"generation": 1}, **({"status": status} if status is not None else {})}
    assert health(obj)[0] == "Progressing"


def test_what_is_being_deleted_is_progressing() -> None:
    seen = rollout(begun())
    seen["metadata"]["deletionTimestamp"] = "2026-01-05T12:00:00Z"
    assert health(seen) == ("Progressing", "is being deleted")


@pytest.mark.parametrize(("ready", "wanted"), [("True", "Healthy"), ("False", "Degraded")])
def test_gates_and_versions_go_by_their_ready_condition(ready: str, wanted: str) -> None:
    said = Condition(
        type="Ready", status=ConditionStatus(ready), reason="Checked", message="as it is", last_transition_time=START
    )
    status = {"observedGeneration": 3, "conditions": [dumped(said)]}
    obj = {"kind": "QualityGate", "metadata": {"generation": 3}, "status": status}
    assert health(obj) == (wanted, "Checked: as it is")


def test_the_manual_shows_the_script_that_is_tested_for_each_of_the_kinds() -> None:
    blocks = [block.partition("\n```")[0] for block in DOCS.read_text().split("```yaml\n")[1:]]
    (manifest,) = [yaml.safe_load(block) for block in blocks if "argocd-cm" in block]
    kinds = ("Rollout", "QualityGate", "PromptVersion")
    keys = {f"resource.customizations.health.headgate.dev_{kind}" for kind in kinds}
    assert keys <= manifest["data"].keys()
    for key in keys:
        assert health(rollout(begun()), manifest["data"][key])[0] == "Healthy"
        assert manifest["data"][key] == SCRIPT.read_text()
