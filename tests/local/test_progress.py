"""A long build is seen to go on, on a terminal and in a log."""

import io

from headgate.local.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_whole_lines_with_counts() -> None:
    out = io.StringIO()
    progress = Progress("building etcd", out=out)
    progress.follow(io.StringIO("go: downloading go.etcd.io/raft/v3 v3.6.0\n"))
    progress.finish("done")
    assert out.getvalue() == "building etcd: 1 modules downloaded, 0:00 min\nbuilding etcd: done after 0:00 min\n"


def test_a_log_is_not_flooded() -> None:
    out = io.StringIO()
    progress = Progress("building etcd", total=900, out=out)
    for _ in range(50):
        progress.follow(io.StringIO("go.etcd.io/raft/v3\ngolang.org/x/net/http2\n"))
    assert out.getvalue() == "building etcd: 2 of at most 900 packages compiled, 0:00 min\n"
    assert progress.compiled == 100


def test_a_terminal_keeps_one_line() -> None:
    out = Terminal()
    progress = Progress("building etcd", total=900, out=out)
    progress.follow(io.StringIO("go.etcd.io/raft/v3\n"))
    progress.finish("done")
    assert out.getvalue().count("\n") == 1
    first, last = out.getvalue().removeprefix("\r").split("\r")
    assert len(last.rstrip("\n")) == len(first)
