"""No traffic while a face is processed, and nothing of it on disk but what was asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import performers
from scripted import likeness

pytestmark = pytest.mark.privacy

MAIN_JOB = """
import sys

seen = []
def refuse(event, args):
    if event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
        seen.append(event)
        raise OSError(f"the network is not to be used: {event}")
sys.addaudithook(refuse)

import socket
if "--try-it" in sys.argv:
    socket.getaddrinfo("example.org", 80)

import mien
clip, out, portrait = sys.argv[1:4]
mien.anonymize(clip, output=out + "/puppet.mp4", report=True, csv=True, summary=True, size=128)
mien.anonymize(clip, output=out + "/paste.mp4", scene=mien.Scene.PASTE, size=128)
mien.animate(portrait, clip, output=out + "/picture.mp4", size=128)
mien.read(clip, output=out + "/reading", csv=True, summary=True, report=True)
sys.exit(len(seen))
"""


def job(folder: Path) -> list[str]:
    """The whole main job as a command: clip, output folder, picture."""
    performers.needs_paste_models()
    clip = performers.clip(folder / "visit.mp4", performers.swaying(12), audio="aac")
    (folder / "out").mkdir()
    cv2.imwrite(str(folder / "portrait.png"), performers.portrait()[..., ::-1])
    return [sys.executable, "-c", MAIN_JOB, str(clip), str(folder / "out"), str(folder / "portrait.png")]


def namespace() -> list[str]:
    """How to run a command without any network, [] where that is not permitted."""
    if shutil.which("unshare") is None:
        return []
    without = ["unshare", "--net", "--map-root-user"]
    return without if subprocess.run([*without, "true"], capture_output=True, check=False).returncode == 0 else []


@dataclass(frozen=True)
class Done:
    """The main job after it ran."""

    folder: Path
    code: int
    errors: str
    seen: frozenset[str]
    """Names of files that were there at any moment: in private folders whole paths, in the output folder names."""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The main job, run once: in a network namespace with nothing in it where that is permitted, with folders of its
    own for temporary files, home and work, watched all along."""
    folder = tmp_path_factory.mktemp("egress")
    command = [*namespace(), *job(folder)]
    private = {name: folder / name for name in ("tmp", "home", "cwd")}
    for path in private.values():
        path.mkdir()
    environment = os.environ | {
        "TMPDIR": str(private["tmp"]), "HOME": str(private["home"]), "XDG_DATA_HOME": str(private["home"]),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
    }  # fmt: skip
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            for path in private.values():
                seen.update(str(found) for found in path.rglob("*"))
            seen.update(found.name for found in (folder / "out").iterdir())
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=600, check=False, env=environment, cwd=private["cwd"]
        )
    finally:
        ended.set()
        watcher.join()
    return Done(folder, ran.returncode, ran.stderr, frozenset(seen))


def test_the_main_job_touches_no_socket(done: Done) -> None:
    """Every look-up, connection and binding is refused and counted; the exit code is their number."""
    assert done.code == 0, done.errors


def test_the_check_detects_a_look_up(tmp_path: Path) -> None:
    ran = subprocess.run([*job(tmp_path), "--try-it"], capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode != 0
    assert "socket.getaddrinfo" in ran.stderr


def test_only_what_was_asked_for_is_written(done: Done) -> None:
    assert done.code == 0, done.errors
    assert sorted(path.name for path in (done.folder / "out").iterdir()) == [
        "paste.mp4", "picture.mp4", "puppet.expression.csv", "puppet.expression.json", "puppet.mp4",
        "puppet.report.html", "reading.expression.csv", "reading.expression.json", "reading.report.html",
    ]  # fmt: skip


def test_nothing_is_written_on_the_way_but_the_outputs_themselves(done: Done) -> None:
    """The folder for temporary files, the home and the working folder stay empty from beginning to end."""
    assert "puppet.mp4" in done.seen  # the watch works
    assert not [name for name in done.seen if name.startswith(str(done.folder))]
    assert {Path(name).suffix for name in done.seen} <= {".mp4", ".html", ".csv", ".json"}
    for name in done.seen:
        assert not name.startswith(".") or ".part" in name


def test_what_is_written_holds_no_picture_of_the_face(done: Done) -> None:
    out = done.folder / "out"
    for report in out.glob("*.html"):
        text = report.read_text()
        assert "data:image/jpeg" not in text
        assert "data:image/png" not in text
        assert "http://" not in text.replace("http://www.w3.org/", "")
        assert "https://" not in text
    for clip in ("puppet.mp4", "paste.mp4"):
        with av.open(str(out / clip)) as container:
            assert len(container.streams.video) == 1
            assert "visit" not in str(container.metadata)
    original = decoded(done.folder / "visit.mp4")
    face = (np.array([[100, 72], [168, 72], [168, 160], [100, 160]]) * 320 / 300).astype(np.float32)
    for before, after in zip(original, decoded(out / "paste.mp4"), strict=True):
        assert likeness(before, before, region=face) > 0.99
        assert likeness(after, before, region=face) < 0.6  # eyes lie on eyes: some likeness is meant to be there
    for before, after in zip(original, decoded(out / "puppet.mp4"), strict=True):
        assert likeness(cv2.resize(after, before.shape[1::-1]), before) < 0.6


def decoded(path: Path) -> list[np.ndarray]:
    from mien.media.reader import VideoReader

    with VideoReader(path) as video:
        return [frame.image for frame in video]
