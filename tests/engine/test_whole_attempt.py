"""One attempt from beginning to end, as the person who released it would see it."""

from headgate.api.rollout_status import Outcome, Phase
from tests.engine.scenes import HOUR
from tests.engine.world import World, prompted, spec, value


def test_the_first_version_is_stable_at_once_gates_or_not() -> None:
    world = World(spec("v7"))
    world.gates.clear()

    world.settle()

    assert world.status.stable is not None
    assert world.status.stable.version == "v7"
    assert world.phase() is Phase.IDLE
    assert world.exposed() == {"sha256:v7"}


def test_a_good_version_climbs_every_step_bakes_and_becomes_stable() -> None:
    world = World(spec("v7"))
    world.settle()
    world.release("v8")

    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)

    assert [weight for weight in world.weights if weight] == [10, 25, 50, 100]
    assert world.status.stable is not None
    assert world.status.stable.version == "v8"
    assert world.status.history[0].outcome is Outcome.PROMOTED
    assert world.exposed() == {"sha256:v8"}


def test_a_bad_version_is_taken_back_with_its_spec() -> None:
    world = World(spec("v7"))
    world.settle()
    world.release("v8")
    world.run(HOUR, until=lambda world: world.status.weight == 25)
    world.answer = lambda question: value(0.2)

    assert world.run(HOUR, until=lambda world: world.phase() is Phase.ROLLED_BACK)

    assert prompted(world) == "v7"
    assert world.exposed() == {"sha256:v7"}
    assert world.status.rejected[0].version == "v8"
    assert world.status.history[0].outcome is Outcome.ROLLED_BACK
    assert world.restores == 1
