"""Lets `mien animate` be called the way the First Order Motion Model's demo is."""

from __future__ import annotations

from typing import Final

_RENAMED: Final = {"--source_image": "source", "--driving_video": "driving", "--result_video": "--output"}
_SAID: Final = {
    "--relative": "motion is always taken relative to the driver's own resting face",
    "--adapt_scale": "motion is always scaled to the size of the avatar's face",
    "--find_best_frame": "no frame has to be found: the driver's resting face is estimated all along (see --neutral)",
    "--cpu": "mien always runs on the CPU",
}
_AUDIO: Final = ("keep", "drop")


def translate(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Command-line arguments in mien's own spelling, and a line for each flag that has nothing to do here.

    `--best_frame N` becomes `--neutral frame:N`, a bare `--audio` becomes `--audio keep`. Arguments of other commands
    pass through.
    """
    if arguments[:1] != ["animate"]:
        return arguments, []
    rest = [part for argument in arguments[1:] for part in _split(argument)]
    named: dict[str, str] = {}
    kept: list[str] = []
    notes: list[str] = []
    while rest:
        argument = rest.pop(0)
        if argument in _SAID:
            notes.append(f"{argument}: {_SAID[argument]}")
        elif argument in _RENAMED and rest:
            place = _RENAMED[argument]
            if place.startswith("--"):
                kept += [place, rest.pop(0)]
            else:
                named[place] = rest.pop(0)
        elif argument == "--best_frame" and rest:
            kept += ["--neutral", f"frame:{rest.pop(0)}"]
        elif argument == "--audio" and rest[:1] not in [[value] for value in _AUDIO]:
            kept += ["--audio", "keep"]
        else:
            kept.append(argument)
    first = [named[place] for place in ("source", "driving") if place in named]
    return ["animate", *first, *kept], notes


def _split(argument: str) -> list[str]:
    """`--source_image=x` as two."""
    name, equals, value = argument.partition("=")
    return [name, value] if equals and name in (*_RENAMED, "--best_frame", "--audio") else [argument]
