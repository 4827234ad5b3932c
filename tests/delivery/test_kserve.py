"""What KServe makes of the weights: at no moment is anybody served a model that headgate has not released to them."""

from dataclasses import replace

import pytest

from headgate.cluster.objects import Json
from headgate.delivery import field_document, kserve
from headgate.engine.routing import ArmVersion, Routing
from tests.delivery.kserve_controller import PATH, KServe, report
from tests.delivery.memory_cluster import Document, MemoryCluster
from tests.delivery.releases import at_rest, routing
from tests.delivery.test_field import SERVICE, router, service

MODELS = {name: ArmVersion(name, f"sha256:{name}") for name in ("m1", "m2", "m3")}


class Release:
    """One InferenceService between its editor, headgate and KServe."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        self.kserve = KServe()
        self.cluster.put(SERVICE, service(model={"storageUri": "m1"}))
        self.stable = "m1"
        self._revision = 0
        self.settle()

    def edit(self, model: str) -> None:
        """Somebody, or headgate's restore, writes the model."""
        obj = self._object()
        obj["spec"]["predictor"]["model"] = {"storageUri": model}
        self.cluster.put(SERVICE, obj)
        self.cluster.watch(SERVICE, "ranker")

    async def rest(self) -> int:
        """Headgate delivers weight 0; what the field then holds."""
        return await self._deliver(at_rest(stable=MODELS[self.stable]))

    async def weight(self, share: int, candidate: str) -> int:
        """Headgate delivers a step."""
        return await self._deliver(routing(share, stable=MODELS[self.stable], candidate=MODELS[candidate]))

    def settle(self) -> dict[str, int]:
        """KServe comes to rest and says so; who is served what."""
        served = self.reconcile()
        self.report()
        return served

    def reconcile(self) -> dict[str, int]:
        """KServe comes to rest, and headgate does not know it yet; who is served what."""
        self.kserve.reconcile(self._object())
        return self.kserve.served()

    def report(self) -> None:
        """KServe's status reaches headgate."""
        self.cluster.put(SERVICE, report(self._object(), self.kserve))
        self.cluster.watch(SERVICE, "ranker")

    def forget_status(self) -> None:
        """KServe has said nothing yet."""
        obj = self._object()
        del obj["status"]
        self.cluster.put(SERVICE, obj)
        self.cluster.watch(SERVICE, "ranker")

    def must_wait(self) -> bool:
        """Whether a restore must wait for KServe."""
        obj: Json = self._object()
        known = field_document.on(obj).get(("reply", PATH))
        shown = kserve.revisions(obj, PATH)
        return known is not None and kserve.goes_back(shown, known.stable.digest, known.kserve)

    async def _deliver(self, routing: Routing) -> int:
        self._revision += 1
        held = self._object()["spec"]["predictor"]["model"]["storageUri"]
        await router(self.cluster).apply(replace(routing, revision=self._revision, held=MODELS[held].digest))
        field: int = self._object()["spec"]["predictor"]["canaryTrafficPercent"]
        return field

    async def take_back_from_everybody(self, model: str) -> None:
        """A release that had everybody; the weight is at 0 again, and KServe has not acted on that."""
        self.edit(model)
        await self.rest()
        self.settle()
        await self.weight(100, model)
        self.settle()
        await self.rest()

    def _object(self) -> Document:
        return self.cluster.at(SERVICE, "ranker")

    async def promote(self, model: str) -> None:
        """A whole good release."""
        self.edit(model)
        await self.rest()
        self.settle()
        for share in (10, 50, 100):
            await self.weight(share, model)
            self.settle()
        self.stable = model
        await self.rest()


@pytest.fixture
async def release() -> Release:
    release = Release()
    assert await release.rest() == 0
    assert release.settle() == {"m1": 100}
    # KServe's status tells by now which revision serves the first model.
    await release.rest()
    return release


async def test_an_edit_exposes_nobody_while_headgate_is_stopped(release: Release) -> None:
    release.edit("m2")
    assert release.settle() == {"m1": 100}


async def test_each_step_has_its_share(release: Release) -> None:
    release.edit("m2")
    assert await release.rest() == 0
    release.settle()
    for share in (10, 50):
        await release.weight(share, "m2")
        assert release.settle() == {"m1": 100 - share, "m2": share}
    await release.weight(100, "m2")
    assert release.settle() == {"m2": 100}


async def test_after_the_promotion_everybody_stays_on_the_promoted_model(release: Release) -> None:
    await release.promote("m2")
    assert release.settle() == {"m2": 100}
    assert await release.rest() == 100
    assert release.settle() == {"m2": 100}


async def test_a_promotion_before_kserve_has_rolled_out_is_not_undone(release: Release) -> None:
    release.edit("m2")
    await release.rest()
    release.settle()
    await release.weight(100, "m2")
    release.stable = "m2"
    assert await release.rest() == 100
    assert release.settle() == {"m2": 100}


async def test_zero_after_a_promotion_would_be_kserves_way_back(release: Release) -> None:
    """Why the field does not rest at 0 then: the reason of all this."""
    await release.promote("m2")
    release.settle()
    obj = release.cluster.at(SERVICE, "ranker")
    obj["spec"]["predictor"]["canaryTrafficPercent"] = 0
    release.cluster.put(SERVICE, obj)
    assert release.settle() == {"m1": 100}


async def test_what_follows_from_kserves_status_is_nobodys_drift(release: Release) -> None:
    await release.promote("m2")
    release.settle()
    state = router(release.cluster).observe(at_rest(revision=9, stable=MODELS["m2"]))
    assert (state.matches, state.lags) == (False, True)


async def test_the_next_edit_gets_nothing_once_headgate_has_seen_it(release: Release) -> None:
    await release.promote("m2")
    release.settle()
    await release.rest()
    release.kserve.slow = True  # a model takes its time to load; headgate sees the edit in milliseconds
    release.edit("m3")
    assert await release.rest() == 0
    release.kserve.slow = False
    assert "m3" not in release.settle()
    assert release.settle() == {"m2": 100}


async def test_a_revert_between_two_steps_serves_the_good_model_alone(release: Release) -> None:
    release.edit("m2")
    await release.rest()
    release.settle()
    await release.weight(50, "m2")
    release.settle()
    assert await release.rest() == 0
    assert not release.must_wait()
    release.edit("m1")
    assert await release.rest() == 0
    assert release.settle() == {"m1": 100}


@pytest.mark.parametrize("promoted", [[], ["m2"]], ids=["the first release", "the second release"])
async def test_a_revert_from_the_bake_waits_until_kserve_has_gone_back(release: Release, promoted: list[str]) -> None:
    for model in promoted:
        await release.promote(model)
        release.settle()
        await release.rest()
    good = release.stable
    release.edit("m3")
    await release.rest()
    release.settle()
    for share in (50, 100):
        await release.weight(share, "m3")
        release.settle()
    assert await release.rest() == 0
    assert release.must_wait()
    assert release.settle() == {good: 100}
    assert not release.must_wait()
    release.edit(good)
    for _ in range(3):
        assert await release.rest() == 0
        assert release.settle() == {good: 100}


async def test_a_status_older_than_the_way_back_gives_nobody_the_rejected_model_again(release: Release) -> None:
    """Git says the good model again before KServe's status says that it went back."""
    await release.take_back_from_everybody("m2")
    assert release.reconcile() == {"m1": 100}
    release.kserve.slow = True
    release.edit("m1")
    assert await release.rest() == 0
    assert release.reconcile() == {"m1": 100}
    assert await release.rest() == 0
    release.report()
    assert await release.rest() == 0
    assert release.settle() == {"m1": 100}
    release.kserve.slow = False
    assert release.settle() == {"m1": 100}
    assert await release.rest() == 0


@pytest.mark.parametrize("steps", [(10,), (10, 50, 100), (100,)], ids=str)
async def test_a_revert_gives_nobody_the_rejected_model_also_where_the_edit_came_before_stables_revision_was_known(
    steps: tuple[int, ...],
) -> None:
    """KServe's first status had come when somebody edited, and headgate had not looked at it yet."""
    release = Release()
    release.forget_status()
    assert await release.rest() == 0
    assert release.settle() == {"m1": 100}
    release.edit("m2")
    assert await release.rest() == 0
    release.settle()
    for share in steps:
        await release.weight(share, "m2")
        release.settle()
    assert await release.rest() == 0
    assert release.must_wait() == (100 in steps)
    assert release.reconcile() == {"m1": 100}
    release.kserve.slow = True
    release.edit("m1")
    assert await release.rest() == 0
    release.report()
    assert await release.rest() == 0
    assert release.settle() == {"m1": 100}
    assert await release.rest() == 0
    release.kserve.slow = False
    for _ in range(3):
        assert release.settle() == {"m1": 100}
        await release.rest()


async def test_a_stable_model_that_never_had_everybody_is_rolled_out_after_a_revert_once_it_is_ready() -> None:
    release = Release()
    release.kserve.slow = True
    release.edit("m2")
    assert release.settle() == {"m1": 100}
    release.stable = "m2"  # the Rollout is made while that edit is loading
    await release.rest()
    release.edit("m3")
    await release.rest()
    release.kserve.slow = False
    release.settle()
    await release.weight(10, "m3")
    assert release.settle() == {"m1": 90, "m3": 10}
    await release.rest()
    release.kserve.slow = True
    release.edit("m2")
    await release.rest()
    assert release.settle() == {"m1": 100}
    await release.rest()
    assert release.settle() == {"m1": 100}
    release.kserve.slow = False
    release.settle()
    for _ in range(3):
        await release.rest()
        served = release.settle()
    assert served == {"m2": 100}


async def test_what_is_restored_too_early_is_served_all_the_same_only_later(release: Release) -> None:
    """KServe keeps the bad revision as the one that has the rest: resting at 0 would leave everybody on it."""
    await release.take_back_from_everybody("m2")
    release.kserve.slow = True
    release.edit("m1")
    assert release.settle() == {"m2": 100}
    assert await release.rest() == 100
    release.kserve.slow = False
    assert release.settle() == {"m1": 100}


async def test_after_a_revert_the_next_release_goes_as_ever(release: Release) -> None:
    release.edit("m2")
    await release.rest()
    release.settle()
    await release.weight(50, "m2")
    release.settle()
    await release.rest()
    release.edit("m1")
    await release.rest()
    release.settle()
    await release.promote("m3")
    assert release.settle() == {"m3": 100}
    await release.rest()
    assert release.settle() == {"m3": 100}
