"""`headgate git-revert` against a real API server, as a person in a checkout uses it."""

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest
import yaml
from kubernetes import client, config

from headgate.cli.kube.reaching import connected
from headgate.cli.kube.target import Target
from headgate.cluster.target_snapshots import Snapshot, TargetSnapshots
from headgate.engine.content import Content, content_of, version_name
from tests.cli.conftest import Cluster
from tests.cli.samples import Document, attempt, rejection, spec, status

STORAGE = "spec.predictor.model.storageUri"
SUBJECT = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "name": "ranker"}


def model(number: int) -> Document:
    return {"spec": {"predictor": {"model": {"storageUri": f"s3://models/{number}"}}}}


def ref(content: Content) -> Document:
    return {"version": version_name("ranker", content.digest), "digest": content.digest}


@pytest.fixture
def ranker(cluster: Cluster) -> Cluster:
    """Model 2 was rejected; what both models were is kept as ControllerRevisions."""
    good, bad = content_of(model(1), [STORAGE]), content_of(model(2), [STORAGE])

    async def keep(content: Content, api: object) -> None:
        snapshot = Snapshot("ranker", version_name("ranker", content.digest), content, "uid", 1, 1)
        await TargetSnapshots(api).keep("ai", snapshot)  # type: ignore[arg-type]

    for content in (good, bad):
        asyncio.run(connected(Target(cluster.plane.kubeconfig), partial(keep, content)))
    subject = {
        "target": {**SUBJECT, "fields": [STORAGE]},
        "delivery": [{"field": {"path": "spec.predictor.canaryTrafficPercent"}}],
    }
    described = {name: value for name, value in spec().items() if name != "prompt"}
    tried = attempt("Ended", candidate=ref(bad), outcome="RolledBack")
    stable = {**ref(good), "target": {**SUBJECT, "uid": "uid", "fields": [STORAGE]}}
    said = status(tried, "RolledBack", stable=stable, rejected=[rejection(**ref(bad))])
    cluster.exists("ranker", spec={**described, **subject}, status=said)
    return cluster


def test_a_rejected_prompt_is_reverted_in_a_file_of_the_checkout(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = status(attempt("Ended", outcome="RolledBack"), "RolledBack", rejected=[rejection()])
    written = cluster.exists("support-reply", status=said)
    monkeypatch.chdir(tmp_path)
    Path("reply.yaml").write_text(
        "apiVersion: headgate.dev/v1alpha1\nkind: Rollout\nmetadata: {name: support-reply}\n"
        "spec: {prompt: {family: support-reply, version: support-reply-v8}}\n"
    )
    result = cluster.headgate("git-revert", "support-reply", "-n", "ai", "--file", "reply.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "+spec: {prompt: {family: support-reply, version: support-reply-v7}}\n" in result.stdout
    # It only ever reads.
    assert cluster.get("support-reply")["metadata"]["resourceVersion"] == written["metadata"]["resourceVersion"]


@pytest.mark.parametrize("asked", ["support-reply-v8", "support-reply-v7"])
def test_the_family_goes_back_with_its_version(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """Whether Git keeps the Rollout, or headgate has restored it."""
    tried = {"support-reply-v8": "answers", "support-reply-v7": "support-reply"}
    said = status(attempt("Ended", outcome="RolledBack"), "RolledBack", rejected=[rejection()])
    prompt = {"family": tried[asked], "version": asked}
    cluster.exists("support-reply", spec=spec(asked, prompt=prompt), status=said)
    for version, family in tried.items():
        cluster.has_version(version, family)
    monkeypatch.chdir(tmp_path)
    Path("reply.yaml").write_text(
        "apiVersion: headgate.dev/v1alpha1\nkind: Rollout\nmetadata: {name: support-reply}\n"
        "spec: {prompt: {family: answers, version: support-reply-v8}}\n"
    )
    in_file = cluster.headgate("git-revert", "support-reply", "-n", "ai", "--file", "reply.yaml")
    as_json = cluster.headgate("git-revert", "support-reply", "-n", "ai", "-o", "json")
    assert "+spec: {prompt: {family: support-reply, version: support-reply-v7}}\n" in in_file.stdout
    assert json.loads(as_json.stdout)["spec"] == {"prompt": {"family": "support-reply", "version": "support-reply-v7"}}


def test_both_documents_say_the_same(cluster: Cluster) -> None:
    said = status(attempt("Ended", outcome="RolledBack"), "RolledBack", rejected=[rejection()])
    cluster.exists("support-reply", status=said)
    as_yaml = cluster.headgate("git-revert", "support-reply", "-n", "ai")
    as_json = cluster.headgate("git-revert", "support-reply", "-n", "ai", "-o", "json")
    assert as_yaml.exit_code == as_json.exit_code == 0
    assert as_yaml.stdout.startswith("# support-reply-v8 was rejected in attempt 3")
    assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)
    assert json.loads(as_json.stdout)["spec"] == {"prompt": {"version": "support-reply-v7"}}


def test_nothing_to_revert_is_nothing_on_stdout_and_no_failure(cluster: Cluster) -> None:
    cluster.exists("support-reply", spec=spec("support-reply-v7"), status=status(phase="Idle"))
    result = cluster.headgate("git-revert", "support-reply", "-n", "ai")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("ai/support-reply: nothing to revert")


def test_a_release_in_flight_is_left_alone_and_what_takes_it_back_is_named(cluster: Cluster) -> None:
    cluster.exists("support-reply", spec=spec("support-reply-v8"), status=status(attempt()))
    result = cluster.headgate("git-revert", "support-reply", "-n", "ai")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        "ai/support-reply: nothing to revert, attempt 3 of support-reply-v8 is in flight and not rejected;"
        " to take it back first: headgate abort support-reply\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("support-reply", "-o", "patch"), 2),
        (("support-reply", "-o", "yaml", "--file", "x.yaml"), 2),
        (("support-reply", "--file", "none.yaml"), 2),
        (("suport-reply",), 3),
        (("fresh",), 1),
    ],
)
def test_refusals_have_their_exit_status_and_one_line(cluster: Cluster, arguments: tuple[str, ...], code: int) -> None:
    cluster.exists("support-reply", status=status(attempt(), rejected=[rejection()]))
    cluster.exists("fresh")
    result = cluster.headgate("git-revert", *arguments, "-n", "ai")
    assert (result.exit_code, result.stdout) == (code, "")
    assert len(result.stderr.splitlines()) == 1


def test_a_target_is_reverted_from_its_snapshot(
    ranker: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = ranker.headgate("git-revert", "ranker", "-n", "ai", "-o", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    patch = json.loads(result.stdout)
    assert (patch["kind"], patch["metadata"]["name"]) == ("InferenceService", "ranker")
    assert patch["spec"] == model(1)["spec"]
    monkeypatch.chdir(tmp_path)
    metadata = {"name": "ranker", "namespace": "ai"}
    written = {"apiVersion": SUBJECT["apiVersion"], "kind": "InferenceService", "metadata": metadata, **model(2)}
    Path("ranker.yaml").write_text(yaml.safe_dump(written))
    result = ranker.headgate("git-revert", "ranker", "-n", "ai", "-f", "ranker.yaml")
    assert "-      storageUri: s3://models/2\n+      storageUri: s3://models/1\n" in result.stdout


def test_a_targets_file_that_was_never_rejected_is_left_alone(
    ranker: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    metadata = {"name": "ranker", "namespace": "ai"}
    written = {"apiVersion": SUBJECT["apiVersion"], "kind": "InferenceService", "metadata": metadata, **model(9)}
    Path("ranker.yaml").write_text(yaml.safe_dump(written))
    result = ranker.headgate("git-revert", "ranker", "-n", "ai", "-f", "ranker.yaml")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "s3://models/9" in result.stderr
    assert "was not rejected; nothing to revert" in result.stderr


def test_a_snapshot_that_was_tampered_with_is_refused(ranker: Cluster) -> None:
    settings = client.Configuration()
    config.load_kube_config(str(ranker.plane.kubeconfig), client_configuration=settings)
    name = version_name("ranker", content_of(model(1), [STORAGE]).digest)
    with client.ApiClient(settings) as api:
        apps = client.AppsV1Api(api)
        kept = apps.read_namespaced_controller_revision(name, "ai")
        apps.delete_namespaced_controller_revision(name, "ai")
        forged = {**kept.data, "fields": {STORAGE: {"value": "s3://evil"}}}
        metadata = client.V1ObjectMeta(name=name, labels={"headgate.dev/rollout": "ranker"})
        body = client.V1ControllerRevision(metadata=metadata, revision=kept.revision, data=forged)
        apps.create_namespaced_controller_revision("ai", body)
        try:
            result = ranker.headgate("git-revert", "ranker", "-n", "ai")
        finally:
            apps.delete_namespaced_controller_revision(name, "ai")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "SnapshotTampered" in result.stderr
    assert len(result.stderr.splitlines()) == 1
