"""The examples, applied as they are: the first versions become stable, and v8 is shown to a tenth of the companies."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.integration import resources, service_account
from tests.integration.cluster import Document, Namespace, Server
from tests.integration.operator_process import OperatorProcess
from tests.integration.routers import FlagInConfigMap, Route
from tests.integration.waiting import eventually

EXAMPLES = Path(__file__).parents[2] / "examples"


def documents(name: str) -> list[Document]:
    return [document for document in yaml.safe_load_all((EXAMPLES / name).read_text()) if document]


class Summarizer(Route):
    """The route of example 03."""

    backends = ("summarizer-blue", "summarizer-green")


@pytest.fixture
def ai(tmp_path: Path, server: Server, operator_kubeconfig: Path, sources: list[Document]) -> Iterator[Namespace]:
    """The namespace of the examples, with an operator for it."""
    namespace = Namespace(server, "ai")
    if not any(each["metadata"]["name"] == "ai" for each in server.send("GET", "/api/v1/namespaces")["items"]):
        Namespace.made(server, "ai")
        service_account.allow_in(namespace)
    operator = OperatorProcess(tmp_path, operator_kubeconfig, sources, "ai")
    operator.start()
    yield namespace
    operator.stop()
    assert operator.troubles() == []


def test_example_01_makes_v7_stable_and_v8_reaches_a_tenth_of_the_companies(ai: Namespace) -> None:
    example = documents("01-prompt-rollout.yaml")
    ai.apply(*example)
    ai.wait(
        "support-reply", lambda status: status["phase"] == "Idle" and status["stable"]["version"] == "support-reply-v7"
    )
    assert ai.condition("QualityGate", "reply-quality", "Ready")["status"] == "True"
    example[-1]["spec"]["prompt"]["version"] = "support-reply-v8"
    ai.apply(example[-1])
    flag = _SupportReply("support-reply")
    eventually(lambda: flag.shares(ai), lambda shares: shares == {"support-reply-v7": 90, "support-reply-v8": 10})
    ai.wait("support-reply", lambda status: status["weight"] == 10 and status["attempt"]["step"]["name"] == "10")


def test_example_03_makes_v3_stable_and_v4_gets_copies_only(ai: Namespace) -> None:
    route = Summarizer("summarizer")
    ai.apply(documents("01-prompt-rollout.yaml")[2])
    ai.apply(*(resources.version(f"summarizer-v{number}", family="summarizer") for number in (3, 4)))
    ai.apply(resources.route("summarizer", Summarizer.backends), manager="platform")
    example = documents("03-http-route.yaml")
    ai.apply(*example)
    ai.wait("summarizer", lambda status: status["phase"] == "Idle" and status["stable"]["version"] == "summarizer-v3")
    eventually(lambda: route.shares(ai), lambda shares: shares == {"summarizer-v3": 100})
    example[0]["spec"]["prompt"]["version"] = "summarizer-v4"
    ai.apply(example[0])
    ai.wait(
        "summarizer", lambda status: status["phase"] == "Shadowing" and status["attempt"]["step"]["name"] == "shadow"
    )
    eventually(lambda: route.runs(ai, "summarizer-green"), lambda version: version == "summarizer-v4")
    assert route.shares(ai) == {"summarizer-v3": 100}


class _SupportReply(FlagInConfigMap):
    """The flag of example 01, in its own ConfigMap."""

    config_map = "support-reply-flags"
