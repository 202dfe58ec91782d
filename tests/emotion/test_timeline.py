"""The record: what goes in comes out, in the documented columns, and stays small."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from emotion.synthetic import emotion, face, frame, smiling, timeline
from mien.emotion.timeline import COLUMNS, Timeline
from mien.errors import OutputError
from mien.types import COEFFICIENTS, EMOTIONS


def two_people() -> Timeline:
    record = Timeline()
    record.add(frame(0, 0.0), [])
    record.add(frame(1, 0.04), [face(smiling(0.5), yaw=10, pitch=-5, gaze=(3, -4))], [emotion(happy=0.75)])
    record.add(frame(2, 0.0812345), [face(number=0), face(number=4)], [emotion(), None])
    return record


def test_columns_are_exactly_those_documented(tmp_path: Path) -> None:
    expected = [
        "time_s", "frame", "face", "box_x0", "box_y0", "box_x1", "box_y1", "confidence", *EMOTIONS, *COEFFICIENTS,
        "yaw_deg", "pitch_deg", "roll_deg", "gaze_x_deg", "gaze_y_deg",
    ]  # fmt: skip
    two_people().write_csv(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == expected == list(COLUMNS) == list(two_people().to_frame().columns)
    assert len(rows) == 3


def test_csv_holds_what_was_measured(tmp_path: Path) -> None:
    two_people().write_csv(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        first, second, third = csv.DictReader(file)
    assert (first["time_s"], first["frame"], first["face"]) == ("0.04", "1", "0")
    assert (first["happy"], first["neutral"], first["mouthSmileLeft"]) == ("0.75", "0.25", "0.5")
    assert (first["yaw_deg"], first["pitch_deg"], first["gaze_x_deg"], first["gaze_y_deg"]) == (
        "10.0",
        "-5.0",
        "3.0",
        "-4.0",
    )
    assert (first["box_x0"], first["box_y1"], first["confidence"]) == ("10.0", "140.0", "0.98")
    assert second["time_s"] == "0.0812"
    assert (third["face"], third["happy"]) == ("4", "")


def test_table_is_a_pandas_frame() -> None:
    table = two_people().to_frame()
    assert table["face"].dtype == np.int64
    assert table["happy"].dtype == np.float32
    assert table.groupby("face")["frame"].count().to_dict() == {0: 2, 4: 1}


def test_coverage_counts_frames_without_a_face() -> None:
    record = two_people()
    assert (record.frames_total, record.frames_with_face, len(record)) == (3, 2, 3)
    assert record.coverage == pytest.approx(2 / 3)
    assert record.faces == [0, 4]


def test_a_track_holds_one_face_only() -> None:
    track = two_people().track(0)
    assert track.frame.tolist() == [1, 2]
    assert track.pose[0] == pytest.approx([10, -5, 0], abs=1e-4)
    assert track.coefficients.shape == (2, 52)
    assert len(two_people().track(99).time) == 0


def test_emotions_must_match_the_faces() -> None:
    with pytest.raises(ValueError):
        Timeline().add(frame(0, 0.0), [face()], [emotion(), emotion()])


def test_summary_is_strict_json(tmp_path: Path) -> None:
    two_people().write_json(tmp_path / "t.json")
    summary = json.loads((tmp_path / "t.json").read_text(), parse_constant=lambda word: pytest.fail(word))
    assert summary["coverage"] == pytest.approx(0.6667)
    assert [f["face"] for f in summary["faces"]] == [0, 4]
    assert summary["faces"][0]["emotion_mean"]["happy"] == pytest.approx(0.375)
    assert summary["faces"][1]["emotion_mean"] is None
    assert "too little data" in summary["faces"][0]["dynamics"]["blink_rate"]["reason"]


def test_an_empty_clip_is_no_error(tmp_path: Path) -> None:
    empty = Timeline()
    assert (empty.coverage, empty.duration, empty.faces) == (0, 0, [])
    assert list(empty.to_frame().columns) == list(COLUMNS)
    empty.write_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().strip().split(",") == list(COLUMNS)
    assert empty.summary()["faces"] == []
    assert "not a diagnosis" in empty.summary()["caution"]


def test_duration_counts_the_last_frame() -> None:
    assert timeline([0, 0.5, 1.0], lambda t: None).duration == pytest.approx(1.5)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        two_people().write_csv(tmp_path / "no" / "such" / "folder.csv")
    assert list(tmp_path.iterdir()) == []


def test_memory_stays_small() -> None:
    """Measured as bytes of the arrays handed out: under 340 a row, 37 MB for an hour at 30 fps."""
    record = timeline([i / 30 for i in range(3000)], lambda t: face())
    track = record.track(0)
    stored = sum(getattr(track, name).nbytes for name in ("time", "frame", "box", "confidence", "emotions"))
    stored += track.coefficients.nbytes + track.pose.nbytes + track.gaze.nbytes
    assert stored / 3000 < 340
