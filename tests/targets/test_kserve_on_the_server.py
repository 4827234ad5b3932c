"""Two releases in a row, the second bad and taken back from the bake, with KServe's rules on a real API server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from headgate.local.waiting import wait_until
from tests.controller.kube import Kube
from tests.delivery.kserve_controller import KServe
from tests.targets.inference_service import service
from tests.targets.ranking import Ranking, model, version_of

pytestmark = pytest.mark.usefixtures("operator")


@contextmanager
def controller(kube: Kube) -> Iterator[list[frozenset[str]]]:
    """KServe at work; the models that somebody was served, each time that changed."""
    kserve, over, served = KServe(loading=10), threading.Event(), list[frozenset[str]]()

    def work() -> None:
        while not over.wait(0.05):
            kserve.reconcile(kube.get("InferenceService", "ranker"))
            now = frozenset(kserve.served())
            if now and (not served or served[-1] != now):
                served.append(now)
            status = {"status": {"components": {"predictor": kserve.status}}}
            kube.patch("InferenceService", "ranker", status, "status")

    thread = threading.Thread(target=work)
    kube.apply(service(), manager="git")
    thread.start()
    try:
        yield served
    finally:
        over.set()
        thread.join()


def test_a_promotion_stays_and_the_next_release_is_taken_back_to_it(ranking: Ranking, kube: Kube) -> None:
    with controller(kube) as served:
        ranking.begin(bakeFor="1h")
        ranking.release(2)
        ranking.wait_for(lambda found: found["phase"] == "Baking")
        kube.annotate("ranker", promote="1/bake")
        ranking.wait_for_end_of(version_of(service(model(2))))
        ranking.wait_for(lambda found: found["phase"] == "Idle")
        assert (ranking.weight, served[-1]) == (100, frozenset({model(2)}))
        ranking.release(3)
        ranking.wait_for(lambda found: found["phase"] == "Baking" and found["attempt"]["number"] == 2)
        wait_until(lambda: served[-1] == {model(3)}, timeout=10, otherwise=lambda: str(served))
        kube.annotate("ranker", abort="2")
        ranking.wait_for(lambda found: found["phase"] == "RolledBack")
        assert (ranking.storage, ranking.weight) == (model(2), 0)
        wait_until(lambda: served[-1] == {model(2)}, timeout=10, otherwise=lambda: str(served))
    first, second, third = ({model(number)} for number in (1, 2, 3))
    assert served == [first, first | second, second, second | third, third, second]
    assert "DriftCorrected" not in kube.reasons()


def test_a_bake_that_is_taken_back_while_argo_cd_keeps_the_fields_gives_everybody_back_all_the_same(
    ranking: Ranking, kube: Kube
) -> None:
    with controller(kube) as served:
        ranking.begin(bakeFor="1h")
        wait_until(lambda: served == [{model(1)}], timeout=10, otherwise=lambda: str(served))
        kube.apply(service(model(2)), manager="argocd-controller", force=True)
        ranking.wait_for(lambda found: found["phase"] == "Baking")
        wait_until(lambda: served[-1] == {model(2)}, timeout=10, otherwise=lambda: str(served))
        kube.annotate("ranker", abort="1")
        ranking.wait_for(lambda found: found["phase"] == "RolledBack")
        wait_until(lambda: served[-1] == {model(1)}, timeout=10, otherwise=lambda: str(served))
        assert (ranking.storage, ranking.weight) == (model(2), 0)
        kube.apply(service(model(1)), manager="argocd-controller", force=True)
        ranking.wait_for(lambda found: found["phase"] == "Idle")
        assert ranking.storage == model(1)
    first, second = ({model(number)} for number in (1, 2))
    assert served == [first, first | second, second, first]
    assert "DriftCorrected" not in kube.reasons()
