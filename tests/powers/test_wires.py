"""Where requests go and what comes back: no proxy of the environment, no redirect, no end to no answer."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from headgate.api.configuration import Source
from headgate.cluster import client as client_module
from headgate.cluster import shape
from headgate.cluster.client import Client
from headgate.cluster.credentials import connection, credentials
from headgate.cluster.objects import CONFIG_MAP, TooLarge, Unavailable
from headgate.cluster.watch_connection import watch_connection
from headgate.evidence.prometheus import Prometheus
from headgate.local.control_plane import ControlPlane
from headgate.local.prometheus import PrometheusServer
from tests.integration.cluster import Document, Namespace
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.powers.strangers import Stranger, an_object, elsewhere, kubeconfig

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture
async def clients(tmp_path: Path) -> AsyncIterator[list[Client]]:
    made: list[Client] = []
    yield made
    for each in made:
        await each.close()


async def client_of(url: str, directory: Path, clients: list[Client]) -> Client:
    file = directory / "kubeconfig"
    file.write_text(json.dumps(kubeconfig(url)))
    clients.append(Client(await credentials(file)))
    return clients[-1]


def test_an_operator_behind_proxy_variables_sends_nothing_through_them(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    namespace: Namespace,
    release: Release,
    operator_kubeconfig: Path,
    sources: list[Document],
) -> None:
    with Stranger(an_object) as trap:
        for name in PROXIES:
            monkeypatch.setenv(name, trap.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        operator = OperatorProcess(tmp_path, operator_kubeconfig, sources, namespace.name)
        operator.start()
        try:
            release.begins()
            release.is_bad("v2")
            release.of("v2")
            release.ends_rolled_back("v2", stable="v1")
        finally:
            operator.stop()
        assert trap.heard == []


async def test_the_api_server_may_not_send_a_request_elsewhere(tmp_path: Path, clients: list[Client]) -> None:
    with Stranger(an_object) as thief:
        for status in (301, 302, 307, 308):
            with Stranger(partial(elsewhere, status, thief.url)) as posing:
                client = await client_of(posing.url, tmp_path, clients)
                with pytest.raises(Unavailable):
                    await client.get(CONFIG_MAP, "ai", "flags")
                with pytest.raises(Unavailable):
                    await client.merge_patch(CONFIG_MAP, "ai", "flags", {}, resource_version="1")
        assert thief.heard == []


async def test_the_api_server_may_not_send_a_watch_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    with Stranger(an_object) as thief, Stranger(partial(elsewhere, 307, thief.url)) as posing:
        file.write_text(json.dumps(kubeconfig(posing.url)))
        watch = watch_connection(await connection(await credentials(file)), lambda _path: None)
        async with watch.aiohttp_session as session:
            # What the watches try again after, as after any connection that broke.
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(f"{posing.url}/api/v1/configmaps?watch=true")
        assert thief.heard == []


async def test_an_answer_without_end_is_not_read_to_its_end(
    tmp_path: Path, clients: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "MOST_BYTES", 100_000)
    with Stranger(lambda _path: (200, {}, b'{"data": "' + b"x" * 10_000_000 + b'"}')) as talker:
        client = await client_of(talker.url, tmp_path, clients)
        with pytest.raises(TooLarge):
            await client.get(CONFIG_MAP, "ai", "flags")


async def test_a_list_of_large_objects_is_read_in_smaller_pages(
    namespace: Namespace, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, clients: list[Client]
) -> None:
    for number in range(6):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"big-{number}"}}
        namespace.create({**body, "data": {"text": "x" * 60_000}})
    monkeypatch.setattr(client_module, "MOST_BYTES", 150_000)
    clients.append(Client(await credentials(Path(control_plane.kubeconfig))))
    found = [shape.name(raw) async for page in clients[0].pages(CONFIG_MAP, namespace.name) for raw in page.items]
    assert {f"big-{number}" for number in range(6)} <= set(found)
    assert len(found) == len(set(found))


def test_prometheus_gets_no_token_but_the_configured_one(tmp_path: Path, prometheus: PrometheusServer) -> None:
    token = tmp_path / "token"
    token.write_text("of-this-source\n")
    with Stranger(an_object) as listener:
        Prometheus(Source.model_validate({"name": "a", "url": listener.url})).ask("up")
        Prometheus(Source.model_validate({"name": "b", "url": listener.url, "bearerTokenFile": str(token)})).ask("up")
    assert [headers.get("Authorization") for _, _, headers in listener.heard] == [None, "Bearer of-this-source"]


def test_prometheus_may_not_send_a_query_elsewhere(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    with Stranger(an_object) as thief, Stranger(partial(elsewhere, 307, thief.url)) as posing:
        source = Source.model_validate({"name": "a", "url": posing.url, "bearerTokenFile": str(token)})
        Prometheus(source).ask("up")
        assert thief.heard == []
