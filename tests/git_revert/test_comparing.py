"""Whether what a file says may be what was rejected: Git need not say what the API server adds."""

import pytest

from headgate.cli.git_revert.comparing import may_say
from headgate.engine.content import Content, canonical

ABSENT = object()


def content(**fields: object) -> Content:
    return Content(tuple((name, None if value is ABSENT else canonical(value)) for name, value in fields.items()))


@pytest.mark.parametrize(
    ("file", "rejected"),
    [
        (content(a=1), content(a=1)),
        # The API server's defaults: fields, and fields of fields.
        (content(a=1, b=ABSENT), content(a=1, b="default")),
        (content(a={"uri": "2"}), content(a={"uri": "2", "protocol": "v1"})),
        (content(a=[{"key": "gpu"}]), content(a=[{"key": "gpu", "operator": "Equal"}])),
        # JSON has one kind of number.
        (content(a=1.0), content(a=1)),
    ],
)
def test_it_may(file: Content, rejected: Content) -> None:
    assert may_say(file, rejected)


@pytest.mark.parametrize(
    ("file", "rejected"),
    [
        (content(a=1), content(a=2)),
        (content(a=1), content(a=ABSENT)),
        (content(a=1, b=2), content(a=1, b=3)),
        (content(a={"uri": "2", "more": 1}), content(a={"uri": "2"})),
        (content(a=["x"]), content(a=["x", "y"])),
        (content(a=True), content(a=1)),
        (content(a="1"), content(a=1)),
        (content(a={}), content(a="text")),
    ],
)
def test_it_may_not(file: Content, rejected: Content) -> None:
    assert not may_say(file, rejected)
