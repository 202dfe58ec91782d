"""The benchmark of a call: two windows meet, and pictures are followed from the camera to both ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from benchmarks import call, call_run, live_run, marker
from benchmarks.browser import NoBrowser
from benchmarks.live_server import ECHO
from benchmarks.material import Material

from browsers import CAMERA_SIZE, chromium, film
from conftest import moving_picture


@pytest.fixture
def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second of numbered pictures, over and over; calls are watched as soon as they are there."""
    with chromium():
        monkeypatch.setattr(call_run, "WARM", 0.2)
    pictures = [moving_picture(*CAMERA_SIZE, number).copy() for number in range(30)]
    for number, picture in enumerate(pictures):
        marker.stamp(picture, number)
    return film(tmp_path / "camera.mjpeg", pictures)


def test_pictures_are_followed_to_both_ends_of_a_call(camera: Path) -> None:
    with call_run.call(camera, ECHO) as windows:
        watching = windows.watch(2)
    assert len(watching.patient.delays) > 2
    assert watching.received > 0.5
    assert watching.arrived[:, 1].min() > watching.patient.delays[:, 1].min()
    assert watching.patient.python > 0
    assert watching.patient.browser > 0


def test_a_plain_call_needs_no_studio(camera: Path) -> None:
    with call_run.plain_call(camera) as windows:
        watching = windows.watch(2)
    assert watching.received > 0.5
    assert watching.patient.delays.shape == (0, 2)
    assert watching.patient.python == 0


def test_a_number_that_comes_again_finds_no_frame_of_long_ago() -> None:
    seen = np.array([(1, 0.0), (2, 33.0)])
    delays, unknown = live_run.matched(seen, np.array([(1, 40.0), (2, 20_100.0)]))
    assert delays[:, 1].tolist() == [40.0]
    assert unknown == 1


def _watching(delays: list[float], arrived: list[float]) -> call_run.Watching:
    here, there = (
        np.array([(n, delay) for n, delay in enumerate(them)], float).reshape(-1, 2) for them in (delays, arrived)
    )
    return call_run.Watching(live_run.Watched(1.0, here, 30.0, 5.0, 0, 40.0, 90.0), there)


def test_the_table_tells_both_ends_beside_the_plain_call(monkeypatch: pytest.MonkeyPatch, material: Material) -> None:
    taken = {
        call.PLAIN: call.Pooled([_watching([], [20.0] * 30)]),
        "alone": call.Pooled([_watching([25.0] * 30, [])]),
        "quick": call.Pooled([_watching([50.0] * 29, [80.0] * 28)]),
        "slow": call.Pooled([_watching([100.0] * 20, [160.0] * 18)]),
    }
    monkeypatch.setattr(call, "_taken", lambda *_: taken)
    rows = {row[0]: row[1:] for row in call.calls(material).rows}
    assert rows[call.PLAIN] == ("–", "–", "–", "30.0", "20", "1.0 ×", "–", "90", "–")
    assert rows["alone"] == ("30.0", "25", "25", "–", "–", "–", "40", "90", "–")
    assert rows["quick"][3:6] == ("28.0", "80", "4.0 ×")
    assert rows["quick"][-1] == "met"
    assert rows["slow"][-1] == "fps, p50, received missed"


def test_without_a_browser_the_table_says_so(
    monkeypatch: pytest.MonkeyPatch, material: Material, tmp_path: Path
) -> None:
    @contextmanager
    def missing(_: Path) -> Iterator[None]:
        raise NoBrowser("there is no Chromium on this machine")
        yield

    monkeypatch.setattr(call, "camera_clip", lambda *_: tmp_path / "camera.mjpeg")
    monkeypatch.setattr(call, "plain_call", missing)
    table = call.calls(material)
    assert table.rows[0][0] == "not measured"
    assert "no Chromium" in table.note


@pytest.fixture
def material(tmp_path: Path) -> Material:
    clip = tmp_path / "clip.mp4"
    return Material("nowhere", clip, clip, clip, (), ())
