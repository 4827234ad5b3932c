"""An installed program is taken when it is new enough."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headgate.local import binaries
from headgate.local.binaries import binary
from headgate.local.errors import LocalError
from headgate.local.recipes import Recipe

Install = Callable[[str, str, str], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a program that only tells its version; nothing else is installed, and building is told by a path."""
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def built(recipe: Recipe) -> Path:
        return Path("/built") / recipe.name

    monkeypatch.setattr(binaries, "build_or_reuse", built)

    def put(directory: str, name: str, says: str) -> Path:
        program = tmp_path / directory / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{says}'\n")
        program.chmod(0o755)
        return program

    return put


def test_the_assets_come_first(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install("bin", "etcd", "etcd Version: 3.6.8")
    asset = install("assets", "etcd", "etcd Version: 3.6.1")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    assert binary("etcd") == asset


def test_an_asset_that_is_too_old_is_an_error(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("assets", "kube-apiserver", "Kubernetes v1.21.4")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    with pytest.raises(
        LocalError, match=r"kube-apiserver is older than 1\.32: update it, or unset KUBEBUILDER_ASSETS$"
    ):
        binary("kube-apiserver")


def test_what_the_assets_lack_is_found_on_the_path(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    prometheus = install("bin", "prometheus", "prometheus, version 3.14.0 (branch: HEAD)")
    assert binary("prometheus") == prometheus


@pytest.mark.parametrize("says", ["Kubernetes v1.30.2", "no version at all"])
def test_one_on_the_path_that_will_not_do_is_passed_over(install: Install, says: str) -> None:
    install("bin", "kube-apiserver", says)
    assert binary("kube-apiserver") == Path("/built/kube-apiserver")


def test_what_is_nowhere_is_built(install: Install) -> None:
    install("bin", "something-else", "1.2.3")
    assert binary("etcd") == Path("/built/etcd")


def test_an_unknown_program_is_told_with_the_known_ones() -> None:
    with pytest.raises(LocalError, match=r"^no program 'kubelet' is known here: choose one of etcd, kube-apiserver"):
        binary("kubelet")
