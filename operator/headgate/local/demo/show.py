"""Shows the scene while it changes: drawn again and again on a terminal, line by line elsewhere."""

import asyncio

from rich.console import Console, RenderableType
from rich.live import Live

from headgate.local.demo.plain import PlainLog
from headgate.local.demo.scene import Scene
from headgate.local.demo.view import picture

_REDRAW_PERIOD = 0.2


async def show(console: Console, scene: Scene, deadline: float) -> None:
    """Show it until cancelled; what came last is shown, too. `deadline` is in seconds since the demo began."""
    if console.is_terminal:
        await _draw(console, scene, deadline)
    else:
        await _log(console, scene)


async def _draw(console: Console, scene: Scene, deadline: float) -> None:
    # Drawn by this task alone: rich's own refreshing thread would read the scene while it changes.
    def now() -> RenderableType:
        return picture(scene, deadline, console.height)

    with Live(now(), console=console, auto_refresh=False) as live:
        try:
            while True:
                await asyncio.sleep(_REDRAW_PERIOD)
                live.update(now(), refresh=True)
        finally:
            live.update(now(), refresh=True)


async def _log(console: Console, scene: Scene) -> None:
    log = PlainLog(scene)
    try:
        while True:
            _write(console, log)
            await asyncio.sleep(_REDRAW_PERIOD)
    finally:
        _write(console, log)


def _write(console: Console, log: PlainLog) -> None:
    for line in log.news():
        console.print(line, markup=False, highlight=False, soft_wrap=True)
