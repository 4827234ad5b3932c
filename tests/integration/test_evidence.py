"""Evidence that says nothing holds and reverts nobody: an outage, NaN, no series, two of them. Then it goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.local.prometheus import PrometheusServer
from tests.integration import resources
from tests.integration.cluster import Document
from tests.integration.metrics import Application
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import weights

STEPS = [{"weight": 10, "holdFor": "500ms"}, {"weight": 50, "holdFor": "500ms"}, {"weight": 100}]


@pytest.fixture
def own_prometheus(tmp_path: Path, application: Application) -> Iterator[PrometheusServer]:
    """A Prometheus that the test may stop."""
    with PrometheusServer(tmp_path, {"application": [application.address]}, scrape_interval="250ms") as server:
        yield server


class TestOutage:
    """The source itself is away."""

    @pytest.fixture
    def sources(self, own_prometheus: PrometheusServer) -> list[Document]:
        return [{"name": "default", "url": own_prometheus.url, "timeout": "1s"}]

    def test_an_outage_holds_reverts_nobody_and_the_release_goes_on_after_it(
        self, operator: OperatorProcess, release: Release, own_prometheus: PrometheusServer
    ) -> None:
        release.begins()
        journal = release.router.history(release.namespace)
        release.of("v2", steps=[{"weight": 10, "holdFor": "3s"}, *STEPS[1:]])
        release.is_shown(v1=90, v2=10)
        own_prometheus.stop()
        operator.looks_again("Error", times=6)
        status = release.namespace.status("reply")
        assert (status["weight"], status["attempt"]["state"]) == (10, "Stepping")
        own_prometheus.start()
        release.ends_stable("v2")
        assert weights(release.router, journal) == [0, 10, 50, 100, 0]

    def test_an_abort_needs_no_source(
        self, operator: OperatorProcess, release: Release, own_prometheus: PrometheusServer
    ) -> None:
        release.begins()
        release.of("v2", steps=resources.ONE_LONG_STEP)
        release.is_shown(v1=90, v2=10)
        own_prometheus.stop()
        operator.looks_again("Error")
        release.namespace.annotate("reply", abort="1")
        release.ends_rolled_back("v2")


class TestOddAnswers:
    """The source is well, and what it says is not."""

    @pytest.fixture
    def at_ten(self, operator: OperatorProcess, release: Release) -> Release:
        """v2 is at 10 %, judged by a gauge that says nothing yet."""
        release.namespace.apply(resources.gate(resources.quality_check()))
        release.begins()
        release.of("v2", steps=STEPS)
        release.is_shown(v1=90, v2=10)
        return release

    def _goes_on_when_all_is_well(self, release: Release) -> None:
        release.application.silence(release.app)
        release.application.quality(release.app, "v2", "0.95")
        release.ends_stable("v2")
        assert [entry["outcome"] for entry in release.namespace.status("reply")["history"]] == ["Promoted"]

    def test_no_series_at_all_holds(self, operator: OperatorProcess, at_ten: Release) -> None:
        operator.looks_again("NoData")
        assert at_ten.shares() == {"v1": 90, "v2": 10}
        self._goes_on_when_all_is_well(at_ten)

    def test_a_value_that_is_no_number_holds(self, operator: OperatorProcess, at_ten: Release) -> None:
        for value in ("NaN", "+Inf", "-Inf"):
            at_ten.application.quality(at_ten.app, "v2", value)
            operator.looks_again("NoData")
        assert at_ten.shares() == {"v1": 90, "v2": 10}
        self._goes_on_when_all_is_well(at_ten)

    def test_two_series_hold_although_each_alone_would_revert(self, operator: OperatorProcess, at_ten: Release) -> None:
        at_ten.application.quality(at_ten.app, "v2", "0.1", part="a")
        at_ten.application.quality(at_ten.app, "v2", "0.2", part="b")
        operator.looks_again("Error")
        assert at_ten.shares() == {"v1": 90, "v2": 10}
        self._goes_on_when_all_is_well(at_ten)

    def test_too_few_samples_hold(self, operator: OperatorProcess, release: Release) -> None:
        release.begins()
        release.answers("v2", requests=49, errors=49)
        release.of("v2", steps=STEPS)
        release.is_shown(v1=90, v2=10)
        operator.looks_again("Value")
        assert release.shares() == {"v1": 90, "v2": 10}
        release.answers("v2", requests=5000, errors=49)
        release.ends_stable("v2")

    def test_no_data_reverts_only_where_the_check_says_so_and_only_after_the_hold(
        self, operator: OperatorProcess, release: Release
    ) -> None:
        release.namespace.apply(resources.gate(resources.quality_check(onNoData="Rollback")))
        release.begins()
        release.of("v2", steps=[{"weight": 10, "holdFor": "3s"}, {"weight": 100}])
        release.is_shown(v1=90, v2=10)
        operator.looks_again("NoData", times=1)
        assert release.namespace.status("reply")["attempt"]["state"] == "Stepping"
        release.ends_rolled_back("v2")

    def test_a_comparison_takes_a_candidate_back_that_is_worse_than_stable(
        self, operator: OperatorProcess, release: Release
    ) -> None:
        release.namespace.apply(resources.gate(resources.quality_check(critical={"belowStableBy": "10%"})))
        release.application.quality(release.app, "v1", "0.9")
        release.application.quality(release.app, "v2", "0.85")
        release.application.quality(release.app, "v3", "0.7")
        release.begins()
        release.of("v2")
        release.ends_stable("v2")
        release.of("v3")
        status = release.ends_rolled_back("v3", stable="v2")
        assert "0.7" in status["attempt"]["reason"]
