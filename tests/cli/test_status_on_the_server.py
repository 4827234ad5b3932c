"""`headgate status` against a real API server."""

import json

from tests.cli.conftest import Cluster
from tests.cli.samples import attempt, rejection, spec, status, verdict

AWAITING = status(attempt(), phase="AwaitingApproval", verdicts=[verdict(value="1.2%", bound="5%", samples=812)])


def test_all_rollouts_are_a_table_that_says_what_each_waits_for(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=AWAITING)
    cluster.exists("idle", spec=spec("support-reply-v7"), status=status(phase="Idle", weight=0))
    cluster.exists("unseen")

    result = cluster.headgate("status", "-n", "ai")

    assert result.exit_code == 0, result.output
    lines = [line.split("   ") for line in result.stdout.splitlines()]
    table = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert table[0] == ["NAME", "PHASE", "WEIGHT", "STEP", "STABLE", "CANDIDATE", "WAITING FOR", "AGE"]
    assert table[1][:7] == ["idle", "Idle", "0%", "-", "support-reply-v7", "-", "-"]
    assert table[2][:7] == [
        "support-reply",
        "AwaitingApproval",
        "25%",
        "25 (2/4)",
        "support-reply-v7",
        "support-reply-v8",
        "approval of step 50",
    ]
    assert table[3][:2] == ["unseen", "Unseen"]


def test_every_namespace(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=AWAITING)
    result = cluster.headgate("status", "--all-namespaces")
    assert result.stdout.splitlines()[1].split()[:2] == ["ai", "support-reply"]


def test_one_rollout_in_full(cluster: Cluster) -> None:
    cluster.exists("support-reply", status={**AWAITING, "rejected": [rejection(2)]})

    result = cluster.headgate("status", "support-reply", "-n", "ai")

    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    assert "Waiting for: approval of step 50" in words
    assert "To do: headgate approve support-reply" in words
    assert "x 10 10 % 1m" in words
    assert "> 25 25 % 1m" in words
    assert "50 50 % 1m Required" in words
    assert "reply-quality/error-rate Pass 1.2% - 5% 812" in words
    assert "support-reply-v8 sha256:888888888888 2" in words


def test_json_for_programs(cluster: Cluster) -> None:
    cluster.exists("support-reply", status=AWAITING)

    one = json.loads(cluster.headgate("status", "support-reply", "-n", "ai", "-o", "json").stdout)
    every = json.loads(cluster.headgate("status", "-n", "ai", "-o", "json").stdout)

    assert one == every["rollouts"][0]
    assert (one["phase"], one["weight"], one["waitingFor"]) == ("AwaitingApproval", 25, "approval of step 50")
    assert one["status"]["attempt"]["number"] == 3


def test_an_unknown_name_suggests_near_ones(cluster: Cluster) -> None:
    cluster.exists("support-reply")
    result = cluster.headgate("status", "suport-reply", "-n", "ai")
    assert result.exit_code == 3
    assert result.stderr == "error: no rollout 'suport-reply' in namespace 'ai'; did you mean support-reply?\n"


def test_an_empty_namespace_says_so(cluster: Cluster) -> None:
    result = cluster.headgate("status")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no rollouts in namespace 'default'; all of them: -A\n"


def test_hostile_text_reaches_no_terminal(cluster: Cluster) -> None:
    reason = "\x1b[2J\x1b[31m[bold]fine[/bold]\r\n\u202egnp"
    cluster.exists("hostile", status=status(attempt("Ended", outcome="RolledBack", reason=reason)))
    for arguments in (("status", "-n", "ai"), ("status", "hostile", "-n", "ai"), ("status", "-A", "-o", "json")):
        shown = cluster.headgate(*arguments).stdout
        assert all(character.isprintable() or character == "\n" for character in shown)
