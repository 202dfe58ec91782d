"""No traffic while a face is processed, and nothing of it on disk but what was asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import performers
from scripted import likeness

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
mien.read(clip, output=out + "/reading")
sys.exit(len(seen))
"""


@pytest.fixture
def job(tmp_path: Path) -> list[str]:
    """The whole main job as a command: clip, output folder, picture."""
    performers.needs_face_model()
    clip = performers.clip(tmp_path / "visit.mp4", performers.swaying(12), audio="aac")
    (tmp_path / "out").mkdir()
    cv2.imwrite(str(tmp_path / "portrait.png"), performers.portrait()[..., ::-1])
    return [sys.executable, "-c", MAIN_JOB, str(clip), str(tmp_path / "out"), str(tmp_path / "portrait.png")]


def namespace() -> list[str]:
    """How to run a command without any network, [] where that is not permitted."""
    if shutil.which("unshare") is None:
        return []
    without = ["unshare", "--net", "--map-root-user"]
    return without if subprocess.run([*without, "true"], capture_output=True, check=False).returncode == 0 else []


def test_the_main_job_touches_no_socket(job: list[str], tmp_path: Path) -> None:
    """In a network namespace with nothing in it where that is permitted; every look-up and connection counted."""
    ran = subprocess.run([*namespace(), *job], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [
        "paste.mp4", "picture.mp4", "puppet.expression.csv", "puppet.expression.json", "puppet.mp4",
        "puppet.report.html", "reading.expression.csv", "reading.expression.json", "reading.report.html",
    ]  # fmt: skip


def test_the_check_detects_a_look_up(job: list[str]) -> None:
    ran = subprocess.run([*job, "--try-it"], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode != 0
    assert "socket.getaddrinfo" in ran.stderr


def test_nothing_else_is_written(job: list[str], tmp_path: Path) -> None:
    """The folder for temporary files, the home and the working folder stay empty from beginning to end."""
    private = {name: tmp_path / name for name in ("tmp", "home", "cwd")}
    for folder in private.values():
        folder.mkdir()
    environment = os.environ | {
        "TMPDIR": str(private["tmp"]), "HOME": str(private["home"]), "XDG_DATA_HOME": str(private["home"]),
    }  # fmt: skip
    if "XDG_CACHE_HOME" not in environment:
        environment["XDG_CACHE_HOME"] = str(Path.home() / ".cache")
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            for folder in private.values():
                seen.update(str(path) for path in folder.rglob("*"))
            seen.update(p.name for p in (tmp_path / "out").iterdir() if not p.name.startswith("."))
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        ran = subprocess.run(
            job, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=private["cwd"]
        )
    finally:
        ended.set()
        watcher.join()
    assert ran.returncode == 0, ran.stderr
    assert {Path(name).suffix for name in seen} <= {".mp4", ".html", ".csv", ".json"}
    assert not [name for name in seen if name.startswith(str(tmp_path))]
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


def test_what_is_written_holds_no_picture_of_the_face(job: list[str], tmp_path: Path) -> None:
    assert subprocess.run(job, capture_output=True, timeout=120, check=False).returncode == 0
    out = tmp_path / "out"
    for report in out.glob("*.html"):
        text = report.read_text()
        assert "data:image/jpeg" not in text
        assert "data:image/png" not in text
        assert "http://" not in text.replace("http://www.w3.org/", "")
        assert "https://" not in text
    original = decoded(tmp_path / "visit.mp4")
    assert likeness(original[5], original[5]) > 0.99
    for clip in ("puppet.mp4", "paste.mp4"):
        with av.open(str(out / clip)) as container:
            assert len(container.streams.video) == 1
            assert "visit" not in str(container.metadata)
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
