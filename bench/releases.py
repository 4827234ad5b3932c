"""Many Rollouts in a few namespaces, brought together to where a benchmark begins. Measures nothing."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import documents, targets
from bench.documents import Document
from bench.sightings import FIELD, FLAG, ROUTE, Sighting
from bench.world import World

_NAMESPACES = 10
_OVER = ("RolledBack", "Killed", "Idle")


@dataclass(frozen=True, slots=True)
class Release:
    """One Rollout, and where it is."""

    namespace: str
    name: str
    is_target: bool = False
    """Whether a custom resource is what it releases."""

    @property
    def app(self) -> str:
        """How the metrics know it."""
        return f"{self.namespace}-{self.name}"


def releases(count: int, *, namespaces: int = _NAMESPACES) -> list[Release]:
    """So many names, spread over namespaces as over teams."""
    return [Release(f"team-{number % namespaces}", f"reply-{number}") for number in range(count)]


def target_releases(count: int) -> list[Release]:
    """So many of custom resources, in a namespace of their own."""
    return [Release("team-targets", f"ranker-{number}", is_target=True) for number in range(count)]


async def create(
    world: World,
    chosen: Sequence[Release],
    *,
    period: str,
    versions: int = 2,
    routers: Sequence[str] = (FLAG,),
    steps: list[Document] = documents.HOLDING,
    bake: str | None = None,
) -> None:
    """The namespaces with their gate and versions, then the Rollouts at the first version.

    ``routers`` is what each Rollout has: a flag of its own, an HTTPRoute of its own, or both.
    """
    for namespace in sorted({release.namespace for release in chosen}):
        await world.cluster.make_namespace(namespace)
        shared = [documents.gate(period), *(documents.version(number + 1) for number in range(versions))]
        await world.cluster.create(namespace, shared)
        here = [release for release in chosen if release.namespace == namespace]
        if FIELD in routers:
            await world.cluster.create(namespace, [targets.service(release.name, 1) for release in here])
        if ROUTE in routers:
            await world.cluster.create(namespace, [documents.route(release.name) for release in here])
        rollouts = [
            _subject(
                release,
                documents.rollout(
                    release.name, release.app, steps=steps, delivery=_delivery(release, routers), bake=bake
                ),
            )
            for release in here
        ]
        await world.cluster.create(namespace, rollouts)


async def are_stable(world: World, chosen: Sequence[Release]) -> None:
    """Return when all of them have the first version as their stable one, and all routers show it to everybody."""

    def is_stable(seen: Sighting) -> bool:
        return (
            seen.stable in (documents.STABLE, targets.model(1))
            and seen.phase == "Idle"
            and seen.is_at_zero()
            and bool(seen.shares)
        )

    await _all(world, chosen, is_stable, "the first version is stable everywhere")


async def are_promoted(world: World, chosen: Sequence[Release], number: int) -> None:
    """Return when another version is the stable one of all of them."""

    def is_promoted(seen: Sighting) -> bool:
        return seen.stable == documents.name_of(number) and seen.phase == "Idle"

    await _all(world, chosen, is_promoted, f"version {number} is stable everywhere")


async def expose(world: World, chosen: Sequence[Release], number: int) -> None:
    """Ask for another version in all of them, and return when all routers show it to somebody."""
    await ask_for(world, chosen, number)
    await _all(world, chosen, Sighting.is_exposed, f"version {number} is exposed everywhere")


async def ask_for(world: World, chosen: Sequence[Release], number: int) -> None:
    """Write another version into their specs, or another content into their targets."""
    prompt = {"spec": {"prompt": {"version": documents.name_of(number)}}}
    content = {"spec": {"predictor": {"model": {"storageUri": targets.model(number)}}}}
    await asyncio.gather(
        *(
            world.cluster.merge_patch(
                targets.KIND if release.is_target else "Rollout",
                release.namespace,
                release.name,
                content if release.is_target else prompt,
            )
            for release in chosen
        )
    )


async def are_back(world: World, chosen: Sequence[Release]) -> None:
    """Return when all routers show stable to everybody, the specs name it again and the attempts are over."""

    def is_back(seen: Sighting) -> bool:
        return seen.is_at_zero() and seen.version == seen.stable and seen.phase in _OVER

    await _all(world, chosen, is_back, "everybody is back")


def seen(world: World, release: Release) -> Sighting:
    """What was seen last of one."""
    return world.sightings.of(release.namespace, release.name)


async def _all(world: World, chosen: Sequence[Release], condition: Callable[[Sighting], bool], what: str) -> None:
    waiting = list(chosen)

    def none_waits() -> bool:
        # Those that have arrived are not looked at again: that would cost as much as what is measured.
        while waiting and condition(seen(world, waiting[-1])):
            waiting.pop()
        return not waiting

    await world.sightings.until(none_waits, within=600 + 0.3 * len(chosen), what=what)


def _subject(release: Release, rollout: Document) -> Document:
    if release.is_target:
        del rollout["spec"]["prompt"]
        rollout["spec"]["target"] = targets.target(release.name)
    return rollout


def _delivery(release: Release, routers: Sequence[str]) -> list[Document]:
    known = {FLAG: documents.flag, ROUTE: documents.http_route, FIELD: targets.field}
    return [known[router](release.name) for router in routers]
