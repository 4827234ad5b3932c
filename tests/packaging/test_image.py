"""The image, as far as it can be tried without an engine that builds one: its context, and its environment."""

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment made as the Dockerfile makes it: the run lock and the wheel, nothing else."""
    place = tmp_path_factory.mktemp("image")
    environment = place / "headgate"
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    into = [*pip, "--python", str(python), "install"]
    lock = ["--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "requirements" / "run.txt")]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    subprocess.run([*into, *lock], check=True)
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(place / "dist"), str(ROOT)]
    subprocess.run(build, check=True)
    [wheel] = (place / "dist").glob("headgate-*.whl")
    subprocess.run([*into, "--no-deps", "--no-index", str(wheel)], check=True)
    return environment / "bin"


@pytest.mark.parametrize("command", [["headgate", "--help"], ["headgate", "run", "--help"], ["kubectl-headgate", "-h"]])
def test_the_operator_needs_nothing_but_the_run_lock(installed: Path, command: list[str], tmp_path: Path) -> None:
    program, *arguments = command
    shown = subprocess.run([installed / program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "Usage" in shown.stdout


def test_the_operators_own_modules_need_nothing_but_the_run_lock(installed: Path, tmp_path: Path) -> None:
    rooms = ("api", "engine", "cluster", "evidence", "delivery", "alerts", "controller")
    script = f"""
import importlib, pkgutil
for room in {rooms!r}:
    package = importlib.import_module("headgate." + room)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
"""
    tried = subprocess.run(
        [installed / "python", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert tried.returncode == 0, tried.stderr


def test_all_that_is_copied_in_is_in_the_build_context() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = [source.rstrip("*") for line in copies for source in line.split()]
    assert sources
    assert [source for source in sources if not any(fnmatch(source, pattern) for pattern in allowed)] == []


def test_the_image_runs_as_a_numeric_user_that_the_kubelet_can_see_is_not_root() -> None:
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", DOCKERFILE, re.MULTILINE)
