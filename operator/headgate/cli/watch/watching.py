"""Follows Rollouts until Ctrl-C, or until the end of an attempt."""

import sys
import time
from collections.abc import Callable, Iterator

from headgate.cli.course import is_in_flight
from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.kube.connection import Connection, connect
from headgate.cli.kube.looking import look, plan_of
from headgate.cli.kube.target import Target
from headgate.cli.options import Output
from headgate.cli.safe_text import one_line
from headgate.cli.watch.ending import End, end_of
from headgate.cli.watch.following import Changed, Everything, Gone, News, follow
from headgate.cli.watch.lines import Lines


def watch(target: Target, name: str | None, output: Output, *, everywhere: bool, until_end: bool) -> ExitStatus:
    """Shows what happens. Ends with Ctrl-C (OK) or, with ``until_end``, as the attempt does.

    Raises NotFound when the named Rollout is not there, and CommandError when it is deleted before the end.
    """
    with connect(target) as connection:
        if name is not None:
            look(connection, name)
        namespace = None if everywhere else connection.namespace
        news = follow(connection.rollouts, namespace, name, time.sleep)
        try:
            end = _show(connection, news, output, one=name is not None, everywhere=everywhere, until_end=until_end)
        except KeyboardInterrupt:
            return ExitStatus.OK
    if output is Output.TEXT:
        print(one_line(end.says))
    return end.status


def _show(
    connection: Connection, news: Iterator[News], output: Output, *, one: bool, everywhere: bool, until_end: bool
) -> End:
    if output is Output.TEXT and sys.stdout.isatty():
        from headgate.cli.watch.live import Screen

        with Screen(one=one, namespaces=everywhere, plan_of=lambda view: plan_of(connection, view)) as screen:
            return _until(news, screen.take, until_end=until_end)
    return _until(news, Lines(output).take, until_end=until_end)


def _until(news: Iterator[News], take: Callable[[News], None], *, until_end: bool) -> End:
    """Hands the news on until the attempt that is watched has ended."""
    watched: int | None = None
    for each in news:
        take(each)
        if not until_end:
            continue
        match each:
            case Everything(()):
                raise CommandError("the rollout was deleted before the end")
            case Gone(rollout):
                raise CommandError(f"{rollout.view.key}: was deleted before the end")
            case Everything((rollout, *_)) | Changed(rollout):
                if (end := end_of(rollout.view, watched)) is not None:
                    return end
                attempt = rollout.view.status.attempt
                if attempt is not None and is_in_flight(attempt):
                    watched = attempt.number
            case _:
                continue
    raise AssertionError("the news never end")
