"""A cluster that was lost and restored: the same traffic, the same rejections, the same owners."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.backup.place import Place
from tests.controller import documents
from tests.controller.exporter import Quality
from tests.controller.kube import Kube
from tests.controller.process import OperatorProcess
from tests.controller.waiting import flag, has_weight, is_stable, status, wait_for, weight_shown

LONG = [{"weight": 50, "holdFor": "1h"}, {"weight": 100, "holdFor": "1s"}]


@pytest.fixture
def in_mid_attempt(operator: OperatorProcess, kube: Kube, quality: Quality) -> Kube:
    """v1 is stable, v2 was rejected, half of the customers have v3."""
    for version in ("v1", "v2", "v3"):
        quality.set(kube.namespace, version, 1)
        kube.apply(documents.version(version))
    kube.apply(documents.gate(app=kube.namespace))
    kube.apply(documents.rollout("v1"))
    wait_for(kube, is_stable("v1"))
    quality.set(kube.namespace, "v2", 9)
    kube.apply(documents.rollout("v2"))
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    kube.apply(documents.rollout("v3", steps=LONG))
    wait_until(lambda: weight_shown(kube) == 50, timeout=15, otherwise=lambda: str(flag(kube)))
    return kube


def shown(kube: Kube) -> tuple[object, object, object]:
    """What customers get: the flag without its marks."""
    found = flag(kube)
    return found["defaultVariant"], found["targeting"], found["variants"]


def delivered(kube: Kube) -> Callable[[dict[str, Any]], bool]:
    """The operator has looked at the new object and found its routers as they should be."""
    uid = kube.get("Rollout", "reply")["metadata"]["uid"]

    def is_delivered(found: dict[str, Any]) -> bool:
        conditions = {each["type"]: each["status"] for each in found["conditions"]}
        return conditions["Delivered"] == "True" and uid in json.dumps(flag(kube)["metadata"])

    return is_delivered


def test_a_restored_cluster_shows_customers_what_they_had(
    operator: OperatorProcess, in_mid_attempt: Kube, place: Place
) -> None:
    kube = in_mid_attempt
    operator.stop()
    before, traffic, objects = status(kube), shown(kube), place.holds()
    place.save()
    place.lose_everything()
    assert place.restore().exit_code == 0
    assert place.holds() == objects
    assert status(kube) == {**before, "observedGeneration": 1, "conditions": status(kube)["conditions"]}
    assert shown(kube) == traffic
    operator.start()
    wait_for(kube, delivered(kube))
    assert shown(kube) == traffic
    assert status(kube)["attempt"]["startedAt"] == before["attempt"]["startedAt"]
    # The attempt goes on, and the rejection stands.
    kube.annotate("reply", promote=str(before["attempt"]["number"]))
    wait_for(kube, is_stable("v3"))
    kube.apply(documents.rollout("v2"))
    wait_for(kube, lambda found: any(each["reason"] == "Rejected" for each in found["conditions"]))
    assert weight_shown(kube) == 0


@pytest.mark.parametrize(("dry_run", "mark"), [("client", "dry run"), ("server", "server dry run")])
def test_a_dry_run_says_what_it_would_restore_and_writes_nothing(
    operator: OperatorProcess, in_mid_attempt: Kube, place: Place, dry_run: str, mark: str
) -> None:
    operator.stop()
    place.save()
    place.lose_everything()
    dry = place.headgate("restore", str(place.file), f"--dry-run={dry_run}")
    assert (dry.exit_code, place.holds()) == (0, set())
    real = place.restore()
    assert dry.stdout == f"{real.stdout.strip()} ({mark})\n"
    again = place.headgate("restore", str(place.file), f"--dry-run={dry_run}")
    assert again.stdout.startswith("restored 0 objects; ")
    in_mid_attempt.patch("Rollout", "reply", {"spec": {"paused": True}})
    other = place.headgate("restore", str(place.file), f"--dry-run={dry_run}")
    assert other.exit_code == 1
    assert "exist with other content" in other.stderr


def test_the_owner_applies_the_next_version_without_force(
    operator: OperatorProcess, in_mid_attempt: Kube, place: Place
) -> None:
    kube = in_mid_attempt
    operator.stop()
    place.save()
    owners = {each["manager"] for each in kube.get("Rollout", "reply")["metadata"]["managedFields"]}
    place.lose_everything()
    assert place.restore().exit_code == 0
    after = kube.get("Rollout", "reply")["metadata"]["managedFields"]
    assert {each["manager"] for each in after} == owners
    kube.apply(documents.rollout("v1"))
    operator.start()
    wait_for(kube, lambda found: found["weight"] == 0 and found["attempt"]["outcome"] == "Aborted")
    wait_until(lambda: weight_shown(kube) == 0, timeout=10, otherwise=lambda: str(flag(kube)))


def test_a_restore_beside_a_running_operator_exposes_nobody_to_what_was_rejected(
    operator: OperatorProcess, in_mid_attempt: Kube, place: Place, quality: Quality
) -> None:
    kube = in_mid_attempt
    kube.annotate("reply", abort="2")
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    # Somebody insists on what was rejected, and by now it would pass.
    quality.set(kube.namespace, "v2", 1)
    kube.apply(documents.rollout("v2"))
    wait_for(kube, lambda found: any(each["reason"] == "Rejected" for each in found["conditions"]))
    place.save()
    place.lose_everything()
    assert place.restore().exit_code == 0
    found = wait_for(kube, lambda found: any(each["reason"] == "Rejected" for each in found["conditions"]))
    assert found["stable"]["version"] == "v1"
    assert {each["version"] for each in found["rejected"]} == {"v2", "v3"}
    assert weight_shown(kube) == 0


def test_a_status_older_than_its_record_is_not_restored(
    operator: OperatorProcess, in_mid_attempt: Kube, place: Place
) -> None:
    kube = in_mid_attempt
    old = kube.get("Rollout", "reply")["status"]
    kube.annotate("reply", abort="2")
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    operator.stop()
    kube.patch("Rollout", "reply", {"status": {**old, "rejected": old["rejected"]}}, subresource="status")
    place.save()
    place.lose_everything()
    restored = place.restore()
    assert restored.exit_code == 0
    assert "its status is left to the operator" in restored.output
    operator.start()
    found = wait_for(kube, lambda found: found["stable"]["version"] == "v1")
    assert "v3" in {each["version"] for each in found["rejected"]}


def test_a_second_restore_changes_nothing_and_other_content_is_left_alone(
    operator: OperatorProcess, in_mid_attempt: Kube, place: Place
) -> None:
    kube = in_mid_attempt
    operator.stop()
    place.save()
    before = kube.get("Rollout", "reply")
    again = place.restore()
    assert again.exit_code == 0
    assert re.search(r"restored 0 objects; \d+ were there", again.output)
    assert kube.get("Rollout", "reply") == before
    kube.apply(documents.rollout("v1"))
    held = place.holds()
    kube.delete("PromptVersion", "v2")
    refused = place.restore()
    assert refused.exit_code == 1
    assert f"nothing was restored: Rollout {kube.namespace}/reply" in refused.output
    assert place.holds() == held - {"PromptVersion/v2"}


def test_a_restored_cluster_calls_nobody_because_of_a_revert_elsewhere(
    operator: OperatorProcess, in_mid_attempt: Kube, place: Place
) -> None:
    kube = in_mid_attempt
    operator.stop()
    stable = {name: status(kube)["stable"][name] for name in ("version", "digest")}
    hook = {"attempt": 1, "webhook": "cache", "timeout": "10m", "retries": 5, "stable": stable}
    after = [{**hook, "name": "one", "state": "Pending"}, {**hook, "name": "two", "state": "Succeeded"}]
    kube.patch("Rollout", "reply", {"status": {"after": after}}, subresource="status")
    place.save()
    place.lose_everything()
    assert place.restore().exit_code == 0
    assert [(each["name"], each["state"]) for each in status(kube)["after"]] == [("two", "Succeeded")]


def test_everything_is_saved_of_all_namespaces(operator: OperatorProcess, in_mid_attempt: Kube, place: Place) -> None:
    assert has_weight(50)(status(in_mid_attempt))
    saved = place.headgate("backup", "--all-namespaces")
    active = {each["namespace"]: each for each in json.loads(saved.stdout)["active"]}
    mine = active[in_mid_attempt.namespace]
    assert mine["weight"] == 50
    assert mine["stable"].startswith("v1@sha256:")
    assert mine["candidate"].startswith("v3@sha256:")


def test_a_namespace_that_holds_nothing_is_no_backup(place: Place) -> None:
    saved = place.headgate("backup", "-n", "mistyped", "-o", str(place.file))
    assert saved.exit_code == 1
    assert "namespace mistyped holds nothing of headgate's" in saved.stderr
    assert not place.file.exists()


def test_a_restore_that_was_interrupted_is_finished_by_the_next_one(
    operator: OperatorProcess, in_mid_attempt: Kube, place: Place
) -> None:
    kube = in_mid_attempt
    operator.stop()
    before, traffic = status(kube), shown(kube)
    owners = {each["manager"] for each in kube.get("Rollout", "reply")["metadata"]["managedFields"]}
    place.save()
    place.lose_everything()
    # Killed just after it created the Rollout: no status, and nobody owns a field but headgate.
    kube.create(saved_rollout(place), manager="headgate")
    assert place.restore().exit_code == 0
    assert status(kube)["attempt"] == before["attempt"]
    after = kube.get("Rollout", "reply")["metadata"]["managedFields"]
    assert {each["manager"] for each in after} == owners
    operator.start()
    wait_for(kube, delivered(kube))
    assert shown(kube) == traffic


def test_a_dry_run_finishes_no_interrupted_restore(
    operator: OperatorProcess, in_mid_attempt: Kube, place: Place
) -> None:
    kube = in_mid_attempt
    operator.stop()
    place.save()
    place.lose_everything()
    kube.create(saved_rollout(place), manager="headgate")
    before = kube.get("Rollout", "reply")
    for dry_run in ("client", "server"):
        dry = place.headgate("restore", str(place.file), f"--dry-run={dry_run}")
        assert dry.exit_code == 0, dry.output
        assert kube.get("Rollout", "reply") == before


def saved_rollout(place: Place) -> dict[str, Any]:
    objects = [entry["object"] for entry in json.loads(place.file.read_text())["objects"]]
    (rollout,) = (each for each in objects if each["kind"] == "Rollout")
    return {key: rollout[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "reply"}}


def test_of_two_that_claim_a_flag_the_older_one_has_it_still(
    operator: OperatorProcess, kube: Kube, place: Place
) -> None:
    kube.apply(documents.version("v1"))
    shared = [documents.flag_delivery("reply")]
    for name in ("reply", "another"):
        kube.apply(documents.rollout("v1", name=name, gates=[], delivery=shared))
        until_the_next_second(kube)
    for name in ("reply", "another"):
        wait_for(kube, lambda found: bool(found["conditions"]), name=name)
    operator.stop()
    place.save()
    for _ in range(4):
        place.lose_everything()
        assert place.restore().exit_code == 0
        created = {each["metadata"]["name"]: each["metadata"]["creationTimestamp"] for each in kube.every("Rollout")}
        assert created["reply"] < created["another"]


def until_the_next_second(kube: Kube) -> None:
    """Creation is told in whole seconds."""
    newest = max(each["metadata"]["creationTimestamp"] for each in kube.every("Rollout"))

    def passed() -> bool:
        probe = kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "probe-"}})
        kube.delete("ConfigMap", probe["metadata"]["name"])
        return bool(probe["metadata"]["creationTimestamp"] > newest)

    wait_until(passed, timeout=10, otherwise=lambda: "the API server's clock stands still")


def test_what_a_narrow_terminal_is_given_is_a_whole_backup(kube: Kube, place: Place, plane: ControlPlane) -> None:
    version = documents.version("v1")
    version["spec"]["messages"][0]["content"] = "Grüße, 你好"
    kube.apply(version)
    program = "from headgate.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "backup", "-n", kube.namespace],
        capture_output=True,
        check=True,
        env={**os.environ, "KUBECONFIG": str(plane.kubeconfig), "PYTHONIOENCODING": "latin-1"},
    )
    assert "Grüße, 你好" in done.stdout.decode()
    place.file.write_bytes(done.stdout)
    verified = place.headgate("restore", str(place.file), "--verify")
    assert verified.exit_code == 0, verified.output
