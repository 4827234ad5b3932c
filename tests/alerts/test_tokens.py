"""Who is let in, and to which namespaces."""

import time
from pathlib import Path

import pytest

from headgate.alerts.tokens import Tokens
from headgate.api.configuration import AlertToken

OLD, NEW = "the-old-token-0123456789", "the-new-token-0123456789"


def tokens(directory: Path, **files: tuple[str | bytes, list[str]]) -> Tokens:
    bound = []
    for name, (content, namespaces) in files.items():
        (directory / name).write_bytes(content.encode() if isinstance(content, str) else content)
        bound.append(AlertToken(file=str(directory / name), namespaces=namespaces))
    return Tokens(bound)


def test_a_token_opens_the_namespaces_that_it_is_bound_to(tmp_path: Path) -> None:
    known = tokens(tmp_path, a=(f"{OLD}\n", ["ai", "ml"]), b=(NEW, ["shop"]))
    assert known.namespaces(f"Bearer {OLD}") == {"ai", "ml"}
    assert known.namespaces(f"bearer  {NEW} ") == {"shop"}


def test_two_tokens_are_good_at_once_and_a_replaced_one_no_more(tmp_path: Path) -> None:
    known = tokens(tmp_path, a=(OLD, ["ai"]), b=(NEW, ["ai"]))
    assert known.namespaces(f"Bearer {OLD}") == known.namespaces(f"Bearer {NEW}") == {"ai"}
    (tmp_path / "a").write_text(NEW)
    assert known.namespaces(f"Bearer {OLD}") == frozenset()
    (tmp_path / "a").unlink()
    assert known.namespaces(f"Bearer {NEW}") == {"ai"}


def test_files_that_did_not_change_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = tokens(tmp_path, a=(OLD, ["ai"]), b=(NEW, ["ml"]))
    later = time.time() + 60.0
    monkeypatch.setattr(time, "time", lambda: later)
    assert known.namespaces(f"Bearer {OLD}") == {"ai"}
    with monkeypatch.context() as unread:
        unread.setattr(Path, "open", lambda *_: pytest.fail("a stranger made it read a file"))
        assert known.namespaces("Bearer of-nobody-at-all") == frozenset()
        assert known.namespaces(f"Bearer {NEW}") == {"ml"}


def test_a_token_that_was_replaced_by_one_as_long_within_the_same_moment_counts_at_once(tmp_path: Path) -> None:
    known = tokens(tmp_path, a=(OLD, ["ai"]))
    for token, replaced in [(NEW, OLD), (OLD, NEW)] * 50:
        (tmp_path / "a").write_text(token)
        assert known.namespaces(f"Bearer {token}") == {"ai"}
        assert known.namespaces(f"Bearer {replaced}") == frozenset()


def test_a_mounted_secret_that_is_rotated_by_its_link_counts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, token in (("old", OLD), ("new", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(token)
    (tmp_path / "data").symlink_to("old")
    known = Tokens([AlertToken(file=str(tmp_path / "data" / "token"), namespaces=["ai"])])
    later = time.time() + 60.0
    monkeypatch.setattr(time, "time", lambda: later)
    assert known.namespaces(f"Bearer {OLD}") == {"ai"}
    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").rename(tmp_path / "data")
    assert known.namespaces(f"Bearer {NEW}") == {"ai"}
    assert known.namespaces(f"Bearer {OLD}") == frozenset()


@pytest.mark.parametrize("content", ["", "\n", "short", " " * 40, "x" * 5000])
def test_a_file_without_a_token_of_use_lets_nobody_in(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    known = tokens(tmp_path, a=(content, ["ai"]))
    for presented in ("Bearer ", f"Bearer {content}", "Bearer", "", None):
        assert known.namespaces(presented) == frozenset()
    # Told once, not at each post.
    assert len(caplog.records) == 1
    assert "nobody is let in" in caplog.text


def test_a_missing_file_lets_nobody_in(tmp_path: Path) -> None:
    known = Tokens([AlertToken(file=str(tmp_path / "nowhere"), namespaces=["ai"])])
    assert known.namespaces("Bearer ") == frozenset()


@pytest.mark.parametrize("header", [OLD, f"Basic {OLD}", f"Bearer{OLD}", f"Token {OLD}", "Bearer \udcff"])
def test_anything_but_a_bearer_token_is_nobodys(tmp_path: Path, header: str) -> None:
    assert tokens(tmp_path, a=(OLD, ["ai"])).namespaces(header) == frozenset()


@pytest.mark.parametrize("namespaces", [[], ["*"], [""], ["Ai"], ["a/b"]])
def test_a_token_is_always_bound_to_namespaces(namespaces: list[str]) -> None:
    with pytest.raises(ValueError, match="namespaces"):
        AlertToken(file="f", namespaces=namespaces)
