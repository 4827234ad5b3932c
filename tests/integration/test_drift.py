"""Somebody else writes a router: what exposes more is undone at once, what exposes less is put right once."""

import json

import pytest

from tests.integration import resources
from tests.integration.releases import Release
from tests.integration.routers import FlagInConfigMap, Route
from tests.integration.waiting import eventually

pytestmark = pytest.mark.usefixtures("operator")


def test_a_flag_that_somebody_raises_is_put_back_and_they_are_named(release: Release) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    _split_flag(release, 10_000)
    release.is_shown(v1=90, v2=10)
    event = eventually(lambda: _corrections(release), lambda messages: len(messages) == 1)[0]
    assert "somebody" in event
    assert "put back to 10 %" in event
    release.namespace.annotate("reply", promote="1")
    release.ends_stable("v2")


def test_a_rejected_version_that_somebody_puts_into_the_flag_by_hand_is_taken_out(release: Release) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    exposed = release.namespace.get("ConfigMap", "flags")["data"]
    release.namespace.annotate("reply", abort="1")
    release.ends_rolled_back("v2")
    release.namespace.patch("ConfigMap", "flags", {"data": exposed})
    release.is_shown(v1=100)


def test_a_flag_that_somebody_keeps_lowering_is_put_right_once_and_the_release_holds(release: Release) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    _split_flag(release, 0)
    release.is_shown(v1=90, v2=10)
    _split_flag(release, 0)
    release.wait(phase="Holding")
    assert release.shares() == {"v1": 100}
    assert release.namespace.condition("Rollout", "reply", "Delivered")["status"] == "False"


def test_a_route_whose_weights_somebody_raises_is_put_back(release: Release) -> None:
    release.begins(Route())
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    release.namespace.apply(_all_to_green(), manager="platform", force=True)
    release.is_shown(v1=90, v2=10)
    assert _corrections(release)


def _split_flag(release: Release, candidate: int) -> None:
    """Writes another share into the flag, as a person with an editor."""
    document = json.loads(release.namespace.get("ConfigMap", "flags")["data"]["flags.json"])
    flag = FlagInConfigMap().flag(release.namespace)
    split = flag["targeting"]["if"][-1]["fractional"]
    split[1:] = [["candidate", candidate], ["stable", 10_000 - candidate]]
    document["flags"]["reply"] = flag
    release.namespace.patch("ConfigMap", "flags", {"data": {"flags.json": json.dumps(document)}})


def _all_to_green() -> dict[str, object]:
    route = resources.route()
    for ref, weight in zip(route["spec"]["rules"][1]["backendRefs"], (0, 1), strict=True):
        ref["weight"] = weight
    return route


def _corrections(release: Release) -> list[str]:
    return [str(event["message"]) for event in release.namespace.events("reply") if event["reason"] == "DriftCorrected"]
