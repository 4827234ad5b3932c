"""Receivers on ports of their own."""

from collections.abc import Callable, Iterator

import pytest

from headgate.local.certificates import Certificates
from tests.aftermath.receiver import Receiver

MakeReceiver = Callable[..., Receiver]


@pytest.fixture
def make_receiver() -> Iterator[MakeReceiver]:
    made: list[Receiver] = []

    def make(certificates: Certificates | None = None) -> Receiver:
        made.append(Receiver(certificates))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()


@pytest.fixture
def receiver(make_receiver: MakeReceiver) -> Receiver:
    return make_receiver()
