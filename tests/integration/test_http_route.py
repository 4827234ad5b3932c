"""What only a route has: arms that swap, copies of requests, and rules of other people beside ours."""

import pytest

from tests.integration import resources
from tests.integration.cluster import Document
from tests.integration.releases import Release
from tests.integration.routers import Route, weights
from tests.integration.waiting import eventually

SHADOW = [{"name": "shadow", "shadow": "100%", "holdFor": "1h"}, {"weight": 100}]
pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def route(release: Release) -> Route:
    router = Route()
    release.begins(router)
    return router


def test_two_releases_in_a_row_swap_the_backends_twice(release: Release, route: Route) -> None:
    assert (route.runs(release.namespace, "blue"), route.weights(_seen(release))) == ("v1", {"blue": 100, "green": 0})
    release.of("v2")
    release.ends_stable("v2")
    assert (route.runs(release.namespace, "green"), route.weights(_seen(release))) == ("v2", {"blue": 0, "green": 100})
    journal = route.history(release.namespace)
    release.of("v3")
    release.ends_stable("v3")
    assert (route.runs(release.namespace, "blue"), route.weights(_seen(release))) == ("v3", {"blue": 100, "green": 0})
    green = weights(route, journal)
    assert green == [100, 90, 75, 50, 0]


def test_a_bad_release_after_a_good_one_goes_back_to_the_other_backend(release: Release, route: Route) -> None:
    release.of("v2")
    release.ends_stable("v2")
    release.is_bad("v3")
    release.of("v3")
    release.ends_rolled_back("v3", stable="v2")
    assert route.weights(_seen(release)) == {"blue": 0, "green": 100}


def test_while_shadowing_requests_are_copied_and_nobody_gets_the_answers(release: Release, route: Route) -> None:
    release.of("v2", steps=SHADOW)
    release.wait(phase="Shadowing")
    eventually(lambda: _mirrors(release, route), lambda mirrors: mirrors == ["green"])
    assert route.runs(release.namespace, "green") == "v2"
    assert release.shares() == {"v1": 100}
    release.namespace.annotate("reply", promote="1")
    release.ends_stable("v2")
    assert _mirrors(release, route) == []


def test_a_shadow_that_fails_is_taken_away_again(release: Release, route: Route) -> None:
    release.of("v2", steps=SHADOW)
    eventually(lambda: _mirrors(release, route), lambda mirrors: mirrors == ["green"])
    release.is_bad("v2")
    release.ends_rolled_back("v2")
    assert _mirrors(release, route) == []


def test_rules_filters_and_ports_of_other_people_stay_as_they_are(release: Release, route: Route) -> None:
    release.of("v2", steps=SHADOW)
    release.wait(phase="Shadowing")
    release.namespace.annotate("reply", promote="1")
    release.ends_stable("v2")
    before, after = resources.route()["spec"], _seen(release)["spec"]
    assert after["parentRefs"][0]["name"] == before["parentRefs"][0]["name"]
    assert after["rules"][0]["matches"] == before["rules"][0]["matches"]
    assert _without_defaults(after["rules"][0]["backendRefs"]) == before["rules"][0]["backendRefs"]
    assert after["rules"][1]["filters"] == before["rules"][1]["filters"]
    assert [ref["port"] for ref in after["rules"][1]["backendRefs"]] == [8080, 8080]


def test_a_candidate_is_published_before_it_gets_any_request(release: Release, route: Route) -> None:
    release.of("v2", steps=resources.ONE_LONG_STEP)
    journal = route.history(release.namespace)
    release.is_shown(v1=90, v2=10)
    raised = next(state for state in journal.states() if route.weight(state) == 10)
    published = release.namespace.get("ConfigMap", "reply-green")
    assert int(published["metadata"]["resourceVersion"]) < int(raised["metadata"]["resourceVersion"])
    assert published["data"]["arm"] == "candidate"


def _seen(release: Release) -> Document:
    return release.namespace.get("HTTPRoute", "reply")


def _mirrors(release: Release, route: Route) -> list[str]:
    """The backends that get copies."""
    filters = route.rule(release.namespace.get("HTTPRoute", "reply")).get("filters", [])
    return [each["requestMirror"]["backendRef"]["name"] for each in filters if each["type"] == "RequestMirror"]


def _without_defaults(refs: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: ref[name] for name in ("name", "port", "weight")} for ref in refs]
