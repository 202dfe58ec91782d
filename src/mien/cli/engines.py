"""`mien engines`: what can move an avatar."""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli import show


def engines(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Show every engine: what it takes, what it sees of the driver, where it is best."""
    from mien.engine import registry

    found = [registry.get(name) for name in registry.names()]
    rows = [{"name": e.name, "takes": list(e.takes), "needs": e.needs, "summary": e.summary} for e in found]
    if as_json:
        show.print_json(rows)
    else:
        show.table(
            ("engine", "takes", "sees", "summary"), [(e.name, ", ".join(e.takes), e.needs, e.summary) for e in found]
        )
