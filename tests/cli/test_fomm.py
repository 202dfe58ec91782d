"""The First Order Motion Model's spelling."""

from __future__ import annotations

import pytest

from mien.cli.fomm import translate


def test_named_inputs_become_arguments_in_mien_s_order() -> None:
    given = ["animate", "--driving_video", "d.mp4", "--source_image=s.png", "--result_video", "r.mp4"]
    assert translate(given) == (["animate", "s.png", "d.mp4", "--output", "r.mp4"], [])


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["--audio"], ["--audio", "keep"]),
        (["--audio", "drop"], ["--audio", "drop"]),
        (["--audio=drop"], ["--audio", "drop"]),
        (["--audio", "--csv"], ["--audio", "keep", "--csv"]),
        (["--best_frame", "12"], ["--neutral", "frame:12"]),
        (["--size=64"], ["--size=64"]),
    ],
)
def test_options_with_a_meaning_keep_it(given: list[str], meant: list[str]) -> None:
    assert translate(["animate", "s", "d", *given]) == (["animate", "s", "d", *meant], [])


@pytest.mark.parametrize("flag", ["--relative", "--adapt_scale", "--find_best_frame", "--cpu"])
def test_flags_that_change_nothing_say_why(flag: str) -> None:
    arguments, notes = translate(["animate", "s", flag, "d"])
    assert arguments == ["animate", "s", "d"]
    assert len(notes) == 1
    assert notes[0].startswith(f"{flag}: ")


def test_other_commands_are_left_alone() -> None:
    given = ["anonymize", "clip.mp4", "--relative", "--audio", "drop"]
    assert translate(given) == (given, [])
    assert translate([]) == ([], [])
