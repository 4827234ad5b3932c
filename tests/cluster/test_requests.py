"""What leaves for the API server, and what its answers mean."""

import json

import pytest

from headgate.cluster.objects import (
    CONFIG_MAP,
    ROLLOUT,
    AlreadyExists,
    ClusterError,
    Conflict,
    Forbidden,
    NotFound,
    Oversized,
    Refused,
    Unavailable,
)
from headgate.cluster.refusals import refusal
from headgate.cluster.segments import collection_path, object_path
from headgate.cluster.sending import encoded


def test_paths_are_those_of_the_api_server() -> None:
    assert object_path(CONFIG_MAP, "ai", "a.b-c") == "/api/v1/namespaces/ai/configmaps/a.b-c"
    assert object_path(ROLLOUT, "ai", "r", "status") == "/apis/headgate.dev/v1alpha1/namespaces/ai/rollouts/r/status"
    assert collection_path(ROLLOUT, None) == "/apis/headgate.dev/v1alpha1/rollouts"


@pytest.mark.parametrize("name", ["..", ".", "%2e%2e", "a/b", "a#b", "a?b", "", "A", "a..b", "-a", "a" * 254, "a\n"])
def test_a_name_that_would_change_the_path_never_leaves(name: str) -> None:
    with pytest.raises(Refused):
        object_path(CONFIG_MAP, "ai", name)
    if "." not in name:
        with pytest.raises(Refused):
            object_path(CONFIG_MAP, name, "a")


def test_a_body_is_no_longer_than_what_it_says() -> None:
    text = "Größe 漢字 😀\u2028"
    assert encoded({"a": [text, None]}) == f'{{"a":["{text}",null]}}'.encode()
    assert json.loads(encoded({"a": "\ud83d"})) == {"a": "\ud83d"}


def test_an_unknown_subresource_never_leaves() -> None:
    with pytest.raises(Refused):
        object_path(ROLLOUT, "ai", "r", "scale")


@pytest.mark.parametrize(
    ("status", "reason", "message", "json_patch", "expected"),
    [
        (404, "NotFound", "", False, NotFound),
        (409, "AlreadyExists", "", False, AlreadyExists),
        (409, "Conflict", "", False, Conflict),
        (422, "Invalid", "testing value /spec/prompt/version failed: test failed", True, Conflict),
        (422, "Invalid", "testing value /spec/prompt/version failed: test failed", False, Refused),
        (422, "Invalid", "spec.steps: the last weight is 50, not 100", True, Refused),
        (400, "BadRequest", "", False, Refused),
        (403, "Forbidden", "", False, Forbidden),
        (413, "RequestEntityTooLarge", "", False, Oversized),
        (500, "", "etcdserver: request is too large", False, Oversized),
        (500, "", "rpc error: trying to send message larger than max (2 vs. 1)", True, Oversized),
        (401, "Unauthorized", "", False, Unavailable),
        (429, "TooManyRequests", "", False, Unavailable),
        (500, "InternalError", "", False, Unavailable),
        (503, "ServiceUnavailable", "", False, Unavailable),
    ],
)
def test_answers_are_typed(
    status: int, reason: str, message: str, json_patch: bool, expected: type[ClusterError]
) -> None:
    body = json.dumps({"kind": "Status", "reason": reason, "message": message}).encode()
    assert type(refusal("PATCH x", status, body, None, json_patch=json_patch)) is expected


@pytest.mark.parametrize(
    "answer",
    [
        {
            "message": 'InferenceService "ranker" is invalid: spec.model: Invalid value: "x": unable to find the model',
            "details": {"causes": [{"reason": "FieldValueInvalid", "field": "spec.model"}]},
        },
        {"message": 'admission webhook "m.example.com" denied the request: smoke test failed', "details": {}},
    ],
)
def test_words_of_a_schema_or_a_webhook_are_no_failed_test(answer: dict[str, object]) -> None:
    """Otherwise a restore that they refuse would be tried again at once, for ever and without a word."""
    body = json.dumps({"kind": "Status", "reason": "Invalid", **answer}).encode()
    assert type(refusal("PATCH x", 422, body, None, json_patch=True)) is Refused


def test_a_wish_to_be_asked_later_is_kept() -> None:
    error = refusal("GET x", 429, b"<html>slow down</html>", "3", json_patch=False)
    assert isinstance(error, Unavailable)
    assert error.retry_after == 3.0


def test_what_the_server_says_is_one_line() -> None:
    body = json.dumps({"message": "first\nsecond"}).encode()
    assert str(refusal("GET x", 403, body, None, json_patch=False)) == "GET x: first second"
