"""Watches that stay open and bring nothing: what people ask for is heard all the same, after a bounded while."""

import time
from collections.abc import Callable

import pytest

from tests.integration import resources
from tests.integration.conftest import MakeOperator
from tests.integration.fault_proxy import FaultProxy
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release

MOST = 15.0
"""Seconds until it is heard: 3 of silence, and what a busy machine needs."""


@pytest.fixture
def operator(proxy: FaultProxy, make_operator: MakeOperator) -> OperatorProcess:
    operator = make_operator(proxy.kubeconfig, watches={"silence": "3s"})
    operator.tolerates = ("kopf",)
    operator.start()
    return operator


def kill(release: Release) -> None:
    release.of("v2", steps=resources.ONE_LONG_STEP, killSwitch="Stable")


def abort(release: Release) -> None:
    release.namespace.annotate("reply", abort="1")


def delete(release: Release) -> None:
    release.namespace.delete("Rollout", "reply")


def point_back(release: Release) -> None:
    release.of("v1", steps=resources.ONE_LONG_STEP)


@pytest.mark.parametrize("word", [kill, abort, delete, point_back], ids=lambda word: word.__name__)
def test_a_word_against_the_candidate_is_heard_although_no_watch_tells_of_it(
    proxy: FaultProxy, operator: OperatorProcess, release: Release, word: Callable[[Release], None]
) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    assert proxy.watches.silence("") >= 4
    word(release)
    said = time.monotonic()
    release.is_shown(v1=100)
    assert time.monotonic() - said < MOST
