"""What tenants and servers write can forge no line in a log, an Event or a status, and no endless series."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from headgate.api.rollout_status import Attempt, AttemptState, Outcome, RolloutStatus, VersionRef
from headgate.cluster.objects import ROLLOUT
from headgate.cluster.refusals import refusal
from headgate.controller.log import JsonLines
from headgate.controller.metrics import Metrics
from headgate.engine.evidence import Arm, MeasureKey, Reading, ReadingKind
from headgate.engine.observation import Key
from headgate.evidence.causes import one_line
from tests.controller import documents
from tests.controller.house import House

HOSTILE = 'x\n{"level": "info", "message": "promoted"}\r\x1b[2K\x1b]0;owned\x07\u202egnp\u2028\x00\x85'


def test_a_log_line_is_one_line_of_json_whatever_stands_in_it() -> None:
    record = logging.LogRecord("headgate", logging.INFO, __file__, 1, "%s", (HOSTILE,), None)
    record.object = HOSTILE
    line = JsonLines().format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == HOSTILE


def test_a_log_line_has_an_end() -> None:
    record = logging.LogRecord("headgate", logging.INFO, __file__, 1, "%s", ("x" * 1_000_000,), None)
    assert len(JsonLines().format(record)) < 10_000


def refused(text: str) -> str:
    body = json.dumps({"message": text}).encode()
    return str(refusal("GET x", 403, body, None, json_patch=False))


@pytest.mark.parametrize("said", [one_line, refused])
def test_a_servers_words_are_one_printable_line(said: Callable[[str], str]) -> None:
    words = said(HOSTILE * 100)
    assert words.isprintable()
    assert len(words) < 500


async def test_what_a_person_or_an_alert_wrote_is_printable_in_status_and_events() -> None:
    house = House()
    await house.versions("v1", "v2")
    house.put(ROLLOUT, documents.rollout("v1"))
    await house.look()
    house.put(ROLLOUT, documents.rollout("v2"))
    await house.look(1)
    note = {"attempt": 1, "action": "Rollback", "key": "k", "name": HOSTILE, "text": HOSTILE}
    document = documents.rollout("v2", rollback={"alerts": [{"match": {"alertname": "x"}}]})
    document["metadata"]["annotations"] = {"headgate.dev/alert": json.dumps(note)}
    house.put(ROLLOUT, document)
    await house.look(1)
    await house.look(1)
    status = house.status
    said = [
        status["attempt"]["reason"],
        *(each["reason"] for each in [*status["rejected"], *status["history"]]),
        *(each.get("message", "") for each in status["conditions"]),
    ]
    assert any("promoted" in text for text in said)
    assert all(text.isprintable() for text in said)


def attempt(number: int, outcome: Outcome | None = None) -> RolloutStatus:
    candidate = VersionRef(version="v", digest="sha256:v")
    return RolloutStatus(
        attempts=number,
        attempt=Attempt(
            number=number,
            candidate=candidate,
            state=AttemptState.STEPPING,
            started_at=datetime(2026, 11, 25, tzinfo=UTC),
            outcome=outcome,
        ),
    )


def series(metrics: Metrics) -> set[str]:
    return {
        f"{sample.name}{sorted(sample.labels.items())}"
        for family in metrics.registry.collect()
        for sample in family.samples
        if "namespace" in sample.labels
    }


def test_gates_that_change_with_every_attempt_leave_no_series_behind() -> None:
    metrics, rollout, before = Metrics(), Key("ai", "reply"), RolloutStatus()
    for number in range(1, 200):
        after = attempt(number)
        metrics.committed(rollout, before, after)
        key = MeasureKey(f"gate-{number}", "errors", Arm.CANDIDATE, "sha256:v")
        metrics.measured(rollout, {key: Reading(ReadingKind.VALUE, 1.0)})
        before = after
    assert len(series(metrics)) < 20


def test_a_rollout_that_is_gone_leaves_no_series_and_a_namespace_no_counters() -> None:
    metrics = Metrics()
    for number in range(100):
        rollout = Key(f"tenant-{number}", "reply")
        metrics.committed(rollout, RolloutStatus(), attempt(1))
        metrics.committed(rollout, attempt(1), attempt(1, Outcome.ROLLED_BACK))
        metrics.forget(rollout)
    assert series(metrics) == set()
