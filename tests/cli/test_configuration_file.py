"""The operator's configuration is read strictly; each mistake is one line that names the key."""

from pathlib import Path

import pytest

from headgate.cli.configuration_file import read_configuration
from headgate.cli.failures import CommandError


def _read(tmp_path: Path, text: str) -> str:
    file = tmp_path / "headgate.yaml"
    file.write_text(text)
    with pytest.raises(CommandError) as refusal:
        read_configuration(file)
    return str(refusal.value).replace(str(file), "FILE")


def test_an_empty_file_means_every_default(tmp_path: Path) -> None:
    file = tmp_path / "headgate.yaml"
    file.write_text("# nothing yet\n")
    assert read_configuration(file).sources == []


def test_a_whole_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    file = tmp_path / "headgate.yaml"
    file.write_text(
        f'sources: [{{name: default, url: "http://p:9090", timeout: 5s, namespaces: [], enforceLabel: null,'
        f" bearerTokenFile: {tmp_path / 'token'}, caFile: null}}]\n"
    )
    source = read_configuration(file).source("default")
    assert source is not None
    assert source.timeout == "5s"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sauces: []", "FILE: sauces: unknown key; did you mean sources?"),
        (
            "sources: [{name: a, url: 'http://p', timeOut: 1s}]",
            "FILE: sources[0].timeOut: unknown key; did you mean timeout?",
        ),
        ("sources: [{name: a, url: 'http://p', timeout: 1 s}]", "FILE: sources[0].timeout: '1 s' is not a duration"),
        ("sources: [{name: a}]", "FILE: sources[0].url: is missing; add url"),
        ("alerts: {}", "FILE: alerts.tokens: is missing; add tokens"),
        (
            "alerts: {tokens: [{file: /nowhere/token, namespaces: [ai]}]}",
            "FILE: alerts.tokens[0].file: /nowhere/token: No such file or directory",
        ),
        (
            "alerts: {tokens: [{file: f, namespaces: []}]}",
            "FILE: alerts.tokens[0].namespaces: has too few items; write at least 1",
        ),
        (
            "alerts: {tokens: [{file: f, namespaces: ['*']}]}",
            "FILE: alerts.tokens[0].namespaces[0]: '*' is no name of a namespace; write lower-case letters",
        ),
        (
            "alerts: {listen: '9095', tokens: []}",
            "FILE: alerts.listen: '9095' is no address to listen on; write ADDR:PORT",
        ),
        ("alerts: {tokens: [], port: 1}", "FILE: alerts.tokens: has too few items; write at least 1"),
        (
            "alerts: {tokens: [{file: f, namespace: ai, namespaces: [ai]}]}",
            "FILE: alerts.tokens[0].namespace: unknown key",
        ),
        ("hooks: [{name: a}]", "FILE: hooks[0]: needs exactly one of url, urlFile; keep one of them"),
        (
            "hooks: [{name: a, url: 'http://p', urlFile: f}]",
            "FILE: hooks[0]: needs exactly one of url, urlFile; keep one of them",
        ),
        ("hooks: [{name: a, url: 'file:///etc/passwd'}]", "FILE: hooks[0].url: 'file:///etc/passwd' is no address"),
        (
            "hooks: [{name: a, url: 'http://p', timeout: 5m}]",
            "FILE: hooks[0].timeout: timeout: 5m is not between 100ms and 2m",
        ),
        (
            "hooks: [{name: a, url: 'http://p', bearerTokenfile: f}]",
            "FILE: hooks[0].bearerTokenfile: unknown key; did you mean bearerTokenFile?",
        ),
        (
            "hooks: [{name: a, urlFile: /nowhere/url}]",
            "FILE: hooks[0].urlFile: /nowhere/url: No such file or directory",
        ),
        (
            "hooks: [{name: a, url: 'http://p'}, {name: a, url: 'http://q'}]",
            "FILE: hooks: hooks: two are called 'a'; Rollouts name them; call one of them otherwise",
        ),
        ("notify: []", "FILE: notify: not supported by this release yet; remove it"),
        ("sources: [{name: a, url: prometheus}]", "FILE: sources[0].url: 'prometheus' is no address; write http://"),
        (
            "sources: [{name: a, url: 'http://user:word@prometheus:9090'}]",
            "FILE: sources[0].url: 'http://user:word@prometheus:9090' is no address; write http://",
        ),
        ("sources: [{name: a/b, url: 'http://p'}]", "FILE: sources[0].name: 'a/b' is no name; write letters"),
        (
            "sources: [{name: 3, url: 'http://p'}]",
            "FILE: sources[0].name: 3 is not a text; the types are compared strictly; put it in quotes",
        ),
        ("sources: {}", "FILE: sources: a mapping is not a list; the types are compared strictly; write its items"),
        ("targets: [{apiVersion: a/v1, kind: k, fields: [spec]}]", "FILE: targets[0].kind: 'k' is no kind; write one"),
        ("- a", "FILE: not a mapping of keys"),
        ("sources: [", "FILE:1: no YAML: expected the node content"),
        ("sources: !!python/object/apply:os.system ['x']", "FILE:1: no YAML: could not determine a constructor"),
        (
            "sources: [{name: a, url: 'http://p', bearerTokenFile: /nowhere/token}]",
            "FILE: sources[0].bearerTokenFile: /nowhere/token: No such file or directory",
        ),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, text: str, message: str) -> None:
    said = _read(tmp_path, text)
    assert said.startswith(message)
    assert "\n" not in said


@pytest.mark.parametrize("key", ["sources", "hooks"])
@pytest.mark.parametrize("file", ["/var/run/secrets/{}/token", "/run/secrets/{}/token", "/run/x/../secrets//{}/token"])
def test_the_pods_own_token_is_sent_nowhere(tmp_path: Path, key: str, file: str) -> None:
    named = file.format("kubernetes.io/serviceaccount")
    said = _read(tmp_path, f"{key}: [{{name: a, url: 'http://p', bearerTokenFile: {named}}}]")
    assert said.startswith(f"FILE: {key}[0].bearerTokenFile: {named} is the pod's own token")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(CommandError, match=r"--config /nowhere/x\.yaml: No such file or directory"):
        read_configuration(Path("/nowhere/x.yaml"))
