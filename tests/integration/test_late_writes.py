"""A write that was on its way when its operator died or stood still: a later decision of another one stands."""

import pytest

from tests.integration import resources
from tests.integration.conftest import MakeOperator
from tests.integration.fault_proxy import Asked, Fate, FaultProxy
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import FlagInConfigMap, FlagInFeatureFlag, Route, Router, weights
from tests.integration.waiting import eventually

STEPS = [{"weight": 10}, {"weight": 50, "approval": "Required", "holdFor": "1h"}, {"weight": 100}]
ROUTERS = pytest.mark.parametrize(
    ("router", "path"),
    [
        (FlagInConfigMap(), "/configmaps/flags"),
        (FlagInFeatureFlag(), "/featureflags/flags"),
        (Route(), "/httproutes/reply"),
    ],
    ids=["ConfigMap", "FeatureFlag", "HTTPRoute"],
)


@pytest.fixture
def first(proxy: FaultProxy, make_operator: MakeOperator) -> OperatorProcess:
    """An operator whose requests can be held up."""
    operator = make_operator(proxy.kubeconfig)
    operator.start()
    return operator


def hold(proxy: FaultProxy, path: str) -> None:
    """Holds the next writes to that object."""
    proxy.strike(lambda asked: Fate.HOLD if asked.is_("PATCH", path) else Fate.PASS)


@ROUTERS
def test_the_first_weight_that_arrives_after_an_abort_is_refused(
    proxy: FaultProxy, make_operator: MakeOperator, first: OperatorProcess, release: Release, router: Router, path: str
) -> None:
    release.begins(router)
    journal = router.history(release.namespace)
    hold(proxy, path)
    release.of("v2", steps=STEPS)
    proxy.struck()
    release.wait(weight=10)
    first.kill()
    release.namespace.annotate("reply", abort="1")
    make_operator().start()
    release.ends_rolled_back("v2")
    assert proxy.release() in (409, 422)
    assert weights(router, journal) == [0]
    release.is_shown(v1=100)


@ROUTERS
def test_a_rise_that_arrives_after_an_abort_is_refused(
    proxy: FaultProxy, make_operator: MakeOperator, first: OperatorProcess, release: Release, router: Router, path: str
) -> None:
    release.begins(router)
    journal = router.history(release.namespace)
    release.of("v2", steps=STEPS)
    release.is_at("v2", 10)
    hold(proxy, path)
    release.namespace.annotate("reply", approve="1/50")
    proxy.struck()
    release.wait(weight=50)
    first.kill()
    release.namespace.annotate("reply", abort="1")
    make_operator().start()
    release.ends_rolled_back("v2")
    assert proxy.release() in (409, 422)
    assert weights(router, journal) == [0, 10, 0]
    release.is_shown(v1=100)


def test_an_operator_that_stood_still_meanwhile_learns_of_the_revert_and_raises_nothing(
    proxy: FaultProxy, make_operator: MakeOperator, first: OperatorProcess, release: Release
) -> None:
    release.begins()
    journal = release.router.history(release.namespace)
    hold(proxy, "/configmaps/flags")
    release.of("v2", steps=STEPS)
    proxy.struck()
    release.wait(weight=10)
    first.freeze()
    release.namespace.annotate("reply", abort="1")
    make_operator().start()
    release.ends_rolled_back("v2")
    proxy.strike(lambda _asked: Fate.PASS)
    assert proxy.release() == 409
    first.thaw()
    eventually(lambda: first.metric("headgate_api_requests_total", result="Conflict"))
    release.of("v3", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v3=10)
    assert weights(release.router, journal) == [0, 10]


def test_an_operator_that_hears_nothing_of_the_revert_raises_nothing_again(
    proxy: FaultProxy, make_operator: MakeOperator, first: OperatorProcess, release: Release
) -> None:
    release.begins()
    journal = release.router.history(release.namespace)
    hold(proxy, "/configmaps/flags")
    release.of("v2", steps=STEPS)
    proxy.struck()
    release.wait(weight=10)
    # From here on it reads no Rollout any more, and knows only the routers as they are.
    first.tolerates = ("kopf",)
    proxy.strike(lambda asked: Fate.REFUSE if asked.is_("GET", r"/rollouts(/reply)?") else Fate.PASS)
    proxy.cut("/rollouts")
    release.namespace.annotate("reply", abort="1")
    make_operator().start()
    release.ends_rolled_back("v2")
    assert proxy.release() == 409
    eventually(
        lambda: first.metric("headgate_api_requests_total", kind="Rollout", result="Unavailable"),
        lambda times: times >= 4,
    )
    assert weights(release.router, journal) == [0]
    proxy.strike(lambda _asked: Fate.PASS)
    release.of("v3", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v3=10)


def test_a_router_that_cannot_be_written_holds_the_step_until_it_can(
    proxy: FaultProxy, first: OperatorProcess, release: Release
) -> None:
    release.begins()
    journal = release.router.history(release.namespace)
    refused: list[Asked] = []

    def refuse(asked: Asked) -> Fate:
        if asked.is_("PATCH", "/configmaps/flags"):
            refused.append(asked)
            return Fate.REFUSE
        return Fate.PASS

    proxy.strike(refuse)
    release.of("v2")
    eventually(lambda: len(refused), lambda times: times >= 3)
    assert release.namespace.status("reply")["weight"] == 10
    assert release.shares() == {"v1": 100}
    proxy.strike(lambda _asked: Fate.PASS)
    release.ends_stable("v2")
    assert weights(release.router, journal) == [0, 10, 25, 50, 100, 0]


def test_a_revert_reaches_the_routers_although_the_status_cannot_be_written(
    proxy: FaultProxy, first: OperatorProcess, release: Release
) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_at("v2", 10)
    proxy.strike(lambda asked: Fate.REFUSE if asked.is_("PATCH", "/rollouts/reply/status") else Fate.PASS)
    release.is_bad("v2")
    release.is_shown(v1=100)
    assert release.namespace.status("reply")["weight"] == 10
    proxy.strike(lambda _asked: Fate.PASS)
    release.ends_rolled_back("v2")
