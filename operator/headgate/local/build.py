"""Builds a program from its recipe into the user's cache: once, visibly, and whole or not at all."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from headgate.local import cache, toolchain
from headgate.local.errors import LocalError
from headgate.local.progress import Progress
from headgate.local.recipes import Recipe
from headgate.local.toolchain import Toolchain


def cached(recipe: Recipe, go: Toolchain | None) -> Path | None:
    """The program as it was built before, by this toolchain, or by any one when `go` is None."""
    kept = cache.directory() / recipe.name
    entries = sorted(kept.glob(f"{recipe.digest()}-*")) if go is None else [kept / _key(recipe, go)]
    programs = (entry / recipe.name for entry in entries)
    return next((program for program in programs if os.access(program, os.X_OK)), None)


def build(recipe: Recipe, go: Toolchain) -> Path:
    """The program, built now unless another process just did.

    Raises:
        LocalError: Go could not build it; the message names the log.
    """
    kept = cache.directory() / recipe.name
    progress = Progress(f"building {recipe.name} (once)")
    with cache.locked(kept / ".lock", on_wait=lambda: progress.note("another process builds it, waiting")):
        found = cached(recipe, go)
        if found is not None:
            return found
        for abandoned in kept.glob(".building-*"):  # by a builder that was killed: this process holds the lock
            shutil.rmtree(abandoned, ignore_errors=True)
        # Beside its last place, so that the rename below is atomic.
        workplace = Path(tempfile.mkdtemp(prefix=".building-", dir=kept))
        try:
            _compile(recipe, go, workplace, kept / "build.log", progress)
            # mkdtemp's directory is for its owner alone, as a cache of programs should be.
            workplace.rename(kept / _key(recipe, go))
        finally:
            shutil.rmtree(workplace, ignore_errors=True)
    found = cached(recipe, go)
    if found is None:
        raise LocalError(f"go build made no {recipe.name}: see {kept / 'build.log'}")
    return found


def build_or_reuse(recipe: Recipe) -> Path:
    """The cached program, else a fresh build; where no Go is installed any more, an earlier build will do.

    Raises:
        LocalError: there is neither a cached program nor a toolchain, or the build fails.
    """
    try:
        go = toolchain.find()
    except LocalError:
        found = cached(recipe, None)
        if found is None:
            raise
        return found
    return cached(recipe, go) or build(recipe, go)


def _key(recipe: Recipe, go: Toolchain) -> str:
    return f"{recipe.digest()}-go{go.version}-{go.platform.replace('/', '-')}"


def _compile(recipe: Recipe, go: Toolchain, workplace: Path, log: Path, progress: Progress) -> None:
    listing = ["list", "-deps", "-f", "{{.ImportPath}}", f"-tags={recipe.tags}", recipe.package]
    packages = workplace / "packages"
    log.write_text("")
    _run(recipe, go, listing, output=packages, log=log, progress=progress)
    progress.total = len(packages.read_text().splitlines())
    packages.unlink()
    building = ["build", "-v", "-o", str(workplace / recipe.name), *recipe.arguments()]
    _run(recipe, go, building, output=log, log=log, progress=progress)
    progress.finish("done")


def _run(recipe: Recipe, go: Toolchain, arguments: list[str], *, output: Path, log: Path, progress: Progress) -> None:
    """Run `go`, its stderr into the log, and follow that log."""
    with output.open("a") as stdout, log.open("a") as stderr, log.open() as said:
        said.seek(0, os.SEEK_END)
        with subprocess.Popen(
            [go.go, *arguments],
            cwd=recipe.directory,
            env=go.environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        ) as process:
            try:
                while process.poll() is None:
                    progress.follow(said)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(timeout=0.2)
            except BaseException:
                process.terminate()
                raise
    if process.returncode != 0:
        progress.finish("failed")
        lines = [line for line in log.read_text(errors="replace").splitlines() if line]
        reason = lines[-1] if lines else f"exit status {process.returncode}"
        raise LocalError(f"go {arguments[0]} for {recipe.name} failed: {reason} (whole output: {log})")
