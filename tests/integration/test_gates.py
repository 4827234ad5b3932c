"""A release is not begun before every gate that it needs is there and Ready; what is wrong with one is said at once."""

import pytest

from tests.integration import resources
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.waiting import eventually

pytestmark = pytest.mark.usefixtures("operator")


def test_a_gate_that_is_missing_holds_the_release_back_until_it_appears(release: Release) -> None:
    release.begins()
    release.of("v2", gates=[{"name": "late", "args": {"app": release.app}}])
    release.wait(phase="Verifying")
    _waits_for(release, "QualityGate 'late' does not exist")
    assert release.shares() == {"v1": 100}
    release.namespace.apply(resources.gate(name="late"))
    release.ends_stable("v2")


def test_a_gate_with_an_unknown_parameter_is_not_ready_before_any_release_and_lets_none_begin(
    release: Release,
) -> None:
    release.begins()
    query = 'sum(llm_requests_total{app="$(app)",version="$(verison)"})'
    release.namespace.apply(resources.gate(resources.quality_check(query=query)))
    ready = eventually(
        lambda: release.namespace.condition("QualityGate", "quality", "Ready"), lambda seen: seen["status"] == "False"
    )
    assert "verison" in ready["message"]
    assert "\n" not in ready["message"]
    release.of("v2")
    release.wait(phase="Verifying")
    _waits_for(release, "verison")
    assert release.shares() == {"v1": 100}
    release.namespace.apply(resources.gate())
    release.ends_stable("v2")


def test_a_gate_whose_source_nobody_configured_is_not_ready(release: Release) -> None:
    release.namespace.apply(resources.gate(source="elsewhere"))
    ready = eventually(
        lambda: release.namespace.condition("QualityGate", "quality", "Ready"), lambda seen: seen["status"] == "False"
    )
    assert "'elsewhere' is not in the operator's configuration" in ready["message"]


@pytest.mark.parametrize(
    ("args", "complaint"),
    [({}, "needs args.app"), ({"app": "x", "tier": "gold"}, "declares no parameter 'tier'")],
    ids=["missing", "unknown"],
)
def test_arguments_that_do_not_fit_hold_the_release_back(
    release: Release, args: dict[str, str], complaint: str
) -> None:
    release.begins()
    release.of("v2", gates=[{"name": "quality", "args": args}])
    release.wait(phase="Verifying")
    _waits_for(release, complaint)
    release.of("v2")
    release.ends_stable("v2")


def test_an_argument_is_escaped_and_never_spliced_into_the_query(release: Release, operator: OperatorProcess) -> None:
    release.begins()
    hostile = 'x"} or vector(1000000) or llm_requests_total{app="'
    release.of("v2", gates=[{"name": "quality", "args": {"app": hostile}}])
    release.is_shown(v1=90, v2=10)
    operator.looks_again("NoData")
    assert release.shares() == {"v1": 90, "v2": 10}


def test_bounds_that_are_edited_in_mid_attempt_count_from_the_next(release: Release, operator: OperatorProcess) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    release.namespace.apply(resources.gate(resources.check(critical={"above": "0"})))
    operator.looks_again("Value")
    assert release.shares() == {"v1": 90, "v2": 10}
    release.namespace.annotate("reply", promote="1")
    release.ends_stable("v2")
    release.of("v3")
    release.ends_rolled_back("v3", stable="v2")


def test_a_gate_that_is_deleted_in_mid_attempt_goes_on_judging_it(release: Release) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    release.namespace.delete("QualityGate", "quality")
    release.is_bad("v2")
    release.ends_rolled_back("v2")


def _waits_for(release: Release, words: str) -> None:
    eventually(
        lambda: release.namespace.condition("Rollout", "reply", "Ready"), lambda ready: words in ready["message"]
    )
