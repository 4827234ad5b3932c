"""What cannot be carried out says why in one line, and a healthy neighbour in the same namespace goes on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from tests.integration import resources
from tests.integration.cluster import Document
from tests.integration.releases import Release
from tests.integration.routers import Route
from tests.integration.waiting import eventually

pytestmark = pytest.mark.usefixtures("operator")


@contextmanager
def healthy_neighbour(release: Release) -> Iterator[None]:
    """Another Rollout, in the same flag document where there is one, that is released meanwhile."""
    delivery = [resources.flag_delivery("neighbour", "neighbours-flags")]
    release.namespace.apply(resources.rollout("v1", app=release.app, name="neighbour", delivery=delivery))
    release.namespace.wait("neighbour", lambda status: status["stable"]["version"] == "v1")
    yield
    release.namespace.apply(resources.rollout("v2", app=release.app, name="neighbour", delivery=delivery))
    release.namespace.wait(
        "neighbour", lambda status: status["stable"]["version"] == "v2" and status["phase"] == "Idle"
    )


def is_stalled(release: Release, *words: str, name: str = "reply") -> None:
    """Returns when the Rollout is Stalled, and so not Ready, with those words in one line of message."""

    def conditions() -> dict[str, Document]:
        return {each["type"]: each for each in release.namespace.status(name).get("conditions", [])}

    def says_so(seen: dict[str, Document]) -> bool:
        stalled, ready = seen["Stalled"], seen["Ready"]
        clear = all(word in stalled["message"] for word in words) and "\n" not in stalled["message"]
        return stalled["status"] == "True" and ready["status"] == "False" and clear

    eventually(conditions, says_so)


def apply_a_younger_one(release: Release, delivery: Document) -> None:
    """Another Rollout with that delivery; API servers count an object's age in whole seconds."""
    older = release.namespace.get("Rollout", "reply")["metadata"]["creationTimestamp"]
    eventually(lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), lambda now: now > older)
    release.namespace.apply(resources.rollout("v2", app=release.app, name="late", delivery=[delivery]))


def test_a_version_that_does_not_exist(release: Release) -> None:
    with healthy_neighbour(release):
        release.begins()
        release.of("v9")
        is_stalled(release, "'v9' does not exist", "apply it or name one that exists")
    release.answers("v9", requests=1000, errors=0)
    release.namespace.apply(resources.version("v9"))
    release.ends_stable("v9")


def test_a_version_of_another_family(release: Release) -> None:
    release.namespace.apply(resources.version("poem-v1", family="poems"))
    with healthy_neighbour(release):
        release.begins()
        release.of("poem-v1")
        is_stalled(release, "'poems'", "'reply'")
        assert release.shares() == {"v1": 100}


def test_a_key_of_the_config_map_that_is_no_json_is_left_as_it_is(release: Release) -> None:
    release.namespace.create(_config_map("not json at all {"))
    with healthy_neighbour(release):
        release.of("v1")
        is_stalled(release, "ConfigMap flags, key flags.json", "no JSON")
        assert release.namespace.get("ConfigMap", "flags")["data"]["flags.json"] == "not json at all {"
    release.namespace.patch("ConfigMap", "flags", {"data": {"flags.json": '{"flags": {}}'}})
    release.is_shown(v1=100)


def test_a_flag_of_that_name_that_is_somebody_elses(release: Release) -> None:
    theirs = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off", "targeting": {}}
    release.namespace.create(_config_map(json.dumps({"flags": {"reply": theirs, "other": theirs}})))
    with healthy_neighbour(release):
        release.of("v1")
        is_stalled(release, "flag reply is there and not headgate's")
    document = json.loads(release.namespace.get("ConfigMap", "flags")["data"]["flags.json"])
    assert document == {"flags": {"reply": theirs, "other": theirs}}


def test_flags_of_other_people_in_the_same_document_stay_as_they_are(release: Release) -> None:
    banner = '"banner": {"state": "ENABLED", "variants": {"on": 1.50}, "defaultVariant": "on"}'
    theirs = f'{{\n  "flags": {{\n    {banner}\n  }}\n}}\n'
    release.namespace.create(_config_map(theirs))
    release.begins()
    release.of("v2")
    release.ends_stable("v2")
    text = release.namespace.get("ConfigMap", "flags")["data"]["flags.json"]
    assert banner in text


def test_of_two_rollouts_that_claim_one_flag_the_older_has_it(release: Release) -> None:
    release.begins()
    apply_a_younger_one(release, resources.flag_delivery("reply"))
    is_stalled(release, "flag/flags/flags.json#reply", "older Rollout 'reply'", name="late")
    assert release.shares() == {"v1": 100}
    release.of("v3")
    release.ends_stable("v3")


def test_of_two_rollouts_that_claim_one_route_the_older_has_it(release: Release) -> None:
    router = Route()
    release.begins(router)
    apply_a_younger_one(release, router.delivery())
    is_stalled(release, "httpRoute/reply", "older Rollout 'reply'", name="late")
    assert release.shares() == {"v1": 100}
    release.of("v3")
    release.ends_stable("v3")


def test_a_flag_that_an_older_one_comes_to_claim_in_mid_attempt_is_put_back_when_the_attempt_ends(
    release: Release,
) -> None:
    elder = resources.rollout(
        "v1", app=release.app, name="elder", delivery=[resources.flag_delivery("elders", "elders-flags")]
    )
    release.namespace.apply(elder)
    release.namespace.wait("elder", lambda status: status["phase"] == "Idle")
    born = release.namespace.get("Rollout", "elder")["metadata"]["creationTimestamp"]
    eventually(lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), lambda now: now > born)
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    elder["spec"]["delivery"] = [resources.flag_delivery("reply")]
    release.namespace.apply(elder)
    is_stalled(release, "flag/flags/flags.json#reply", "older Rollout 'elder'")
    release.namespace.annotate("reply", abort="1")
    release.is_shown(v1=100)
    release.namespace.wait("reply", lambda seen: seen["attempt"]["state"] == "Ended")


def test_the_younger_one_has_the_flag_when_the_older_is_gone(release: Release) -> None:
    release.begins()
    apply_a_younger_one(release, resources.flag_delivery("reply"))
    is_stalled(release, "older Rollout 'reply'", name="late")
    release.namespace.delete("Rollout", "reply")
    release.is_shown(v2=100)
    eventually(lambda: release.namespace.status("late"), lambda status: status["phase"] == "Idle")


def test_a_route_that_does_not_name_our_backends(release: Release) -> None:
    router = Route()
    release.namespace.apply(resources.route("reply", ("one", "two")), manager="platform")
    with healthy_neighbour(release):
        release.router = router
        release.of("v1")
        is_stalled(release, "HTTPRoute reply", "blue and green")
        rules = release.namespace.get("HTTPRoute", "reply")["spec"]["rules"]
        assert [(ref["name"], ref["weight"]) for ref in rules[1]["backendRefs"]] == [("one", 1), ("two", 0)]
    release.namespace.apply(resources.route("reply"), manager="platform", force=True)
    release.is_shown(v1=100)


def test_a_route_that_does_not_exist_yet(release: Release) -> None:
    with healthy_neighbour(release):
        release.router = Route()
        release.of("v1")
        release.wait(phase="Idle")
        release.of("v2")
        is_stalled(release, "HTTPRoute reply is not there", "blue and green")
    release.namespace.apply(resources.route("reply"), manager="platform")
    release.ends_stable("v2")


def _config_map(text: str) -> Document:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "flags"}, "data": {"flags.json": text}}
