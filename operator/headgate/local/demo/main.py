"""`headgate demo`: sets the stage, has the story told and shown, and leaves nothing behind."""

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from headgate.local.binaries import binary
from headgate.local.demo import example, performance, summary
from headgate.local.demo.example import Example
from headgate.local.demo.interruption import Interruption
from headgate.local.demo.scene import Scene
from headgate.local.demo.stage import set_up
from headgate.local.errors import LocalError

DEFAULT_SECONDS_PER_STEP = 5

_INTERRUPTED = 130
_LOG_WIDTH = 140
_LAST_LINES = 5
_PROGRAMS = ("etcd", "kube-apiserver", "prometheus")


def run(seconds_per_step: int = DEFAULT_SECONDS_PER_STEP) -> int:
    """The whole demo, with steps of so many seconds. Returns the exit status.

    0: the good release reached everybody and the bad one was taken back. 1: one of them did not, or something could not
    be started. 130: interrupted.
    """
    console = Console()
    if not console.is_terminal:
        # A log has no width to keep to.
        console = Console(width=_LOG_WIDTH)
    try:
        with Interruption() as interruption:
            documents = example.load(seconds_per_step)
            for name in _PROGRAMS:
                binary(name)
            _perform(documents, console, interruption, deadline(seconds_per_step))
    except LocalError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; everything that was started has ended.")
        return _INTERRUPTED
    return 0


def deadline(seconds_per_step: int) -> float:
    """Seconds after which the demo gives up; a build comes before."""
    return 60.0 + 11.0 * seconds_per_step


def _perform(documents: Example, console: Console, interruption: Interruption, deadline: float) -> None:
    scene = Scene()
    with ExitStack() as everything:
        # A program that was killed may still have been writing.
        directory = tempfile.TemporaryDirectory(prefix="headgate-demo-", ignore_cleanup_errors=True)
        place = Path(everything.enter_context(directory))
        console.print("Starting etcd, kube-apiserver and Prometheus ...")
        try:
            stage = set_up(place, everything)
            told = asyncio.run(
                performance.perform(
                    stage, documents, scene, console=console, deadline=deadline, interruption=interruption
                )
            )
            console.print(summary.summary(scene, told, stage.control_plane.audit_log))
        except asyncio.CancelledError:
            # This is how an interruption ends an event loop.
            raise KeyboardInterrupt from None
        except LocalError:
            _save_last_words(place / "logs" / "operator.log")
            raise
        finally:
            interruption.disregard()


def _save_last_words(log: Path) -> None:
    """Show what the operator said last: its log goes with everything else."""
    if log.exists():
        lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        sys.stderr.write("\n".join([f"The last {len(lines)} lines of the operator's log:", *lines, ""]))
