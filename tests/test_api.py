"""The same from Python: names, options, what is left when a run is broken off."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import mien
import performers
from mien.media.images import write_image
from mien.media.reader import VideoReader
from mien.types import EMOTIONS


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    performers.needs_face_model()
    return performers.clip(tmp_path_factory.mktemp("api") / "visit.mp4", performers.swaying(16))


def test_every_public_name_is_there() -> None:
    for name in mien.__all__:
        assert getattr(mien, name) is not None
    assert set(mien.__all__) <= set(dir(mien))
    with pytest.raises(AttributeError, match="nothing_like_it"):
        mien.nothing_like_it  # noqa: B018


def test_options_are_keywords_with_notes() -> None:
    parameters = inspect.signature(mien.anonymize).parameters
    assert next(iter(parameters)) == "clip"
    assert {"avatar", "scene", "output", "audio", "report"} <= set(parameters)
    assert parameters["avatar"].kind is inspect.Parameter.KEYWORD_ONLY
    with pytest.raises(TypeError, match="avatr"):
        mien.anonymize("clip.mp4", avatr="maya")  # type: ignore[call-arg]


def test_outcome_and_timeline(visit: Path, tmp_path: Path) -> None:
    done = mien.anonymize(str(visit), output=str(tmp_path / "out.mp4"), size=64)
    table = done.timeline.to_frame()
    assert done.frames == len(table) == 16
    assert done.coverage == 1.0
    assert (table["confidence"] > 0.5).all()
    assert done.output == tmp_path / "out.mp4"
    assert done.to_dict()["output"] == str(tmp_path / "out.mp4")


def test_a_scene_can_be_given_by_name(visit: Path, tmp_path: Path) -> None:
    alone = mien.anonymize(visit, output=tmp_path / "out.mp4", size=64, scene="avatar")  # type: ignore[arg-type]
    assert alone.scene == "avatar"
    with VideoReader(alone.output) as video:  # type: ignore[arg-type]
        assert video.size == (64, 64), "the avatar alone, and nothing of the room"
    with pytest.raises(mien.InputError, match=r"no scene 'blur'.*'avatar' or 'paste'"):
        mien.anonymize(visit, output=tmp_path / "none.mp4", scene="blur")  # type: ignore[arg-type]


def test_making_a_picture_ready_tells_how_far_it_is_and_can_be_cancelled(visit: Path, tmp_path: Path) -> None:
    from mien.engine import mesh

    portrait = tmp_path / "portrait.png"
    write_image(portrait, performers.portrait())
    told: list[mien.Progress] = []
    mesh.forget()
    mien.anonymize(visit, avatar=portrait, output=tmp_path / "out.mp4", size=96, on_progress=told.append)
    shares = [at.preparing for at in told]
    assert shares == sorted(shares)
    before = [at for at in told if at.preparing < 1]
    assert len(before) > 20
    assert not any(at.frames for at in before)
    assert told[-1].frames == 16

    class EnoughError(Exception):
        pass

    def enough(progress: mien.Progress) -> None:
        if progress.preparing > 0.5:
            raise EnoughError

    mesh.forget()
    with pytest.raises(EnoughError):
        mien.anonymize(visit, avatar=portrait, output=tmp_path / "again.mp4", size=96, on_progress=enough)
    assert not (tmp_path / "again.mp4").exists()


def test_time_stamps_are_those_of_the_input(tmp_path: Path) -> None:
    performers.needs_face_model()
    stamps = [0, 1, 2, 5, 9, 10, 14, 20]
    clip = performers.clip(tmp_path / "uneven.mp4", performers.swaying(len(stamps)), pts=stamps)
    mien.anonymize(clip, output=tmp_path / "out.mp4", size=64)
    with VideoReader(clip) as before, VideoReader(tmp_path / "out.mp4") as after:
        assert [f.time for f in after] == pytest.approx([f.time for f in before], abs=1e-4)


def test_a_callback_that_raises_ends_the_run_and_leaves_nothing(visit: Path, tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def enough(progress: mien.Progress) -> None:
        if progress.frames == 4:
            raise EnoughError

    with pytest.raises(EnoughError):
        mien.anonymize(visit, output=tmp_path / "out.mp4", size=64, report=True, on_progress=enough)
    assert not list(tmp_path.iterdir())


def test_the_neutral_face_can_be_chosen(tmp_path: Path) -> None:
    """Against its own first frame a still face does nothing; the choice reaches the avatar's picture."""
    performers.needs_face_model()
    clip = performers.clip(tmp_path / "still.mp4", [performers.portrait()] * 8)
    pictures = {}
    for neutral in ("auto", "first", "0.2", "frame:5"):
        mien.anonymize(clip, output=tmp_path / "out.mp4", size=128, neutral=neutral)
        with VideoReader(tmp_path / "out.mp4") as video:
            pictures[neutral] = [frame.image for frame in video][-1].astype(int)

    def apart(one: str, other: str) -> float:
        return float(np.abs(pictures[one] - pictures[other])[70:100, 40:90].mean())  # around the mouth

    smile_taken_for_rest = apart("first", "auto")
    assert smile_taken_for_rest > 4
    assert apart("0.2", "first") < 0.4 * smile_taken_for_rest
    assert apart("frame:5", "first") < 0.4 * smile_taken_for_rest


def test_nothing_is_written_unasked(visit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(visit.parent.iterdir())
    monkeypatch.chdir(tmp_path)
    assert mien.read(visit).files == ()
    mien.anonymize(visit, output="out.mp4", size=64)
    assert set(visit.parent.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("seen", [True, False])
def test_no_file_name_gets_into_a_table_a_summary_or_a_report(seen: bool, visit: Path, tmp_path: Path) -> None:
    """A clip is often named after the patient. A heading is the user's own words."""
    clip = tmp_path / "jane-doe" / "1999-smith.mp4"
    clip.parent.mkdir()
    if seen:
        clip.write_bytes(visit.read_bytes())
    else:
        performers.clip(clip, [np.zeros((64, 64, 3), np.uint8)] * 4)
    wanted = {"csv": True, "summary": True, "report": True, "title": "Visit <2>"}
    made = mien.anonymize(clip, output=clip.parent / "smith-out.mp4", size=64, **wanted)  # type: ignore[arg-type]
    read = mien.read(clip, output=clip.parent / "smith-read", **wanted)  # type: ignore[arg-type]
    for file in (*made.files, *read.files):
        text = file.read_text(encoding="utf-8").lower()
        assert not any(word in text for word in ("smith", "jane", "1999", ".mp4", str(tmp_path).lower())), file.name
        assert ("<h1>visit &lt;2&gt;</h1>" in text) == (file.suffix == ".html")


def test_two_people_side_by_side(tmp_path: Path) -> None:
    performers.needs_face_model()
    picture = performers.portrait(240)
    both = np.concatenate([picture, picture[:, ::-1]], axis=1)
    clip = performers.clip(tmp_path / "two.mp4", [both] * 6)
    done = mien.anonymize(clip, output=tmp_path / "out.mp4", size=96, people=2)
    assert done.people == 2
    with VideoReader(tmp_path / "out.mp4") as video:
        assert video.size == (192, 96)


def test_an_engine_installed_by_somebody_else_is_found_and_used(
    visit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a package would: an entry point in the group `mien.engines`."""
    record = tmp_path / "site" / "oval-1.0.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: oval\nVersion: 1.0\n")
    (record / "entry_points.txt").write_text("[mien.engines]\noval = scripted:OvalEngine\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    done = mien.anonymize(visit, output=tmp_path / "out.mp4", engine="oval")
    assert done.engine == "oval"
    with VideoReader(tmp_path / "out.mp4") as video:
        assert video.size == (128, 128)


def test_a_performance_closes_its_eyes_on_time_and_speaks_when_it_says() -> None:
    from mien.demo import consultation

    script = consultation()
    assert 15 <= script.duration <= 20
    for blink in script.blinks:
        assert script.at(blink)["eyeBlinkLeft"] > 0.9
    start, text = script.speech[0]
    opened = [script.at(start + i * 0.02)["jawOpen"] for i in range(len(text) * 5)]
    assert max(opened) > 0.2
    assert {moment.emotion for moment in script.moments} == set(EMOTIONS)
