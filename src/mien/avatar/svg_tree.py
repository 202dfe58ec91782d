"""Parses XML from strangers: a parser that knows no entities, so that neither a bomb nor another file can come in."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Final
from xml.parsers import expat

from mien.errors import AvatarError

MAX_ELEMENTS: Final = 5_000
MAX_DEPTH: Final = 48


def parse_tree(data: bytes, name: str) -> ET.Element:
    """The tree of `data`; `name` is for messages. Raises AvatarError for entities, excess and bad form."""
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    depth = count = 0

    def tag(raw: str) -> str:
        return "{" + raw if "}" in raw else raw

    def start(raw: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            raise AvatarError(
                f"{name} has more than {MAX_ELEMENTS} elements or {MAX_DEPTH} levels. Simplify the drawing."
            )
        builder.start(tag(raw), {tag(key): value for key, value in attributes.items()})

    def end(raw: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag(raw))

    def doctype(_name: str, _system: str | None, _public: str | None, internal: int) -> None:
        if internal:
            raise AvatarError(f"{name} declares XML entities. Save it as plain SVG, without them.")

    def entity(*_: object) -> None:
        raise AvatarError(f"{name} declares XML entities. Save it as plain SVG, without them.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = doctype, entity
    parser.CharacterDataHandler = None
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, AssertionError, LookupError, UnicodeError) as error:
        raise AvatarError(
            f"{name} is not well-formed SVG ({error}). Open it in an editor and save it again."
        ) from error
