"""The clip that somebody drops on the page never touches a disk: not while it arrives, not while it is worked on, not
when the studio is killed. Watched from outside, on a studio of its own."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import httpx
import numpy as np
import psutil
import pytest

import performers
from mien.media.memory import MemoryFile
from mien.media.reader import VideoReader
from mien.types import Picture
from patience import LONG, eventually, wait_for
from scripted import likeness

pytestmark = pytest.mark.privacy

AUDIT = """
import os, sys

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)) and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
        os.write(2, os.fsencode(arguments[0]) + b"\\n")

if "AUDITED" in os.environ:
    sys.addaudithook(note)
"""
STUDIO = """
import os, sys

from starlette.applications import Starlette
from mien.studio import clips, gallery, sessions
from mien.studio.serving import Server, listen

store, jobs = sessions.SessionStore(), clips.ClipJobs()
listener, server = listen(), Server()
server.add(Starlette(routes=[*gallery.routes(), *sessions.routes(store), *clips.routes(jobs)]), listener)
server.start()
import sitecustomize
sys.addaudithook(sitecustomize.note)
os.environ["AUDITED"] = "and so is what it starts"
print(listener.port, flush=True)
sys.stdin.read()
server.stop()
jobs.close()
store.close()
"""
FACE = (np.array([[75, 55], [130, 55], [130, 125], [75, 125]])).astype(np.float32)
"""Around eyes, nose and mouth of the portrait at 240 pixels."""


@dataclass
class Running:
    """A studio in a process of its own."""

    process: subprocess.Popen[str]
    page: httpx.Client
    root: Path
    """All it may write to: temporary files, home, sessions, avatars, its working folder."""
    written: list[str] = field(default_factory=list)
    """What Python code opened for writing, in the studio and in the processes it starts."""

    def end(self) -> None:
        """As Ctrl-C does."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(LONG) == 0


@contextmanager
def studio(root: Path) -> Iterator[Running]:
    for name in ("tmp", "home", "cwd"):
        (root / name).mkdir(parents=True, exist_ok=True)
    site = root.with_name(f"{root.name}-site")  # imported by Python before all else
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(AUDIT)
    environment = os.environ | {
        "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(root / "tmp"), "HOME": str(root / "home"), "XDG_DATA_HOME": str(root / "home"),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
        "MIEN_SESSIONS": str(root / "sessions"), "MIEN_AVATARS": str(root / "avatars"),
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", STUDIO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment, cwd=root / "cwd",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=2 * LONG) as page:
            running = Running(process, page, root)
            reader = threading.Thread(target=lambda: running.written.extend(map(str.strip, process.stderr or [])))
            reader.start()
            try:
                yield running
            finally:
                process.kill()
                process.wait()
                reader.join()


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Five seconds of a swaying head, with sound."""
    performers.needs_paste_models()
    path = tmp_path_factory.mktemp("disk") / "visit.mp4"
    return performers.clip(path, performers.swaying(125, side=240), audio="aac").read_bytes()


@pytest.fixture(scope="module")
def traces(visit: bytes) -> list[bytes]:
    """Pieces by which the clip is known wherever it lies: of its picture's packets as they are, and of its pictures as
    they look decoded, in RGB and in grey. (Its sound is passed on, so it is meant to turn up.)"""
    rng = random.Random(5)
    with av.open(MemoryFile("visit.mp4", visit).open()) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size > 60]
    found = [packet[at : at + 24] for packet in packets for at in (len(packet) // 2, len(packet) - 32)]
    for picture in rng.sample(pictures(visit), 20):
        for rows in (picture, cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)):
            found += [rows[y, 90:114].tobytes() for y in (60, 80, 100, 120)]
    return [piece for piece in found if len(set(piece)) > 6]


def pictures(clip: bytes) -> list[Picture]:
    with VideoReader(MemoryFile("a.mp4", clip)) as video:
        return [frame.image for frame in video]


def files(folder: Path) -> list[Path]:
    """All files under a folder that may change meanwhile, the locks of scratch folders left out."""
    return [Path(at) / name for at, _, names in os.walk(folder) for name in names if name != "lock"]


def found_in(data: bytes, traces: list[bytes]) -> int:
    return sum(piece in data for piece in traces)


def open_files(pid: int) -> Iterator[bytes]:
    """What lies in the files that a process and those it started have open, those without a name too. Linux only."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            for link in Path(f"/proc/{each.pid}/fd").glob("*"):
                with suppress(OSError):
                    if link.is_file():
                        yield link.read_bytes()


class Watch:
    """Looks through all that a studio could have written, again and again, until it is left."""

    def __init__(self, running: Running, traces: list[bytes]) -> None:
        self._running, self._traces, self._over = running, traces, threading.Event()
        self.looks = 0
        self.found: list[str] = []
        self.seen: set[str] = set()

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self.look()

    def look(self) -> None:
        for path in files(self._running.root):
            self.seen.add(str(path.relative_to(self._running.root)))
            with suppress(OSError):
                if found_in(path.read_bytes(), self._traces):
                    self.found.append(str(path))
        self.found += ["an open file" for data in open_files(self._running.process.pid) if found_in(data, self._traces)]
        self.looks += 1


def slowly(data: bytes, seconds: float) -> Iterator[bytes]:
    step = len(data) // 10 + 1
    for at in range(0, len(data), step):
        yield data[at : at + step]
        time.sleep(seconds / 10)


def begun(page: httpx.Client, clip: bytes, **wish: object) -> str:
    number = str(page.post("/api/clips?name=visit.mp4", content=clip).json()["id"])
    assert page.post(f"/api/clips/{number}/run", json={"avatar": "mei", "size": 192} | wish).status_code == 202
    return number


def until(page: httpx.Client, number: str, frames: int) -> str:
    """Wait until so many pictures are done, or the job is over; its state."""
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        state = page.get(f"/api/clips/{number}").json()
        if state["frames"] >= frames or state["state"] not in ("waiting", "running"):
            return str(state["state"])
        time.sleep(0.01)
    raise AssertionError(state)


def test_the_watch_finds_a_clip_and_its_pictures(visit: bytes, traces: list[bytes], tmp_path: Path) -> None:
    assert found_in(visit, traces) > 150
    every = b"".join(picture.tobytes() for picture in pictures(visit))
    assert found_in(every, traces) > 40
    with tempfile_of(visit, tmp_path) as process:
        if sys.platform == "linux":
            assert any(found_in(data, traces) for data in open_files(process.pid))


@contextmanager
def tempfile_of(data: bytes, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that holds the bytes in a temporary file without a name, as web frameworks do with uploads."""
    code = "import sys, tempfile\nf = tempfile.TemporaryFile()\nf.write(open(sys.argv[1], 'rb').read())\n"
    code += "f.flush()\nprint(1, flush=True)\nsys.stdin.read()"
    (folder / "raw").write_bytes(data)
    command = [sys.executable, "-c", code, str(folder / "raw")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (folder / "raw").unlink()
        yield process
        process.kill()


def test_nothing_of_a_clip_is_on_disk_from_its_arrival_to_its_end(
    visit: bytes, traces: list[bytes], tmp_path: Path
) -> None:
    with studio(tmp_path) as running, Watch(running, traces) as watch:
        page = running.page

        def watched() -> Iterator[bytes]:
            """Half of it, the rest when that has been looked for several times."""
            yield visit[: len(visit) // 2]
            wait_for(lambda: watch.looks > 10)
            yield visit[len(visit) // 2 :]

        number = page.post("/api/clips?name=visit.mp4", content=watched()).json()["id"]
        assert watch.seen == set()
        for scene in ("avatar", "paste"):
            page.post(f"/api/clips/{number}/run", json={"avatar": "mei", "size": 192, "scene": scene})
            assert until(page, number, 1000) == "done"
            out = pictures(page.get(f"/api/clips/{number}/avatar.mp4").content)
            for after, before in list(zip(out, pictures(visit), strict=True))[::10]:
                after = cv2.resize(after, before.shape[1::-1])
                assert likeness(before, before, region=FACE) > 0.99
                assert likeness(after, before, region=FACE) < 0.6
        assert {Path(name).suffix for name in watch.seen} == {".mp4", ".csv", ".json", ".html"}
        assert any(name.endswith("avatar.mp4") for name in watch.seen)  # the watch looks in the right place
        page.delete(f"/api/clips/{number}")
        watch.look()
        assert files(tmp_path) == []
        running.end()
    assert watch.found == []
    assert files(tmp_path) == []
    inside = str(tmp_path / "tmp" / "mien-studio-")
    assert any(name.startswith(inside) for name in running.written)  # the audit works
    files_written = {name for name in running.written if Path(name).is_absolute()}  # the rest is what mien says
    elsewhere = {name for name in files_written if not name.startswith(inside) and "__pycache__" not in name}
    assert elsewhere <= {os.devnull}


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
@pytest.mark.parametrize("scene", ["avatar", "paste"])
def test_a_killed_studio_leaves_no_face_and_the_next_one_leaves_nothing(
    scene: str, visit: bytes, traces: list[bytes], tmp_path: Path
) -> None:
    with studio(tmp_path) as running:
        # The scene paste goes through the clip once before it writes anything.
        enough = 30 + (len(pictures(visit)) if scene == "paste" else 0)
        # A machine that is slow to ask finds it done: then once more.
        assert eventually(lambda: until(running.page, begun(running.page, visit, scene=scene), enough) == "running")
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        left = files(tmp_path)
        assert len(left) == 1
        assert left[0].name.endswith(".part.mp4")
        assert not found_in(left[0].read_bytes(), traces)
    with studio(tmp_path) as running:
        assert files(tmp_path) == []
        assert len(list((tmp_path / "tmp").iterdir())) == 1
        running.end()
    assert files(tmp_path) == []


def test_a_clips_memory_is_given_back(visit: bytes, tmp_path: Path) -> None:
    padded = visit + bytes((150 << 20) - len(visit))

    def resident(running: Running) -> float:
        return float(psutil.Process(running.process.pid).memory_info().rss) / (1 << 20)

    with studio(tmp_path) as running:
        page = running.page
        warm = begun(page, visit)
        until(page, warm, 1000)
        page.delete(f"/api/clips/{warm}")
        before = resident(running)
        number = page.post("/api/clips?name=a.mp4", content=slowly(padded, 0)).json()["id"]
        assert 130 < resident(running) - before < 220  # once, and not twice
        page.post(f"/api/clips/{number}/run", json={"avatar": "mei", "size": 192})
        assert until(page, number, 1000) == "done"
        assert resident(running) - before < 300
        page.delete(f"/api/clips/{number}")
        assert resident(running) - before < 60
