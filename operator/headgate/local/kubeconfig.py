"""Writes kubeconfig files: everything inline, so that a file can be copied anywhere on this machine."""

import base64
from collections.abc import Mapping
from pathlib import Path

import yaml


def by_certificate(file: Path, *, server: str, authority: Path, certificate: Path, key: Path) -> None:
    """A kubeconfig for a client that shows a certificate."""
    _write(
        file,
        server,
        authority,
        {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)},
    )


def by_token(file: Path, *, server: str, authority: Path, token: str, namespace: str) -> None:
    """A kubeconfig for a client that shows a bearer token; `namespace` is its default one."""
    _write(file, server, authority, {"token": token}, namespace)


def _write(file: Path, server: str, authority: Path, user: Mapping[str, str], namespace: str = "default") -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "local", "cluster": {"server": server, "certificate-authority-data": _base64(authority)}}
        ],
        "users": [{"name": "local", "user": dict(user)}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local", "namespace": namespace}}],
        "current-context": "local",
    }
    # Whoever watches for the file must not read half of it, and it holds a secret.
    unfinished = file.with_name(f".{file.name}.new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(yaml.safe_dump(content, sort_keys=False))
    unfinished.replace(file)


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
