"""`up` leaves servers that stay, and `down` leaves none."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from headgate.local import processes
from headgate.local.certificates import Certificates
from headgate.local.down import down
from headgate.local.errors import LocalError
from headgate.local.installation import Installation
from headgate.local.kube_api import KubeApi
from headgate.local.up import up
from headgate.local.waiting import wait_until

ROLLOUTS = "/apis/headgate.dev/v1alpha1/rollouts"
HTTP_ROUTES = "/apis/gateway.networking.k8s.io/v1/httproutes"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where another process, which has ended, ran `up`."""
    path = tmp_path_factory.mktemp("up") / "deep" / "er"
    script = f"from pathlib import Path; from headgate.local.up import up; up(Path({str(path)!r}))"
    try:
        subprocess.run([sys.executable, "-c", script], check=True)
        yield path
    finally:
        down(path)


def started_in(directory: Path) -> list[processes.Process]:
    return processes.started_in(Installation(directory).pid_directory)


def local_json(directory: Path) -> dict[str, str]:
    content: dict[str, str] = json.loads((directory / "local.json").read_text())
    return content


def api(directory: Path) -> KubeApi:
    return KubeApi(local_json(directory)["apiserver"], Certificates(directory / "certificates"))


def test_the_servers_outlive_up(directory: Path) -> None:
    described = local_json(directory)
    assert set(described) == {"apiserver", "prometheus", "auditLog", "binaries"}
    assert described["apiserver"] in (directory / "kubeconfig").read_text()
    assert Path(described["auditLog"]).read_text().startswith('{"kind":"Event"')
    programs: dict[str, str] = json.loads((directory / "local.json").read_text())["binaries"]
    assert set(programs) == {"etcd", "kube-apiserver", "prometheus"}
    assert all(os.access(program, os.X_OK) for program in programs.values())
    assert api(directory).answers("/readyz")
    assert requests.get(f"{described['prometheus']}/-/ready", timeout=5).ok


@pytest.mark.parametrize("path", [ROLLOUTS, HTTP_ROUTES])
def test_the_crds_are_served(directory: Path, path: str) -> None:
    assert api(directory).answers(path)


def test_a_target_is_added_without_a_restart(directory: Path) -> None:
    url = local_json(directory)["prometheus"]
    target = [{"targets": [url.removeprefix("http://")], "labels": {"job": "itself"}}]
    (directory / "targets" / "itself.json").write_text(json.dumps(target))

    def is_scraped() -> bool:
        answer = requests.get(f"{url}/api/v1/query", params={"query": 'up{job="itself"}'}, timeout=5).json()
        return [sample["value"][1] for sample in answer["data"]["result"]] == ["1"]

    wait_until(is_scraped, timeout=30, otherwise=lambda: "not scraped")


def test_up_again_changes_nothing(directory: Path) -> None:
    before = started_in(directory), local_json(directory)
    up(directory)
    assert (started_in(directory), local_json(directory)) == before


def test_up_starts_all_again_when_one_has_ended(directory: Path) -> None:
    before = started_in(directory)
    next(process for process in before if process.name == "etcd").kill()
    up(directory)
    after = started_in(directory)
    assert all(process.is_running() for process in after)
    assert not any(process.is_running() for process in before)
    assert api(directory).answers(HTTP_ROUTES)


def test_down_ends_them_all_and_a_later_up_goes_on_with_the_data(directory: Path) -> None:
    started = started_in(directory)
    down(directory)
    assert not any(process.is_running() for process in started)
    assert not (directory / "local.json").exists()
    down(directory)
    up(directory)
    assert api(directory).answers(HTTP_ROUTES)


def test_a_stale_pid_file_ends_no_stranger(tmp_path: Path) -> None:
    pids = Installation(tmp_path).pid_directory
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    stranger = processes.start("etcd", sleeper, tmp_path / "log", pid_directory=pids)
    stale = replace(stranger, identity="an-earlier-boot/7")
    (pids / "etcd.json").write_text(
        json.dumps({"name": stale.name, "pid": stale.pid, "identity": stale.identity, "log": str(stale.log)})
    )
    down(tmp_path)
    assert stranger.is_running()
    assert processes.started_in(pids) == []
    stranger.kill()


def test_an_up_that_is_killed_half_way_leaves_nothing_that_down_does_not_find(tmp_path: Path) -> None:
    script = f"from pathlib import Path; from headgate.local.up import up; up(Path({str(tmp_path)!r}))"
    with subprocess.Popen([sys.executable, "-c", script]) as half:
        wait_until(
            lambda: any(process.name == "kube-apiserver" for process in started_in(tmp_path)),
            timeout=30,
            otherwise=lambda: "it did not get that far",
        )
        half.send_signal(signal.SIGKILL)
    started = started_in(tmp_path)
    assert any(process.is_running() for process in started)
    down(tmp_path)
    assert not any(process.is_running() for process in started)


def test_down_where_nothing_was_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"does not exist: give the --dir that `headgate local up` was given$"):
        down(tmp_path / "nothing")


def test_up_where_no_directory_can_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match=r"cannot be made: .*: choose another --dir$"):
        up(tmp_path / "file" / "directory")
