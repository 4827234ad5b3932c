"""What the store knows, whatever order news arrives in."""

from collections.abc import Mapping

import pytest

from headgate.cluster.objects import CONFIG_MAP, Json, JsonValue
from headgate.cluster.store import Store
from headgate.cluster.views import rollout_view
from headgate.engine.observation import Key


def rollout(
    name: str = "reply",
    *,
    version: int,
    uid: str = "u1",
    prompt: str = "v1",
    created: str = "2026-11-01T00:00:00Z",
    flag: str = "reply",
    status: Mapping[str, JsonValue] | None = None,
    generation: int = 1,
) -> Json:
    return {
        "metadata": {
            "name": name,
            "namespace": "ai",
            "uid": uid,
            "resourceVersion": str(version),
            "generation": generation,
            "creationTimestamp": created,
            "annotations": {"headgate.dev/abort": "1", "other/x": "y"},
        },
        "spec": {
            "prompt": {"family": "f", "version": prompt},
            "delivery": [{"flag": {"name": flag, "key": "id", "configMap": {"name": "flags"}}}],
            "gates": [{"name": "quality"}],
            "steps": [{"weight": 100}],
        },
        "status": dict(status or {}),
    }


def config_map(version: int, text: str = "{}") -> Json:
    return {
        "metadata": {"name": "flags", "namespace": "ai", "uid": "c", "resourceVersion": str(version)},
        "data": {"flags.json": text},
    }


KEY = Key("ai", "reply")


@pytest.fixture
def poked() -> list[Key]:
    return []


@pytest.fixture
def store(poked: list[Key]) -> Store:
    store = Store()
    store.poke_rollout = poked.append
    return store


def test_an_older_state_never_replaces_a_newer_one_and_versions_are_numbers(store: Store) -> None:
    store.saw_rollout(rollout(version=100, prompt="v2"))
    store.saw_rollout(rollout(version=99, prompt="v1"))
    known = store.rollouts.get(KEY)
    assert known is not None
    assert known.spec is not None
    assert known.spec.prompt is not None
    assert known.spec.prompt.version == "v2"


def test_a_late_answer_does_not_bring_back_what_was_deleted(store: Store) -> None:
    store.saw_rollout(rollout(version=5))
    assert store.lost_rollout(KEY, 8) is not None
    store.saw_rollout(rollout(version=7))
    assert store.rollouts.get(KEY) is None


def test_a_deletion_of_the_old_does_not_take_the_new_one_of_the_same_name(store: Store) -> None:
    store.saw_rollout(rollout(version=9, uid="u2"))
    assert store.lost_rollout(KEY, 8) is None
    assert store.rollouts.get(KEY) is not None


def test_a_configmap_that_only_lost_its_label_is_still_seen_when_it_is_read(store: Store) -> None:
    store.documents.watched(CONFIG_MAP, config_map(5), deleted=False)
    store.documents.watched(CONFIG_MAP, config_map(6), deleted=True)
    assert store.documents.seen(CONFIG_MAP, "ai", "flags") is None
    store.documents.saw(CONFIG_MAP, config_map(6))
    assert store.documents.seen(CONFIG_MAP, "ai", "flags") is not None


def test_news_pokes_whom_it_concerns_and_what_is_no_news_pokes_nobody(store: Store, poked: list[Key]) -> None:
    store.saw_rollout(rollout(version=5))
    store.documents.watched(CONFIG_MAP, config_map(6), deleted=False)
    assert poked == [KEY, KEY]
    store.documents.watched(CONFIG_MAP, config_map(6), deleted=False)
    store.saw_rollout(rollout(version=5))
    assert poked == [KEY, KEY]


def test_an_own_write_pokes_nobody_when_the_watch_brings_it_back(store: Store, poked: list[Key]) -> None:
    store.saw_rollout(rollout(version=5), poke=False)
    store.saw_rollout(rollout(version=5))
    assert poked == []


def test_of_two_claims_the_older_has_the_router(store: Store) -> None:
    older = store.saw_rollout(rollout("zebra", version=1, uid="b", created="2026-11-01T00:00:00Z"))
    younger = store.saw_rollout(rollout("ape", version=2, uid="a", created="2026-11-02T00:00:00Z"))
    assert older is not None
    assert younger is not None
    assert younger.spec is not None
    assert store.claimed_by(younger, younger.spec.delivery) == {"flag/flags/flags.json#reply": "zebra"}
    assert store.claimed_by(older, younger.spec.delivery) == {}


def test_whoever_waits_for_a_router_is_poked_when_it_is_given_up(store: Store, poked: list[Key]) -> None:
    store.saw_rollout(rollout("zebra", version=1, uid="b"))
    store.saw_rollout(rollout("ape", version=2, uid="a", created="2026-11-02T00:00:00Z"))
    poked.clear()
    store.lost_rollout(Key("ai", "zebra"), 3)
    assert Key("ai", "ape") in poked


MODEL = {"apiVersion": "ml.example.dev/v1", "kind": "Model", "name": "triage"}


def releasing(*fields: str, version: int, created: str = "2026-11-01T00:00:00Z") -> Json:
    """A Rollout of the model, which has its own weight beside what is released."""
    raw = rollout("model", version=version, uid="m", created=created, generation=version)
    delivery: JsonValue = [{"field": {"path": "spec.share"}}]
    return {
        **raw,
        "spec": {"target": {**MODEL, "fields": list(fields)}, "delivery": delivery, "steps": [{"weight": 100}]},
    }


def weighing(path: str, *, version: int, created: str, api_version: str = "ml.example.dev/v1") -> Json:
    """A Rollout of a prompt, whose weight stands in the model."""
    raw = rollout("prompt", version=version, uid="p", created=created)
    delivery: JsonValue = [{"field": {"path": path, "target": {**MODEL, "apiVersion": api_version}}}]
    spec: JsonValue = {"prompt": {"family": "f", "version": "v1"}, "delivery": delivery, "steps": [{"weight": 100}]}
    return {**raw, "spec": spec}


BEFORE, AFTER = "2026-10-31T00:00:00Z", "2026-11-02T00:00:00Z"


@pytest.mark.parametrize(
    ("path", "api_version"),
    [
        ("spec.transformer.share", "ml.example.dev/v1"),
        ("spec.transformer", "ml.example.dev/v1"),
        ("spec.transformer.share.deep", "ml.example.dev/v2"),
        ("spec.share", "ml.example.dev/v1"),
    ],
)
def test_a_weight_in_what_another_rollout_writes_is_the_olders(store: Store, path: str, api_version: str) -> None:
    model = store.saw_rollout(releasing("spec.transformer.share", version=1))
    prompt = store.saw_rollout(weighing(path, version=2, created=AFTER, api_version=api_version))
    assert model is not None
    assert prompt is not None
    assert prompt.spec is not None
    field = f"field/ml.example.dev/Model/triage#{path}"
    assert store.claimed_by(prompt, prompt.spec.routes()) == {field: "model"}
    assert model.spec is not None
    assert store.claimed_by(model, model.spec.routes()) == {}


def test_what_is_released_is_not_released_while_an_older_rollout_has_its_weight_in_it(store: Store) -> None:
    store.saw_rollout(weighing("spec.transformer.share", version=2, created=BEFORE))
    model = store.saw_rollout(releasing("spec.transformer", version=3))
    assert model is not None
    assert model.spec is not None
    assert store.claimed_by(model, model.spec.routes()) == {"target/ml.example.dev/Model/triage": "prompt"}


def test_a_weight_beside_what_another_rollout_writes_is_nobodys_business(store: Store) -> None:
    store.saw_rollout(releasing("spec.transformer.share", version=1))
    for path in ("spec.transformer.shares", "spec.explainer.share"):
        prompt = store.saw_rollout(weighing(path, version=2, created=AFTER))
        assert prompt is not None
        assert prompt.spec is not None
        assert store.claimed_by(prompt, prompt.spec.routes()) == {}


def test_whoever_waits_for_a_field_is_poked_when_its_release_is_given_up(store: Store, poked: list[Key]) -> None:
    store.saw_rollout(releasing("spec.transformer.share", version=1))
    store.saw_rollout(weighing("spec.transformer.share", version=2, created=AFTER))
    poked.clear()
    store.saw_rollout(releasing("spec.predictor.model.storageUri", version=3))
    assert Key("ai", "prompt") in poked


def test_only_annotations_that_speak_to_headgate_are_kept(store: Store) -> None:
    view = store.saw_rollout(rollout(version=1))
    assert view is not None
    assert view.annotations == {"headgate.dev/abort": "1"}


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"metadata": None},
        {"metadata": {"name": "a", "uid": "u", "resourceVersion": "abc"}},
        {"metadata": {"name": "a", "resourceVersion": "1"}},
    ],
)
def test_what_has_no_identity_is_nothing(store: Store, raw: Json) -> None:
    assert store.saw_rollout(raw) is None
    assert store.saw_version(raw) is None
    store.saw_gate(raw)
    store.documents.watched(CONFIG_MAP, raw, deleted=False)


@pytest.mark.parametrize("spec", [None, [], "x", {"prompt": 7}, {"unknown": 1}])
def test_a_malformed_spec_says_what_is_wrong_in_one_line(store: Store, spec: JsonValue) -> None:
    view = store.saw_rollout({**rollout(version=1), "spec": spec})
    assert view is not None
    assert view.spec is None
    assert view.spec_error
    assert "\n" not in view.spec_error
    assert len(view.spec_error) < 400


def test_a_malformed_status_counts_as_lost() -> None:
    view = rollout_view(rollout(version=1, status={"revision": "many"}))
    assert view is not None
    assert view.status.revision == 0


def test_a_spec_of_the_same_generation_is_not_read_twice(store: Store) -> None:
    before = store.saw_rollout(rollout(version=1))
    after = store.saw_rollout(rollout(version=2, status={"revision": 3}))
    assert before is not None
    assert after is not None
    assert after.spec is before.spec
    assert after.status.revision == 3


def test_what_a_complete_list_lacks_is_gone_but_not_what_came_after_it(store: Store) -> None:
    store.saw_rollout(rollout("old", version=5))
    store.saw_rollout(rollout("new", version=11, uid="n"))
    assert store.rollouts.unlisted(set(), 10) == [Key("ai", "old")]
