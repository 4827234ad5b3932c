"""make: the targets that a newcomer is promised, and one clear line on a machine where it cannot work."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_alone_shows_what_there_is() -> None:
    shown = make()
    assert shown.returncode == 0
    for target in ("demo", "test", "lint", "crds", "bench", "help"):
        assert f"  make {target} " in shown.stdout


def test_without_a_fitting_python_it_says_so_in_one_line_and_makes_nothing(tmp_path: Path) -> None:
    tried = make("venv", f"VENV={tmp_path / 'venv'}", "PYTHON=")
    assert tried.returncode != 0
    said = [line for line in tried.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert "needs Python >= 3.11" in said[0]
    assert not (tmp_path / "venv").exists()
