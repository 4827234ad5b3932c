"""Kill switch and commands in every state: what they say, how they end, and what everybody gets then."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from headgate.local.prometheus import PrometheusServer
from tests.commands.stage import Cluster, Said, play
from tests.commands.table import CELLS
from tests.integration.cluster import Server
from tests.integration.metrics import Application
from tests.integration.waiting import eventually

Matrix = Mapping[tuple[str, str], Said]


@pytest.fixture(scope="module")
def matrix(
    tmp_path_factory: pytest.TempPathFactory,
    server: Server,
    operator_kubeconfig: Path,
    prometheus: PrometheusServer,
    application: Application,
) -> Iterator[Matrix]:
    """All commands have been said in all states."""
    cluster = Cluster(server, operator_kubeconfig, prometheus, application)
    with play(cluster, tmp_path_factory.mktemp("stage")) as said:
        yield said


@pytest.mark.parametrize(("state", "verb"), [(state, verb) for state, row in CELLS.items() for verb in row])
def test_in(matrix: Matrix, state: str, verb: str) -> None:
    cell, said = CELLS[state][verb], matrix[state, verb]
    told, refused = said.result.stdout, said.result.stderr
    assert said.result.exit_code == cell.ends, said.result.output
    # What was written is told in one line, and so is what is wrong.
    assert (told.count("\n"), refused.count("\n")) == {0: (1, 0), 1: (0, 1), 5: (1, 1)}[cell.ends], told + refused
    assert cell.words in (refused if cell.ends else told)
    assert refused.startswith("error: ") is bool(cell.ends)
    eventually(said.actor.seen, lambda seen: cell.seen.items() <= seen.items())


def test_a_router_that_cannot_be_written_keeps_no_other_from_being_at_zero(matrix: Matrix) -> None:
    halves = [said.meanwhile for (state, verb), said in matrix.items() if state == "half-way-back"]
    assert {tuple(seen["weights"]) for seen in halves} == {(0, 10)}
    assert matrix["half-way-back", "kill-legacy"].meanwhile["legacy"]


def test_a_schema_that_refuses_what_was_good_leaves_weights_at_zero_and_is_told_in_its_own_words(
    matrix: Matrix,
) -> None:
    refused = [said.meanwhile for (state, _), said in matrix.items() if state == "refused-by-the-schema"]
    assert all((seen["weights"], seen["released"]) == ([0], 2) for seen in refused)
    assert all("should match '^s3://models/'" in seen["stalled"] for seen in refused)
