"""git-revert without a file: a merge patch for people, kustomize and programs."""

import json

import pytest
import yaml

from headgate.api.rollout_status import VersionRef
from headgate.cli.failures import CommandError
from headgate.cli.git_revert.document import as_json, as_yaml, merge_patch
from headgate.cli.git_revert.revert import asked_instead, of_prompt, stable_of
from tests.cli.samples import V7, V8, attempt, rejection, spec, status, view
from tests.git_revert import reverts

READY = [
    {"type": "Ready", "status": "True", "reason": "Idle", "message": "", "lastTransitionTime": "2026-01-05T12:00:00Z"}
]
ENDED = attempt("Ended", outcome="RolledBack")


def test_the_patch_of_a_prompt_says_why_and_names_its_object() -> None:
    rejected = view(
        spec=spec("support-reply-v8"),
        status=status(ENDED, "RolledBack", stable=V7, rejected=[rejection()]),
    )
    instead = asked_instead(rejected)
    assert instead is not None
    assert as_yaml(of_prompt(rejected, instead)) == (
        "# support-reply-v8 was rejected in attempt 3: reply-quality/error-rate: 12 % above 5%\n"
        "# headgate Rollout ai/support-reply: back to the last good version, support-reply-v7\n"
        "apiVersion: headgate.dev/v1alpha1\n"
        "kind: Rollout\n"
        "metadata:\n"
        "  name: support-reply\n"
        "  namespace: ai\n"
        "spec:\n"
        "  prompt:\n"
        "    version: support-reply-v7\n"
    )


def test_a_reason_cannot_break_out_of_its_comment() -> None:
    hostile = view(status=status(ENDED, rejected=[rejection(reason="x\nkind: Secret\x1b[2J")]))
    printed = as_yaml(of_prompt(hostile, VersionRef.model_validate(V8)))
    assert yaml.safe_load(printed)["kind"] == "Rollout"
    assert "\x1b" not in printed


@pytest.mark.parametrize(
    ("asked", "tried", "conditions", "instead"),
    [
        ("support-reply-v7", None, [], None),
        # A healthy release is nobody's to take back by a patch.
        ("support-reply-v8", attempt(), [], None),
        ("support-reply-v8", attempt("RollingBack", outcome="RolledBack"), [], "support-reply-v8"),
        ("support-reply-v7", attempt("RollingBack", outcome="RolledBack"), [], "support-reply-v8"),
        ("support-reply-v8", attempt("Ended", outcome="Withdrawn"), [], None),
        ("support-reply-v8", ENDED, [], "support-reply-v8"),
        # Restored by headgate: Git may still say v8.
        ("support-reply-v7", ENDED, [], "support-reply-v8"),
        # Somebody let it go since.
        ("support-reply-v7", ENDED, READY, None),
        ("support-reply-v7", attempt("Ended", outcome="Aborted"), READY, None),
        # Nor is a fix that was never rejected, as while the kill switch is on.
        ("support-reply-v9", ENDED, [], None),
    ],
)
def test_what_git_is_believed_to_say_instead(
    asked: str, tried: dict[str, object] | None, conditions: list[dict[str, object]], instead: str | None
) -> None:
    seen = view(spec=spec(asked), status=status(tried, conditions=conditions))
    found = asked_instead(seen)
    assert (found.version if found is not None else None) == instead


def test_without_a_stable_version_there_is_none_to_go_back_to() -> None:
    first = {name: value for name, value in status().items() if name != "stable"}
    with pytest.raises(CommandError, match="no version is stable yet"):
        stable_of(view(status=first))


def test_the_patch_of_a_target_removes_what_the_last_good_version_lacked() -> None:
    good = {"spec.model": {"uri": "s3://1", "args": ["-a"]}, "spec.timeout": ..., "spec.same": 1}
    bad = {"spec.model": {"uri": "s3://2", "args": ["-a"], "extra": {"deep": True}}, "spec.timeout": 5, "spec.same": 1}
    patch = merge_patch(reverts.of_target(good, bad))
    assert patch["spec"] == {"model": {"extra": None, "uri": "s3://1"}, "timeout": None}
    assert json.loads(as_json(reverts.of_target(good, bad))) == patch


def test_without_a_snapshot_of_what_was_tried_every_declared_field_is_named() -> None:
    patch = merge_patch(reverts.of_target({"spec.model": {"uri": "s3://1"}, "spec.timeout": ...}))
    assert patch["spec"] == {"model": {"uri": "s3://1"}, "timeout": None}


@pytest.mark.parametrize(("good", "bad"), [(1, True), (True, 1), (0.5, "0.5"), (0, False), (1, 1.0)])
def test_values_that_python_takes_for_equal_are_told_apart(good: object, bad: object) -> None:
    revert = reverts.of_target({"spec.model": {"flag": good, "n": 1}}, {"spec.model": {"flag": bad, "n": 1}})
    said = json.loads(as_json(revert))["spec"]["model"]
    assert json.dumps(said) == json.dumps({"flag": good})


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"spec.model": {"n": None}}, {"spec.model": {"n": 1}}),
        ({"spec.model": {"n": None}}, {"spec.model": ...}),
        ({"spec.model": {"deep": {"n": None}}}, None),
        ({"spec.model": None}, {"spec.model": 1}),
    ],
)
def test_a_null_of_the_last_good_version_is_no_removal(good: dict[str, object], bad: dict[str, object] | None) -> None:
    with pytest.raises(CommandError, match=r"spec\.model: the last good version holds null"):
        as_yaml(reverts.of_target(good, bad))


def test_a_null_that_was_there_all_along_is_left_alone() -> None:
    good: dict[str, object] = {"spec.model": {"n": None, "uri": "1", "l": [None]}}
    bad: dict[str, object] = {"spec.model": {"n": None, "uri": "2"}}
    assert merge_patch(reverts.of_target(good, bad))["spec"] == {"model": {"uri": "1", "l": [None]}}


@pytest.mark.parametrize("version", ["1e3", "12e4", "y", "N", "0o14", "0b11", "1_0", "1:30", "~", "2026-01-05"])
def test_a_version_that_yaml_would_take_for_something_else_is_quoted(version: str) -> None:
    assert f"    version: '{version}'\n" in as_yaml(reverts.of_prompt(version))
