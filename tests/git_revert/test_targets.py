"""git-revert of a target in the worlds that people come to: which rejected content Git is believed to hold."""

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import pytest

from headgate.cli.git_revert.document import as_yaml, merge_patch
from headgate.cli.git_revert.in_file import FileChange, change_in
from headgate.cli.git_revert.revert import Revert, asked_instead, of_target, stable_of
from headgate.engine.content import Content
from tests.engine.target_world import TargetWorld, target_spec

HOUR = timedelta(hours=1)
FILE = (
    "apiVersion: models.example.com/v1beta1\nkind: InferenceService\n"
    "metadata: {name: ranker, namespace: ai}\nspec: {model: %s}\n"
)


def rejected(*models: str) -> TargetWorld:
    """Argo CD applied each of them after m1, one after the other, and a person aborted each."""
    world = TargetWorld(target_spec(), object_keeper="Argo CD")
    world.settle()
    for number, model in enumerate(models, 1):
        world.edit_object(model=model)
        world.settle()
        assert world.status.weight == 10
        world.annotate("abort", str(number))
        world.settle()
    return world


def revert_of(world: TargetWorld, gone: Collection[str] = ()) -> Revert | None:
    """What the command finds; of the digests in ``gone`` there is no snapshot."""
    stable, instead = stable_of(world.view), asked_instead(world.view)
    if instead is None:
        return None
    assert stable.target is not None
    digests = {instead.digest, *(known.digest for known in world.status.rejected)}
    held: dict[str, Content | None] = {digest: None if digest in gone else world.contents[digest] for digest in digests}
    return of_target(world.view, stable.target, instead, world.contents[stable.digest], held)


def is_told_to_revert(world: TargetWorld) -> bool:
    stalled = next(known for known in world.status.conditions if known.type == "Stalled")
    return stalled.reason == "Rejected" and "headgate git-revert reply" in stalled.message


def test_what_was_rejected_is_reverted_after_an_edit_that_another_one_superseded() -> None:
    world = rejected("m2")
    world.edit_object(model="m3")
    world.run(timedelta(seconds=5))
    world.edit_object(model="m2")
    world.run(timedelta(minutes=1))
    assert is_told_to_revert(world)
    revert = revert_of(world)
    assert revert is not None
    assert merge_patch(revert)["spec"] == {"model": "m1"}
    assert as_yaml(revert).startswith(f"# {world.version(model='m2')} was rejected in attempt 1: ")


def test_what_was_rejected_is_reverted_after_an_edit_that_was_promoted() -> None:
    world = rejected("m2")
    m3 = world.version(model="m3")
    world.edit_object(model="m3")
    assert world.run(HOUR, until=lambda seen: stable_of(seen.view).version == m3)
    world.edit_object(model="m2")
    world.run(timedelta(minutes=1))
    assert is_told_to_revert(world)
    revert = revert_of(world)
    assert revert is not None
    assert merge_patch(revert)["spec"] == {"model": "m3"}


def test_nothing_is_reverted_while_what_was_promoted_after_a_rejection_stands() -> None:
    world = rejected("m2")
    m3 = world.version(model="m3")
    world.edit_object(model="m3")
    assert world.run(HOUR, until=lambda seen: stable_of(seen.view).version == m3)
    assert revert_of(world) is None


def two_fields() -> TargetWorld:
    """Two edits were rejected, each of another field; Git holds the first of them again."""
    world = TargetWorld(target_spec("spec.a", "spec.b"), ranker={"spec": {"a": "1", "b": "1"}}, object_keeper="Argo CD")
    world.settle()
    for number, (a, b) in enumerate((("2", "1"), ("1", "2")), 1):
        world.edit_object(a=a, b=b)
        world.settle()
        world.annotate("abort", str(number))
        world.settle()
    world.edit_object(a="2", b="1")
    world.run(timedelta(minutes=1))
    assert is_told_to_revert(world)
    return world


def test_of_two_rejected_contents_the_one_that_stands_is_reverted() -> None:
    revert = revert_of(two_fields())
    assert revert is not None
    assert merge_patch(revert)["spec"] == {"a": "1"}


def test_every_declared_field_is_named_where_the_snapshot_of_what_stands_is_gone() -> None:
    world = two_fields()
    revert = revert_of(world, gone=[world.status.rejected[0].digest, world.status.rejected[1].digest])
    assert revert is not None
    assert merge_patch(revert)["spec"] == {"a": "1", "b": "1"}


def diff_of(model: str, revert: Revert | None, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> FileChange:
    assert revert is not None
    monkeypatch.chdir(checkout)
    (checkout / "ranker.yaml").write_text(FILE % model)
    return change_in(Path("ranker.yaml"), revert)


@pytest.mark.parametrize("model", ["m2", "m3"])
def test_a_file_that_says_any_of_the_rejected_contents_is_changed(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = diff_of(model, revert_of(rejected("m2", "m3")), tmp_path, monkeypatch)
    assert f"-spec: {{model: {model}}}\n+spec: {{model: m1}}\n" in change.diff


def test_a_file_that_says_an_edit_which_was_never_rejected_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = diff_of("m9", revert_of(rejected("m2", "m3")), tmp_path, monkeypatch)
    assert change == FileChange("", ('ranker.yaml:1: spec.model is "m9", which was not rejected; nothing to revert',))


def test_a_file_is_changed_where_a_snapshot_of_what_was_rejected_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = rejected("m2", "m3")
    change = diff_of("m2", revert_of(world, gone=[world.status.rejected[0].digest]), tmp_path, monkeypatch)
    assert "+spec: {model: m1}\n" in change.diff
