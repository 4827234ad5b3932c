"""What is run after a revert: told, made, tried again and recorded, and never in the way of anything."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.local.control_plane import ControlPlane
from tests.aftermath.cron_jobs import cron_job
from tests.aftermath.receiver import Receiver, status
from tests.integration import service_account
from tests.integration.audit import AuditLog
from tests.integration.cluster import Document, Namespace
from tests.integration.conftest import MakeOperator
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.test_budget import MOST_IN_A_ROLLOUT, of_the_rollout
from tests.integration.waiting import eventually

CACHE = {"name": "clear-cache", "webhook": {"name": "cache"}}
SMOKE = {"name": "smoke", "job": {"cronJob": "smoke-evaluation"}}
TOKEN = "a-token-of-the-receiver"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    standing = Receiver()
    yield standing
    standing.close()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    return file


@pytest.fixture
def operator(make_operator: MakeOperator, receiver: Receiver, token_file: Path) -> OperatorProcess:
    """It knows one webhook, whose receiver has half a second to answer."""
    hook = {"name": "cache", "url": receiver.url, "timeout": "500ms", "bearerTokenFile": str(token_file)}
    started = make_operator(hooks=[hook, {**hook, "name": "of-others", "namespaces": ["others"]}])
    started.begin()
    return started


def reverts(release: Release, *hooks: Document, version: str = "v2") -> Document:
    """A release that is taken back, with those hooks; the status then."""
    rollback = {"after": [*hooks]}
    release.begins(rollback=rollback)
    release.is_bad(version)
    release.of(version, rollback=rollback)
    return release.ends_rolled_back(version)


def ended(namespace: Namespace, name: str, state: str, attempt: int = 1) -> Document:
    """What the status says of a hook once it is in that state."""

    def hook(found: Document) -> Document:
        return next(each for each in found["after"] if (each["attempt"], each["name"]) == (attempt, name))

    def is_there(found: Document) -> bool:
        return any(each["name"] == name and each["attempt"] == attempt for each in found.get("after", ()))

    return hook(namespace.wait("reply", lambda found: is_there(found) and hook(found)["state"] == state))


def test_a_webhook_is_told_of_the_revert_and_what_came_of_it_is_on_record(
    operator: OperatorProcess, release: Release, receiver: Receiver, audit: AuditLog, control_plane: ControlPlane
) -> None:
    release.begins(rollback={"after": [CACHE]})
    audit.rests()
    before = len(audit.requests())
    release.is_bad("v2")
    release.of("v2", rollback={"after": [CACHE]})
    status = release.ends_rolled_back("v2")
    record = ended(release.namespace, "clear-cache", "Succeeded")
    assert (record["tries"], record["message"]) == (1, "webhook 'cache' took it")
    [told] = receiver.posts
    uid = release.namespace.get("Rollout", "reply")["metadata"]["uid"]
    assert told.headers["idempotency-key"] == f"{uid}/1/clear-cache"
    assert told.headers["authorization"] == f"Bearer {TOKEN}"
    assert told.content["rejected"] == {"version": "v2", "digest": status["rejected"][0]["digest"]}
    assert told.content["stable"]["version"] == "v1"
    assert (told.content["namespace"], told.content["rollout"]) == (release.namespace.name, "reply")
    assert (told.content["outcome"], told.content["reason"]) == ("RolledBack", status["rejected"][0]["reason"])

    audit.rests()
    cost = of_the_rollout(audit.requests()[before:])
    assert len(cost) <= MOST_IN_A_ROLLOUT, "\n".join(map(str, cost))
    assert {request.verb for request in cost} <= {"create", "patch"}
    assert release.namespace.status("reply")["phase"] == "RolledBack"

    command = [str(Path(sys.executable).with_name("headgate")), "status", "reply", "-n", release.namespace.name]
    environment = {**os.environ, "KUBECONFIG": str(control_plane.kubeconfig)}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert "After the revert of attempt 1" in shown
    assert "clear-cache" in shown
    printed = subprocess.run([*command, "-o", "json"], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(printed.stdout)["status"]["after"] == [record]


def test_a_receiver_that_fails_is_asked_again_in_the_same_words(
    operator: OperatorProcess, release: Release, receiver: Receiver
) -> None:
    receiver.answers(status(500), status(503, "Retry-After: 1"), status(200))
    reverts(release, CACHE)
    assert ended(release.namespace, "clear-cache", "Succeeded")["tries"] == 3
    assert len(receiver.posts) == 3
    assert len({(told.headers["idempotency-key"], told.body) for told in receiver.posts}) == 1


def test_a_receiver_that_hangs_is_in_nobodys_way_and_is_told_again_after_a_crash(
    operator: OperatorProcess, release: Release, receiver: Receiver
) -> None:
    receiver.hangs()
    reverts(release, CACHE)
    eventually(lambda: len(receiver.posts), lambda count: count >= 1)
    release.of("v3", rollback={"after": [CACHE]})
    release.ends_stable("v3")
    assert ended(release.namespace, "clear-cache", "Pending")["attempt"] == 1
    before = len(receiver.posts)
    operator.kill()
    receiver.answers(status(200))
    operator.start()
    assert ended(release.namespace, "clear-cache", "Succeeded")["stable"]["version"] == "v1"
    assert len(receiver.posts) > before
    assert len({(told.headers["idempotency-key"], told.body) for told in receiver.posts}) == 1


def test_a_receiver_that_hangs_does_not_keep_the_operator_from_ending(
    make_operator: MakeOperator, release: Release, receiver: Receiver
) -> None:
    receiver.hangs()
    operator = make_operator(hooks=[{"name": "cache", "url": receiver.url, "timeout": "2m"}])
    operator.start()
    reverts(release, CACHE)
    eventually(lambda: len(receiver.posts), lambda count: count == 1)
    # It waits for twenty seconds at most, which is a tenth of what the receiver has.
    assert operator.stop() == 0


def test_a_webhook_that_nobody_configured_is_seen_before_any_revert_and_blocks_no_release(
    operator: OperatorProcess, release: Release, receiver: Receiver
) -> None:
    unknown = [{"name": "one", "webhook": {"name": "nowhere"}}, {"name": "two", "webhook": {"name": "of-others"}}]
    release.begins(rollback={"after": unknown})
    condition = release.namespace.condition("Rollout", "reply", "HooksKnown")
    assert (condition["status"], condition["reason"]) == ("False", "HookUnknown")
    assert "'nowhere' is not in the operator's configuration" in condition["message"]
    assert f"'of-others' is not for namespace {release.namespace.name!r}" in condition["message"]
    assert release.namespace.condition("Rollout", "reply", "Ready")["status"] == "True"
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "HookUnknown" in reasons)
    release.of("v2", rollback={"after": unknown})
    release.ends_stable("v2")
    release.is_bad("v3")
    release.of("v3", rollback={"after": unknown})
    release.ends_rolled_back("v3", stable="v2")
    assert "not in the operator's configuration" in ended(release.namespace, "one", "Failed", 2)["message"]
    assert "is not for namespace" in ended(release.namespace, "two", "Failed", 2)["message"]
    eventually(lambda: release.namespace.reasons("reply").count("HookFailed"), lambda count: count == 2)
    assert receiver.posts == []


def test_a_job_is_made_once_from_the_cron_job_and_its_end_is_on_record(
    operator: OperatorProcess, release: Release, audit: AuditLog
) -> None:
    namespace = release.namespace
    service_account.allow_jobs_in(namespace)
    namespace.apply(cron_job())
    status = reverts(release, SMOKE)
    [job] = eventually(lambda: namespace.every("Job"))
    [container] = job["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert told == {
        "HEADGATE_NAMESPACE": namespace.name,
        "HEADGATE_ROLLOUT": "reply",
        "HEADGATE_ATTEMPT": "1",
        "HEADGATE_REJECTED_VERSION": "v2",
        "HEADGATE_STABLE_VERSION": "v1",
        "HEADGATE_REASON": status["rejected"][0]["reason"],
        "SET": "smoke",
    }
    # What is left of its ten minutes.
    assert 540 < job["spec"]["activeDeadlineSeconds"] <= 600
    operator.kill()
    operator.start()
    # As the Job controller does it; there is none here.
    now = job["metadata"]["creationTimestamp"]
    criteria = {"type": "SuccessCriteriaMet", "status": "True", "lastProbeTime": now, "lastTransitionTime": now}
    namespace.patch_status(
        "Job",
        job["metadata"]["name"],
        {
            "startTime": now,
            "completionTime": now,
            "succeeded": 1,
            "conditions": [criteria, {**criteria, "type": "Complete"}],
        },
    )
    record = ended(namespace, "smoke", "Succeeded")
    assert record["message"] == f"Job {job['metadata']['name']} completed"
    assert [each["metadata"]["uid"] for each in namespace.every("Job")] == [job["metadata"]["uid"]]
    audit.rests()


def test_a_job_that_fails_is_told_of_and_the_next_release_goes_on(operator: OperatorProcess, release: Release) -> None:
    namespace = release.namespace
    service_account.allow_jobs_in(namespace)
    namespace.apply(cron_job())
    reverts(release, SMOKE)
    [job] = eventually(lambda: namespace.every("Job"))
    release.of("v3", rollback={"after": [SMOKE]})
    release.ends_stable("v3")
    now = job["metadata"]["creationTimestamp"]
    target = {
        "type": "FailureTarget",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "message": "it was tried too often",
        "lastProbeTime": now,
        "lastTransitionTime": now,
    }
    namespace.patch_status(
        "Job",
        job["metadata"]["name"],
        {"startTime": now, "failed": 1, "conditions": [target, {**target, "type": "Failed"}]},
    )
    record = ended(namespace, "smoke", "Failed")
    assert record["message"].endswith("failed: BackoffLimitExceeded: it was tried too often")
    eventually(lambda: namespace.reasons("reply"), lambda reasons: "HookFailed" in reasons)
    assert namespace.status("reply")["phase"] == "Idle"
    assert namespace.condition("Rollout", "reply", "Ready")["status"] == "True"


def test_without_the_right_to_make_jobs_the_record_has_the_servers_words(
    operator: OperatorProcess, release: Release
) -> None:
    operator.may_be_refused = True
    release.namespace.apply(cron_job())
    reverts(release, {**SMOKE, "retries": 0})
    record = ended(release.namespace, "smoke", "Failed")
    assert 'cannot get resource "cronjobs"' in record["message"]
    assert release.namespace.every("Job") == []


def test_a_cron_job_that_is_not_there_is_waited_for_and_then_on_record(
    operator: OperatorProcess, release: Release
) -> None:
    namespace = release.namespace
    service_account.allow_jobs_in(namespace)
    reverts(release, {**SMOKE, "retries": 1}, {**SMOKE, "name": "other", "job": {"cronJob": "other"}, "retries": 0})
    assert 'cronjobs.batch "other" not found' in ended(namespace, "other", "Failed")["message"]
    record = ended(namespace, "smoke", "Failed")
    assert record["tries"] == 2
    assert 'cronjobs.batch "smoke-evaluation" not found' in record["message"]
