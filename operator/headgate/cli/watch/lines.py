"""One line for each change, where the output is no terminal: for logs and for programs."""

import json
from datetime import UTC, datetime

from headgate.api.conditions import rfc3339
from headgate.cli.kube.looking import Seen
from headgate.cli.options import Output
from headgate.cli.printing import note
from headgate.cli.safe_text import one_line
from headgate.cli.status.machine import machine
from headgate.cli.status.overview import candidate_of, phase_cell, step_of
from headgate.cli.waiting import waiting_for
from headgate.cli.watch.following import Changed, Everything, Gone, Lost, News
from headgate.engine.observation import Key, RolloutView


class Lines:
    """Prints what changed; what did not change for a reader is left out."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._said: dict[Key, str] = {}

    def take(self, news: News) -> None:
        """Prints the lines that follow from the news."""
        match news:
            case Everything(rollouts):
                for rollout in rollouts:
                    self._changed(rollout)
                for key in self._said.keys() - {rollout.view.key for rollout in rollouts}:
                    self._gone(key)
            case Changed(rollout):
                self._changed(rollout)
            case Gone(rollout):
                self._gone(rollout.view.key)
            case Lost(reason):
                note(f"reconnecting: {one_line(reason)}")

    def _changed(self, rollout: Seen) -> None:
        now = datetime.now(UTC)
        words, attempt = _words(rollout.view), rollout.view.status.attempt
        said = f"{words} {attempt.reason if attempt is not None else ''}"
        if self._said.get(rollout.view.key) == said:
            return
        self._said[rollout.view.key] = said
        if self._output is Output.JSON:
            print(json.dumps({"type": "Changed", "at": rfc3339(now), **machine(rollout, now)}), flush=True)
        else:
            waits = waiting_for(rollout.view, now)
            print(one_line(f"{rfc3339(now)} {words}{f'; waiting for {waits}' if waits else ''}"), flush=True)

    def _gone(self, key: Key) -> None:
        self._said.pop(key, None)
        at = rfc3339(datetime.now(UTC))
        if self._output is Output.JSON:
            gone = {"type": "Gone", "at": at, "namespace": key.namespace, "name": key.name}
            print(json.dumps(gone), flush=True)
        else:
            print(f"{at} {key} was deleted", flush=True)


def _words(view: RolloutView) -> str:
    """What a reader would call a change, without anything that counts down."""
    status, attempt = view.status, view.status.attempt
    step, tried = step_of(view), candidate_of(view)
    parts = [str(view.key), phase_cell(view).text, f"{status.weight}%"]
    if step:
        parts.append(f"step {step}")
    parts.append(f"stable {status.stable.version if status.stable is not None else '-'}")
    if tried:
        parts.append(f"candidate {tried}")
    if attempt is not None and attempt.outcome is not None and attempt.reason:
        parts.append(f"because {attempt.reason}")
    return " ".join(parts)
