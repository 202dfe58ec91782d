"""Makes a command out of a function of the API: its arguments, options, defaults and help are the function's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Optional, Union, get_args, get_origin

import typer

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output, for scripts.")]
SHORT = {"output": "-o", "avatar": "-a", "size": "-s"}


def command(
    app: typer.Typer, function: Callable[..., Any], run: Callable[[Callable[..., Any], dict[str, Any], bool], None],
    *, name: str = "",
) -> None:  # fmt: skip
    """Register `function` under `name`, its own if not given. `run(function, arguments, as_json)` calls it and
    shows the result.

    An argument without a note (`Annotated[..., "help"]`) is for programs only and becomes no option.
    """

    def called(as_json: bool, **arguments: Any) -> None:
        run(function, arguments, as_json)

    noted = [p for p in inspect.signature(function).parameters.values() if p.name in _notes(function)]
    parameters = [_parameter(p, function.__annotations__[p.name]) for p in noted]
    parameters.append(inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JSON))
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    app.command(name or function.__name__, help=inspect.getdoc(function))(called)


def _notes(function: Callable[..., Any]) -> set[str]:
    return {name for name, hint in function.__annotations__.items() if hasattr(hint, "__metadata__")}


def _parameter(parameter: inspect.Parameter, hint: Any) -> inspect.Parameter:
    """`readable=False`: the function itself says, with an exit code of its own, that a file may not be read."""
    kind, note, *more = get_args(hint)
    if more:
        parameter = parameter.replace(default=more[0].default)
    required = parameter.default is inspect.Parameter.empty
    if required:
        note = typer.Argument(help=note, metavar=parameter.name.upper(), show_default=False, readable=False)
    else:
        name = "--" + parameter.name.replace("_", "-")
        names = [f"{name}/--no-{parameter.name}"] if parameter.default is True else [name]
        short = [SHORT[parameter.name]] if parameter.name in SHORT else []
        note = typer.Option(*names, *short, help=note, readable=False)
    return parameter.replace(annotation=Annotated[_plain(kind), note], kind=inspect.Parameter.KEYWORD_ONLY)


def _plain(kind: Any) -> Any:
    """The type as the command line parses it: the first of several, or nothing where that may be; a list of many."""
    if get_origin(kind) is Sequence:
        return list[_plain(*get_args(kind))]  # type: ignore[misc]
    if get_origin(kind) not in (Union, UnionType):
        return kind
    first, *_ = kinds = get_args(kind)
    return Optional[first] if NoneType in kinds else first  # noqa: UP045
