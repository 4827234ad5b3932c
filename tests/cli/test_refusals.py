"""What a person reads when the API server, or whatever stands in its place, does not do what was asked."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from typer.testing import CliRunner, Result

from headgate.cli.main import app
from tests.cli.samples import attempt, rollout, status

FORBIDDEN = {"kind": "Status", "code": 403, "message": 'rollouts is forbidden: User "eve" cannot watch'}
LIST = {
    "kind": "RolloutList",
    "metadata": {"resourceVersion": "7"},
    "items": [rollout(status=status(attempt()))],
}


@contextmanager
def _answering(*answers: tuple[int, str]) -> Iterator[str]:
    """A server that gives these answers in their order, the last one again and again."""
    rest = list(answers)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = rest.pop(0) if len(rest) > 1 else rest[0]
            self.send_response(code)
            self.send_header("Content-Type", "application/json" if body.startswith("{") else "text/html")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _headgate(tmp_path: Path, url: str, *arguments: str) -> Result:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "users": [{"name": "u", "user": {"token": "x"}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "ai"}}],
                "current-context": "c",
            }
        )
    )
    return CliRunner().invoke(app, [*arguments, "--kubeconfig", str(kubeconfig)])


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ((404, "404 page not found\n"), 3, "this cluster has no Rollouts: install them with `headgate crds | kubectl"),
        ((403, json.dumps(FORBIDDEN)), 1, 'rollouts: rollouts is forbidden: User "eve" cannot watch'),
        ((401, "{}"), 1, "does not accept the kubeconfig's credentials: log in again"),
        ((503, "<html>busy</html>"), 4, "the API server answered 503: Service Unavailable"),
        ((200, "<html>a portal</html>"), 4, "does not answer like a Kubernetes API server"),
        ((200, "{}"), 4, "does not answer like a Kubernetes API server"),
        ((200, '{"metadata": {"resourceVersion": "1"}, "items": [3]}'), 4, "does not answer like a Kubernetes API"),
    ],
)
def test_an_answer_that_is_no_list(tmp_path: Path, answer: tuple[int, str], code: int, said: str) -> None:
    with _answering(answer) as url:
        result = _headgate(tmp_path, url, "status")
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [("backup",), ("backup", "-A")], ids=["a namespace", "the cluster"])
def test_a_backup_with_credentials_that_are_not_accepted_says_to_log_in(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with _answering((401, json.dumps({"kind": "Status", "code": 401, "message": "Unauthorized"}))) as url:
        result = _headgate(tmp_path, url, *arguments)
    assert result.exit_code == 1
    assert result.stderr.endswith("does not accept the kubeconfig's credentials: log in again\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("field", ["certificate-authority-data", "client-certificate-data"])
def test_a_backup_with_a_damaged_certificate_in_the_kubeconfig_says_so(tmp_path: Path, field: str) -> None:
    damaged = b64encode(b"no certificate").decode()
    cluster = {"server": "https://127.0.0.1:1", **({field: damaged} if "authority" in field else {})}
    user = {"client-certificate-data": damaged, "client-key-data": damaged} if "client" in field else {"token": "x"}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": user}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "ai"}}],
                "current-context": "c",
            }
        )
    )
    result = CliRunner().invoke(app, ["backup", "-A", "--kubeconfig", str(kubeconfig)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: kubeconfig {kubeconfig}: its certificates cannot be used: ")
    assert result.stderr.count("\n") == 1


def test_a_watch_that_is_forbidden_ends(tmp_path: Path) -> None:
    with _answering((200, json.dumps(LIST)), (403, json.dumps(FORBIDDEN))) as url:
        result = _headgate(tmp_path, url, "watch")
    assert result.exit_code == 1
    assert "ai/support-reply Progressing" in result.stdout
    assert 'error: the watch of rollouts: rollouts is forbidden: User "eve" cannot watch' in result.stderr


@pytest.mark.parametrize(
    "expired",
    [
        (410, '{"kind": "Status", "code": 410, "message": "too old"}'),
        (200, '{"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}\n'),
    ],
)
def test_an_expired_watch_lists_again(tmp_path: Path, expired: tuple[int, str]) -> None:
    later = {**LIST, "items": [rollout(status=status(attempt(step=2), weight=50))]}
    with _answering((200, json.dumps(LIST)), expired, (200, json.dumps(later)), (403, json.dumps(FORBIDDEN))) as url:
        result = _headgate(tmp_path, url, "watch")
    assert ["25%" in line for line in result.stdout.splitlines()] == [True, False]
    assert "50%" in result.stdout.splitlines()[1]


def test_a_malformed_rollout_beside_a_healthy_one(tmp_path: Path) -> None:
    """As an API server with an older CRD would let it in."""
    hostile = {**rollout("broken"), "spec": "x", "status": {"attempt": [], "weight": "all"}}
    answer = {**LIST, "items": [hostile, rollout(status=status(attempt()))]}
    with _answering((200, json.dumps(answer))) as url:
        result = _headgate(tmp_path, url, "status")
    assert result.exit_code == 0
    broken, healthy = result.stdout.splitlines()[1:]
    assert broken.split()[:2] == ["broken", "Invalid"]
    assert "a spec that can be read" in broken
    assert healthy.split()[:2] == ["support-reply", "Progressing"]
