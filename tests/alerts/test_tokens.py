"""Who is let in, and to which namespaces."""

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
