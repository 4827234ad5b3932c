"""The routers against a real API server: defaulting and pruning by CRDs, fields' owners, conflicts."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from headgate.api.rollout import Delivery
from headgate.cluster.client import Client
from headgate.cluster.credentials import credentials
from headgate.cluster.documents import SeenDocuments
from headgate.cluster.objects import CONFIG_MAP, FEATURE_FLAG, HTTP_ROUTE, Conflict, Json, Kind
from headgate.delivery.refusals import Fenced
from headgate.delivery.router import Router, routers
from headgate.engine.routing import Routing
from headgate.local import gateway_api
from headgate.local.certificates import Certificates
from headgate.local.control_plane import ControlPlane
from tests.delivery.openfeature_crd import CRD
from tests.delivery.releases import (
    FEATURE_FLAG_DELIVERY,
    FLAG_DELIVERY,
    ROUTE_DELIVERY,
    V8,
    V9,
    at_rest,
    config_map,
    document,
    routing,
)

_NAMESPACES = count(1)


@dataclass
class Somebody:
    """Another client of the API server."""

    url: str
    session: requests.Session
    namespace: str

    def write(self, method: str, kind: Kind, name: str, body: Json, *, manager: str = "argocd") -> dict[str, Any]:
        root = f"/apis/{kind.group}" if kind.group else "/api"
        path = f"{root}/{kind.version}/namespaces/{self.namespace}/{kind.plural}{name and '/' + name}"
        answer = self.session.request(
            method,
            f"{self.url}{path}?fieldManager={manager}&fieldValidation=Strict",
            json={"apiVersion": kind.api_version, "kind": kind.kind, **body},
            headers={"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"},
            timeout=30,
        )
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found


@dataclass
class Process:
    """One operator process: its client, and what it has seen."""

    client: Client
    namespace: str
    documents: SeenDocuments

    def router(self, delivery: Delivery) -> Router:
        (made,) = routers(self.namespace, [delivery], self.client, self.documents).values()
        return made

    async def now(self, kind: Kind, name: str) -> dict[str, Any]:
        return await self.client.get(kind, self.namespace, name)

    def restarted(self) -> "Process":
        return replace(self, documents=SeenDocuments())


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), rbac=False) as plane:
        plane.api.install_crds([*gateway_api.documents(), CRD])
        yield plane


@pytest.fixture
def somebody(control_plane: ControlPlane) -> Iterator[Somebody]:
    certificates = Certificates(control_plane.directory / "certificates")
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(certificates.authority)
        session.cert = (str(certificates.certificate("admin")), str(certificates.key("admin")))
        namespace = f"delivery-{next(_NAMESPACES)}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        assert session.post(f"{control_plane.url}/api/v1/namespaces", json=body, timeout=30).status_code == 201
        yield Somebody(control_plane.url, session, namespace)


@pytest.fixture
async def process(control_plane: ControlPlane, somebody: Somebody) -> AsyncIterator[Process]:
    client = Client(await credentials(Path(control_plane.kubeconfig)))
    yield Process(client, somebody.namespace, SeenDocuments())
    await client.close()


def with_route(somebody: Somebody) -> None:
    rules: Any = [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/docs"}}],
            "backendRefs": [{"name": "docs", "port": 80}],
        },
        {
            "filters": [
                {"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": [{"name": "a", "value": "b"}]}}
            ],
            "backendRefs": [{"name": "blue", "port": 80}, {"name": "green", "port": 80}],
        },
    ]
    spec: Json = {"parentRefs": [{"name": "gateway"}], "rules": rules}
    somebody.write("POST", HTTP_ROUTE, "", {"metadata": {"name": "reply"}, "spec": spec}, manager="kubectl")


def weights(route: dict[str, Any]) -> list[int]:
    return [ref["weight"] for ref in route["spec"]["rules"][1]["backendRefs"]]


ALL = [FLAG_DELIVERY, FEATURE_FLAG_DELIVERY, ROUTE_DELIVERY]
STEPS = [
    at_rest(revision=1),
    routing(shadow=40, revision=2),
    routing(10, revision=3),
    routing(100, revision=4),
    at_rest(revision=5, stable=V8, slot=1),
    routing(25, revision=6, stable=V8, candidate=V9, slot=1, attempt=2),
    at_rest(revision=7, stable=V8, slot=1, attempt=2),
]


@pytest.mark.parametrize("delivery", ALL)
async def test_a_release_and_a_revert_are_shown_as_they_were_written(
    somebody: Somebody, process: Process, delivery: Delivery
) -> None:
    with_route(somebody)
    for wanted in STEPS:
        state = await process.router(delivery).apply(wanted)
        assert (state.matches, state.weight, state.shadow) == (True, wanted.weight, wanted.shadow)
        restarted = process.restarted()
        await restarted.router(delivery).refresh()
        seen_anew = await restarted.router(delivery).apply(wanted)
        assert (seen_anew.matches, seen_anew.weight, seen_anew.stable) == (True, wanted.weight, state.stable)


@pytest.mark.parametrize("delivery", ALL)
async def test_a_stale_process_neither_writes_nor_raises(
    somebody: Somebody, process: Process, delivery: Delivery
) -> None:
    with_route(somebody)
    stale = process.restarted()
    await process.router(delivery).apply(at_rest(revision=1))
    await stale.router(delivery).apply(routing(0, revision=2))
    # It committed 10 % at revision 3 and was held up; somebody else reverted at revision 4.
    await process.router(delivery).apply(at_rest(revision=4))
    with pytest.raises(Fenced):
        await stale.router(delivery).apply(routing(10, revision=3))
    assert process.router(delivery).observe(at_rest(revision=4)).matches


@pytest.mark.parametrize("delivery", ALL)
async def test_a_write_on_top_of_something_unseen_is_a_conflict_and_the_next_try_works(
    somebody: Somebody, process: Process, delivery: Delivery
) -> None:
    with_route(somebody)
    await process.router(delivery).apply(routing(10, revision=1))
    kind, name = _place(delivery)
    somebody.write("PATCH", kind, name, {"metadata": {"labels": {"theirs": "x"}}})
    with pytest.raises(Conflict):
        await process.router(delivery).apply(routing(25, revision=2))
    assert (await process.router(delivery).apply(routing(25, revision=2))).weight == 25
    assert (await process.now(kind, name))["metadata"]["labels"]["theirs"] == "x"


def _place(delivery: Delivery) -> tuple[Kind, str]:
    if delivery.flag is None:
        return HTTP_ROUTE, "reply"
    return (CONFIG_MAP, "flags") if delivery.flag.config_map else (FEATURE_FLAG, "flags")


async def test_a_route_keeps_all_that_is_not_ours_through_two_releases(somebody: Somebody, process: Process) -> None:
    with_route(somebody)
    before = (await process.now(HTTP_ROUTE, "reply"))["spec"]
    router = process.router(ROUTE_DELIVERY)
    for wanted, expected in (
        (at_rest(revision=1), [100, 0]),
        (routing(shadow=30, revision=2), [100, 0]),
        (routing(100, revision=3), [0, 100]),
        (at_rest(revision=4, stable=V8, slot=1), [0, 100]),
        (routing(50, revision=5, stable=V8, candidate=V9, slot=1), [50, 50]),
        (routing(100, revision=6, stable=V8, candidate=V9, slot=1), [100, 0]),
        (at_rest(revision=7, stable=V9), [100, 0]),
    ):
        await router.apply(wanted)
        assert weights(await process.now(HTTP_ROUTE, "reply")) == expected
    after = (await process.now(HTTP_ROUTE, "reply"))["spec"]
    for spec in (before, after):
        for ref in spec["rules"][1]["backendRefs"]:
            ref.pop("weight")
    assert after == before


async def test_a_mirror_is_as_the_gateway_api_wants_it(somebody: Somebody, process: Process) -> None:
    with_route(somebody)
    await process.router(ROUTE_DELIVERY).apply(routing(shadow=30))
    filters = (await process.now(HTTP_ROUTE, "reply"))["spec"]["rules"][1]["filters"]
    assert [entry["type"] for entry in filters] == ["RequestHeaderModifier", "RequestMirror"]
    assert filters[1]["requestMirror"]["percent"] == 30
    assert filters[1]["requestMirror"]["backendRef"] == {"group": "", "kind": "Service", "name": "green", "port": 80}


async def _observed(process: Process, delivery: Delivery, wanted: Routing) -> tuple[bool, int | None, str | None]:
    await process.router(delivery).refresh()
    state = process.router(delivery).observe(wanted)
    return state.matches, state.weight, state.writer


async def test_a_foreign_writer_of_the_weights_is_named(somebody: Somebody, process: Process) -> None:
    with_route(somebody)
    wanted = routing(10)
    await process.router(ROUTE_DELIVERY).apply(wanted)
    route = await process.now(HTTP_ROUTE, "reply")
    for ref, weight in zip(route["spec"]["rules"][1]["backendRefs"], (20, 80), strict=True):
        ref["weight"] = weight
    somebody.write("PATCH", HTTP_ROUTE, "reply", {"spec": {"rules": route["spec"]["rules"]}})
    assert await _observed(process, ROUTE_DELIVERY, wanted) == (False, 80, "argocd")
    await process.router(ROUTE_DELIVERY).apply(wanted)
    assert await _observed(process, ROUTE_DELIVERY, wanted) == (True, 10, None)


async def test_a_foreign_writer_of_a_flag_is_named(somebody: Somebody, process: Process) -> None:
    somebody.write("POST", CONFIG_MAP, "", config_map('{"flags": {}}', labels={"theirs": "x"}), manager="kubectl")
    wanted = routing(10)
    await process.router(FLAG_DELIVERY).apply(wanted)
    found = await process.now(CONFIG_MAP, "flags")
    assert found["metadata"]["labels"] == {"theirs": "x", "headgate.dev/watch": "true"}
    text = found["data"]["flags.json"].replace("1000", "8000").replace("9000", "2000")
    somebody.write("PATCH", CONFIG_MAP, "flags", {"data": {"flags.json": text}})
    assert await _observed(process, FLAG_DELIVERY, wanted) == (False, 80, "argocd")
    await process.router(FLAG_DELIVERY).apply(wanted)
    assert await _observed(process, FLAG_DELIVERY, wanted) == (True, 10, None)


async def test_a_feature_flag_keeps_nulls_and_loses_only_what_its_crd_prunes(
    somebody: Somebody, process: Process
) -> None:
    await process.router(FEATURE_FLAG_DELIVERY).apply(routing(10))
    await process.router(FLAG_DELIVERY).apply(routing(10))
    stored = (await process.now(FEATURE_FLAG, "flags"))["spec"]["flagSpec"]["flags"]["reply"]
    written = document(await process.now(CONFIG_MAP, "flags"))["flags"]["reply"]
    assert "metadata" not in stored
    assert stored == {key: value for key, value in written.items() if key != "metadata"}
    assert somebody.namespace == process.namespace
