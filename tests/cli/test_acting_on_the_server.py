"""The commands that act, against a real API server."""

import json
import threading
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from headgate.api.rollout import KillSwitch
from headgate.cli.act.abort import abort
from headgate.cli.act.carry_out import carry_out
from headgate.cli.act.change import Change
from headgate.cli.act.kill import kill
from headgate.cli.kube.connection import Connection
from headgate.cli.kube.rollouts import Rollouts
from headgate.cli.kube.target import Target
from headgate.cluster.objects import Json, Unavailable
from headgate.engine.observation import RolloutView
from tests.cli.conftest import Cluster
from tests.cli.samples import ago, attempt, rejection, spec, status

TAKEN_BACK = status(attempt("Ended", outcome="RolledBack"), phase="RolledBack", weight=0, rejected=[rejection()])


def _owners(document: dict[str, Any], field: str) -> set[str]:
    entries = document["metadata"]["managedFields"]
    return {entry["manager"] for entry in entries if field in entry["fieldsV1"]}


def test_approve_writes_the_annotation_under_its_own_name(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=status(attempt(), phase="AwaitingApproval"))

    result = cluster.headgate("approve", "support-reply", "-n", "ai")

    assert result.exit_code == 0, result.output
    assert result.stdout == "ai/support-reply: approved step 50 of attempt 3 (support-reply-v8)\n"
    after = cluster.get("support-reply")
    assert after["metadata"]["annotations"] == {"headgate.dev/approve": "3/50"}
    assert "headgate-cli" in _owners(after, "f:metadata")


@pytest.mark.parametrize(
    ("command", "annotation"), [("abort", {"headgate.dev/abort": "3"}), ("promote", {"headgate.dev/promote": "3"})]
)
def test_the_attempt_is_named(cluster: Cluster, command: str, annotation: dict[str, str]) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    assert cluster.headgate(command, "support-reply", "-n", "ai").exit_code == 0
    assert cluster.get("support-reply")["metadata"]["annotations"] == annotation


def test_a_refusal_is_one_line_and_writes_nothing(cluster: Cluster) -> None:
    before = cluster.exists("support-reply", status=status())
    result = cluster.headgate("abort", "support-reply", "-n", "ai")
    assert result.exit_code == 1
    assert result.stderr == "error: ai/support-reply: no attempt is in flight\n"
    assert cluster.get("support-reply") == before


def test_retry_lifts_the_rejection_and_names_the_version_again_in_one_write(cluster: Cluster) -> None:
    before = cluster.exists("support-reply", spec=spec("support-reply-v7"), status=TAKEN_BACK)

    result = cluster.headgate("retry", "support-reply", "-n", "ai")

    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "ai/support-reply: lifted the rejection of support-reply-v8 (attempt 3);"
        " spec.prompt.version is support-reply-v8 again (was support-reply-v7)\n"
    )
    after = cluster.get("support-reply")
    assert after["metadata"]["annotations"] == {"headgate.dev/retry": "3"}
    assert after["spec"]["prompt"]["version"] == "support-reply-v8"
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1


def test_retry_names_the_family_of_the_version_too(cluster: Cluster) -> None:
    cluster.exists("support-reply", spec=spec("support-reply-v7"), status=TAKEN_BACK)
    cluster.has_version("support-reply-v8", "answers")

    result = cluster.headgate("retry", "support-reply", "-n", "ai")

    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(
        "spec.prompt.version is support-reply-v8 again (was support-reply-v7),"
        " spec.prompt.family answers (was support-reply)\n"
    )
    prompt = cluster.get("support-reply")["spec"]["prompt"]
    assert prompt == {"family": "answers", "version": "support-reply-v8"}


def test_abort_right_after_a_retry_takes_its_word_out_of_the_object(cluster: Cluster) -> None:
    cluster.exists("support-reply", spec=spec("support-reply-v7"), status=TAKEN_BACK)
    assert cluster.headgate("retry", "support-reply", "-n", "ai").exit_code == 0

    first = cluster.headgate("abort", "support-reply", "-n", "ai", "--wait", "--timeout", "5")
    second = cluster.headgate("abort", "support-reply", "-n", "ai")

    assert first.exit_code == 0, first.output
    assert first.stdout.startswith("ai/support-reply: withdrew the retry of attempt 3 before the operator heard it")
    assert "(unchanged)" not in first.stdout
    assert "headgate.dev/retry" not in cluster.get("support-reply")["metadata"].get("annotations", {})
    assert second.stdout.endswith("(unchanged)\n")


def test_a_second_approval_does_not_erase_one_that_was_not_heard(cluster: Cluster) -> None:
    steps = [{"weight": 10}, *({"weight": weight, "approval": "Required"} for weight in (50, 75)), {"weight": 100}]
    tried = attempt(step={"index": 0, "name": "10", "startedAt": ago(42)})
    cluster.exists("support-reply", spec=spec(steps=steps), status=status(tried))
    assert cluster.headgate("approve", "support-reply", "-n", "ai", "--step", "50").exit_code == 0

    refused = cluster.headgate("approve", "support-reply", "-n", "ai", "--step", "75")

    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: ai/support-reply: the operator has not heard the approval of step 50 yet")
    assert refused.stderr.count("\n") == 1
    assert cluster.get("support-reply")["metadata"]["annotations"] == {"headgate.dev/approve": "3/50"}


def test_after_a_write_to_the_spec_git_needs_no_force(cluster: Cluster) -> None:
    cluster.applies("support-reply", spec("support-reply-v7"), "gitops")
    cluster.says("support-reply", TAKEN_BACK)

    assert cluster.headgate("retry", "support-reply", "-n", "ai").exit_code == 0

    assert "headgate-cli" not in _owners(cluster.get("support-reply"), "f:spec")
    applied = cluster.applies("support-reply", spec("support-reply-v9"), "gitops")
    assert applied["spec"]["prompt"]["version"] == "support-reply-v9"


def test_without_giving_the_field_up_that_apply_would_conflict(cluster: Cluster) -> None:
    """Guards the test above: the API server does behave so."""
    cluster.applies("support-reply", spec("support-reply-v7"), "gitops")
    cluster.api.patch_namespaced_custom_object(
        "headgate.dev",
        "v1alpha1",
        "ai",
        "rollouts",
        "support-reply",
        {"spec": {"prompt": {"version": "support-reply-v8"}}},
        field_manager="headgate-cli",
        _content_type="application/merge-patch+json",
    )
    with pytest.raises(ApiException, match="conflict"):
        cluster.applies("support-reply", spec("support-reply-v9"), "gitops")


def test_pause_and_resume(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    assert cluster.headgate("pause", "support-reply", "-n", "ai").exit_code == 0
    assert cluster.get("support-reply")["spec"]["paused"] is True
    assert cluster.headgate("resume", "support-reply", "-n", "ai").exit_code == 0
    assert not cluster.get("support-reply")["spec"].get("paused", False)


@pytest.mark.parametrize(
    "verb",
    [("pause",), ("resume",), ("abort",), ("promote",), ("approve",), ("kill",), ("kill", "--to", "Off")],
    ids=" ".join,
)
def test_each_verb_said_twice_writes_once(cluster: Cluster, verb: tuple[str, ...]) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    first = cluster.headgate(*verb, "support-reply", "-n", "ai")
    between = cluster.get("support-reply")
    second = cluster.headgate(*verb, "support-reply", "-n", "ai")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert second.stdout.endswith(" (unchanged)\n")
    assert cluster.get("support-reply") == between


def test_retry_said_twice_writes_once(cluster: Cluster) -> None:
    cluster.exists("support-reply", spec=spec("support-reply-v7"), status=TAKEN_BACK)
    assert cluster.headgate("retry", "support-reply", "-n", "ai").exit_code == 0
    between = cluster.get("support-reply")
    again = cluster.headgate("retry", "support-reply", "-n", "ai")
    assert again.stdout == ("ai/support-reply: lifted the rejection of support-reply-v8 (attempt 3) (unchanged)\n")
    assert cluster.get("support-reply") == between


def test_kill_and_off_again(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=status(phase="Idle"))
    result = cluster.headgate("kill", "support-reply", "-n", "ai", "--to", "Legacy")
    assert result.stdout == "ai/support-reply: killed: everybody gets the legacy path at once\n"
    assert cluster.get("support-reply")["spec"]["killSwitch"] == "Legacy"
    assert cluster.headgate("kill", "support-reply", "-n", "ai", "--to", "Off").exit_code == 0
    assert cluster.get("support-reply")["spec"]["killSwitch"] == "Off"


def test_a_gitops_controller_is_pointed_out_for_spec_only(cluster: Cluster) -> None:
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps"}
    cluster.exists("support-reply", metadata={"labels": labels}, status=status(attempt()))
    paused = cluster.headgate("pause", "support-reply", "-n", "ai")
    assert paused.stderr == "note: Flux applies this Rollout: change its spec in Git as well, or it is set back\n"
    assert cluster.headgate("abort", "support-reply", "-n", "ai").stderr == ""


def test_what_keeps_the_operator_from_being_done_is_named(cluster: Cluster) -> None:
    undelivered = {
        "type": "Delivered",
        "status": "False",
        "reason": "Undelivered",
        "message": "flag/flags/flags.json#support-reply: ConfigMap flags, key flags.json: no JSON",
        "lastTransitionTime": ago(5),
    }
    way_back = attempt("RollingBack", outcome="RolledBack", reason="aborted")
    cluster.exists("support-reply", status=status(way_back, phase="RollingBack", conditions=[undelivered]))
    result = cluster.headgate("abort", "support-reply", "-n", "ai", "--wait", "--timeout", "0.3")
    assert result.exit_code == 5
    assert result.stderr == (
        "error: ai/support-reply: not done within 0.3 s; it waits for every router to be at 0:"
        " flag/flags/flags.json#support-reply: ConfigMap flags, key flags.json: no JSON\n"
    )


def test_json_says_what_was_written(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    written = json.loads(cluster.headgate("abort", "support-reply", "-n", "ai", "-o", "json").stdout)
    assert written["annotations"] == {"headgate.dev/abort": "3"}
    assert written["rollout"] == "support-reply"
    assert (written["changed"], written["dryRun"]) == (True, "none")


def test_a_conflict_decides_anew_on_what_is_there_then(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    seen: list[int] = []

    def decide(_: Connection, view: RolloutView) -> Change:
        assert view.status.attempt is not None
        seen.append(view.status.attempt.number)
        change = abort(view)
        if len(seen) == 1:
            cluster.says("support-reply", status(attempt(number=4)))
        return change

    target = Target(cluster.plane.kubeconfig, None, "ai")
    carry_out(target, "support-reply", decide)

    assert seen == [3, 4]
    assert cluster.get("support-reply")["metadata"]["annotations"] == {"headgate.dev/abort": "4"}


def test_what_was_written_is_said_although_the_request_after_it_is_not_answered(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    written = Rollouts.merge_patch

    def once(self: Rollouts, namespace: str, name: str, body: Json, **more: Any) -> Json:  # noqa: ANN401 - as it is
        if "spec" not in body:
            raise Unavailable("the API server does not answer")
        return written(self, namespace, name, body, **more)

    monkeypatch.setattr(Rollouts, "merge_patch", once)

    target = Target(cluster.plane.kubeconfig, None, "ai")
    carry_out(target, "support-reply", lambda _, view: kill(view, KillSwitch.STABLE))

    assert cluster.get("support-reply")["spec"]["killSwitch"] == "Stable"
    said = capsys.readouterr()
    assert said.out.startswith("ai/support-reply: killed: everybody gets support-reply-v7 at once")
    assert said.err == (
        "note: the spec's written fields stay owned by headgate-cli: the next server-side apply may need --force"
        " (the API server does not answer)\n"
    )


def test_wait_returns_when_the_operator_has_acted(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    acted = threading.Event()

    def operate() -> None:
        while "headgate.dev/abort" not in cluster.get("support-reply")["metadata"].get("annotations", {}):
            acted.wait(0.02)
        cluster.says("support-reply", status(attempt("RollingBack")))
        acted.set()
        cluster.says("support-reply", status(attempt("Ended", outcome="RolledBack")))

    operator = threading.Thread(target=operate)
    operator.start()
    result = cluster.headgate("abort", "support-reply", "-n", "ai", "--wait")
    operator.join()

    assert result.exit_code == 0, result.output
    assert acted.is_set()
    assert cluster.get("support-reply")["status"]["attempt"]["state"] == "Ended"


def test_wait_gives_up(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    result = cluster.headgate("abort", "support-reply", "-n", "ai", "--wait", "--timeout", "0.3")
    assert result.exit_code == 5
    assert "the operator did not act within 0.3 s; is it running?" in result.stderr
