"""The live view on a terminal: the table or one Rollout in full, redrawn as things change and time passes."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.live import Live

from headgate.cli.kube.looking import Seen
from headgate.cli.status.detail import detail
from headgate.cli.status.overview import overview
from headgate.cli.tables import Cell, Facts, Part, Tone, rendered
from headgate.cli.watch.following import Changed, Everything, Gone, Lost, News
from headgate.engine.observation import Key, RolloutView
from headgate.engine.plan import Plan

_REDRAWS_PER_SECOND = 2.0


class Screen:
    """Draws what the news say. Another thread redraws: it only ever sees whole, unchanging snapshots."""

    def __init__(self, *, one: bool, namespaces: bool, plan_of: Callable[[RolloutView], Plan | None]) -> None:
        """``plan_of`` reads what was frozen for an attempt; it is asked once an attempt."""
        self._one = one
        self._namespaces = namespaces
        self._plan_of = plan_of
        self._shown: dict[Key, Seen] = {}
        self._plan: Plan | None = None
        self._lost = ""
        self._live = Live(get_renderable=self._draw, refresh_per_second=_REDRAWS_PER_SECOND)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def take(self, news: News) -> None:
        """Shows the news."""
        match news:
            case Everything(rollouts):
                self._shown = {rollout.view.key: rollout for rollout in rollouts}
                self._lost = ""
            case Changed(rollout):
                self._shown = {**self._shown, rollout.view.key: rollout}
                self._lost = ""
            case Gone(rollout):
                self._shown = {key: known for key, known in self._shown.items() if key != rollout.view.key}
            case Lost(reason):
                self._lost = reason
        if self._one:
            for rollout in self._shown.values():
                self._refresh_plan(rollout.view)
        self._live.refresh()

    def _refresh_plan(self, view: RolloutView) -> None:
        attempt = view.status.attempt
        if attempt is None or attempt.manifest is None:
            self._plan = None
        elif self._plan is None or self._plan.attempt != attempt.number:
            self._plan = self._plan_of(view)

    def _draw(self) -> Group:
        now, shown = datetime.now(UTC), self._shown
        views = [rollout.view for rollout in shown.values()]
        parts: list[Part] = [Facts((("Reconnecting", Cell(self._lost, Tone.BAD)),))]
        if not views:
            parts.append(Facts((("Rollouts", Cell("none", Tone.QUIET)),)))
        elif self._one:
            parts.extend(detail(views[0], now, self._plan))
        else:
            parts.append(overview(views, now, namespaces=self._namespaces))
        return rendered(parts)
