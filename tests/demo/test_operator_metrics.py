"""The demo reads the metrics that the operator really has."""

from prometheus_client.exposition import generate_latest

from headgate.controller.metrics import Metrics
from headgate.engine.evidence import Arm, MeasureKey, Reading, ReadingKind
from headgate.engine.observation import Key
from headgate.local.demo import operator_metrics
from headgate.local.demo.scene import Measured


def test_values_of_both_arms_and_the_time_to_revert_are_read() -> None:
    metrics = Metrics()
    readings = {
        MeasureKey(gate="gate", check="cost", arm=arm, digest=f"sha256:{arm}"): Reading(ReadingKind.VALUE, value)
        for arm, value in ((Arm.CANDIDATE, 0.3), (Arm.STABLE, 0.2))
    }
    metrics.measured(Key("ai", "support-reply"), readings)
    metrics.reverted(0.05)
    read = operator_metrics.read(generate_latest(metrics.registry).decode())
    assert read.measured == {"cost": Measured(0.3, 0.2)}
    assert read.breach_to_revert == 0.05


def test_before_anything_was_measured_nothing_is_known() -> None:
    read = operator_metrics.read(generate_latest(Metrics().registry).decode())
    assert read.measured == {}
    assert read.breach_to_revert is None
