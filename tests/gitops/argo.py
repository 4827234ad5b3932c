"""Argo CD's side of a health check: a Lua 5.1, as it embeds one, that is given an object and asked for its health."""

from pathlib import Path
from typing import Any

from lupa.lua51 import LuaRuntime  # type: ignore[import-untyped]  # its stubs are another package

SCRIPT = Path(__file__).parents[2] / "docs" / "argocd-health.lua"


def health(obj: dict[str, Any], script: str | None = None) -> tuple[str, str]:
    """The status and message that Argo CD would show."""
    lua = LuaRuntime(unpack_returned_tuples=True, register_eval=False)
    # As Argo CD: no files and no processes.
    lua.execute("os, io, require, dofile, loadfile, package = nil, nil, nil, nil, nil, nil")
    lua.globals().obj = _table(lua, obj)
    answer = lua.execute(script if script is not None else SCRIPT.read_text())
    return str(answer.status), str(answer.message)


def _table(lua: Any, value: Any) -> Any:  # noqa: ANN401 - JSON into what Lua makes of it
    match value:
        case dict():
            return lua.table_from({name: _table(lua, inner) for name, inner in value.items() if inner is not None})
        case list():
            return lua.table_from([_table(lua, inner) for inner in value])
        case _:
            return value
