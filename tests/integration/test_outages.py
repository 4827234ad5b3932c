"""The API server goes away and comes back in mid-attempt: nothing is lost, and nothing is done twice."""

import pytest

from headgate.local.control_plane import ControlPlane
from tests.integration import resources
from tests.integration.conftest import MakeOperator
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import weights
from tests.integration.waiting import eventually

STEPS = [{"weight": 10}, {"weight": 50, "approval": "Required"}, {"weight": 100}]


@pytest.fixture
def operator(make_operator: MakeOperator) -> OperatorProcess:
    """An operator whose outages are no fault of its own: a lost watch, and an API server that knows no roles yet."""
    started = make_operator()
    started.tolerates, started.may_be_refused = ("kopf",), True
    started.start()
    return started


def test_what_people_ask_for_after_an_outage_is_heard_and_the_release_goes_on_where_it_was(
    control_plane: ControlPlane, operator: OperatorProcess, release: Release
) -> None:
    release.begins()
    release.of("v2", steps=STEPS)
    release.is_shown(v1=90, v2=10)
    release.wait(phase="AwaitingApproval")
    control_plane.kill_api_server()
    control_plane.restart_api_server()
    journal = release.router.history(release.namespace)
    release.namespace.annotate("reply", approve="1/50")
    release.ends_stable("v2")
    assert weights(release.router, journal) == [10, 50, 100, 0]
    release.of("v3")
    release.ends_stable("v3")


def test_what_breaks_during_an_outage_is_taken_back_after_it(
    control_plane: ControlPlane, operator: OperatorProcess, release: Release
) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    control_plane.kill_api_server()
    release.is_bad("v2")
    eventually(lambda: operator.metric("headgate_api_requests_total", result="Unavailable"))
    control_plane.restart_api_server()
    release.ends_rolled_back("v2")
