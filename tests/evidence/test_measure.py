"""A look, measured: from questions through a real Prometheus to readings."""

from datetime import UTC, datetime

from headgate.api.configuration import Configuration
from headgate.api.quality_gate import Check, QualityGateSpec
from headgate.engine.evidence import Arm, Question, Reading, ReadingKind, Subject
from headgate.evidence.answers import Trouble
from headgate.evidence.measure import Measurer, source_problem

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ERRORS = Check.model_validate(
    {
        "name": "errors",
        "ratio": {
            "bad": 'sum(llm_errors{app="$(app)",version="$(version)"})',
            "total": 'sum(llm_requests{app="$(app)",version="$(version)"})',
        },
        "critical": {"above": "5%"},
    }
)


def question(
    check: Check, *, source: str = "default", namespace: str = "ai", version: str = "v8", **args: str
) -> Question:
    arm = Arm.CANDIDATE if version == "v8" else Arm.STABLE
    subject = Subject(namespace, "reply", arm, version, "sha256:0", elapsed=60, step=60)
    return Question("quality", check, source, tuple(args.items()), subject)


class Counts:
    """Counts what the measurer tells."""

    def __init__(self) -> None:
        self.queries = 0
        self.requests: list[tuple[int, Trouble | None]] = []

    def asked(self, source: str, queries: int) -> None:
        assert source
        self.queries += queries

    def sent(self, source: str, queries: int, seconds: float, trouble: Trouble | None) -> None:
        assert source
        assert seconds > 0
        self.requests.append((queries, trouble))


async def test_a_look_reads_all_its_checks_in_one_request(prometheus_url: str) -> None:
    counts = Counts()
    measurer = Measurer(Configuration.model_validate({"sources": [{"name": "default", "url": prometheus_url}]}), counts)
    p50 = Check.model_validate({"name": "p50", "query": "latency_sum / latency_count", "critical": {"above": "1s"}})
    zero = Check.model_validate(
        {**ERRORS.model_dump(by_alias=True, exclude_none=True), "absentBad": "Zero", "name": "zero"}
    )
    look = await measurer.measure(
        [
            question(ERRORS, app="chat"),
            question(ERRORS, app="chat", version="v7"),
            question(zero, app="chat", version="v7"),
            question(zero, app="idle"),
            question(p50),
        ],
        NOW,
    )
    await measurer.close()
    readings = {(key.check, key.arm): value for key, value in look.readings.items()}
    assert look.at == NOW
    assert readings["errors", Arm.CANDIDATE] == Reading(ReadingKind.VALUE, value=0.15, samples=200, bad=30)
    assert readings["errors", Arm.STABLE].kind is ReadingKind.NO_DATA
    assert readings["zero", Arm.STABLE] == Reading(ReadingKind.VALUE, value=0.0, samples=100, bad=0)
    assert readings["zero", Arm.CANDIDATE] == Reading(ReadingKind.VALUE, value=None, samples=0, bad=0)
    assert readings["p50", Arm.CANDIDATE] == Reading(ReadingKind.VALUE, value=0.7)
    assert counts.queries == 9
    # The two questions about stable have both their queries in common.
    assert counts.requests == [(7, None)]


async def test_an_enforced_label_confines_what_is_read(prometheus_url: str) -> None:
    measurer = Measurer(
        Configuration.model_validate({"sources": [{"name": "default", "url": prometheus_url, "enforceLabel": "app"}]})
    )
    count = Check.model_validate({"name": "n", "query": "sum(llm_requests)", "critical": {"above": 1}})
    own = Check.model_validate(
        {"name": "own", "query": 'llm_requests{app="chat",version="v8"}', "critical": {"above": 1}}
    )
    look = await measurer.measure([question(count, namespace="chat"), question(own, namespace="idle")], NOW)
    await measurer.close()
    readings = {key.check: value for key, value in look.readings.items()}
    assert readings["n"].value == 300
    assert readings["own"].kind is ReadingKind.NO_DATA


async def test_a_source_of_other_namespaces_or_of_no_name_is_an_error_and_is_not_asked() -> None:
    configuration = Configuration.model_validate(
        {"sources": [{"name": "theirs", "url": "http://127.0.0.1:1", "namespaces": ["b"]}]}
    )
    counts = Counts()
    measurer = Measurer(configuration, counts)
    for name in ("theirs", "nowhere"):
        look = await measurer.measure([question(ERRORS, source=name, app="x")], NOW)
        (reading,) = look.readings.values()
        assert reading.kind is ReadingKind.ERROR
        problem = source_problem(configuration, QualityGateSpec(source=name, checks=[ERRORS]), "ai")
        assert reading.message == problem
        assert name in reading.message
    await measurer.close()
    assert counts.requests == []
    assert source_problem(configuration, QualityGateSpec(source="theirs", checks=[ERRORS]), "b") is None


async def test_an_argument_that_is_missing_is_an_error_of_its_check_alone(prometheus_url: str) -> None:
    measurer = Measurer(Configuration.model_validate({"sources": [{"name": "default", "url": prometheus_url}]}))
    one = Check.model_validate({"name": "one", "query": "1", "critical": {"above": 1}})
    wanting, complete = question(ERRORS), question(one)
    look = await measurer.measure([wanting, complete], NOW)
    await measurer.close()
    assert look.readings[wanting.key] == Reading(
        ReadingKind.ERROR, message="ratio.bad: $(app) has no value: add app to the gate's args"
    )
    assert look.readings[complete.key].value == 1


async def test_an_outage_is_an_error_with_one_line() -> None:
    measurer = Measurer(Configuration.model_validate({"sources": [{"name": "default", "url": "http://127.0.0.1:1"}]}))
    look = await measurer.measure([question(ERRORS, app="chat")], NOW)
    await measurer.close()
    (reading,) = look.readings.values()
    assert reading == Reading(ReadingKind.ERROR, message="source 'default' cannot be reached: connection refused")
