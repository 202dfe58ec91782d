"""The faces to wear: what a page sees of them, and what it cannot do to them or to the disk."""

from __future__ import annotations

import io
import os
import re
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import performers
from hosted import HOSTILE, Client, hosted
from mien.avatar import library
from mien.media.images import read_image
from mien.media.memory import MemoryFile
from mien.studio import gallery
from mien.study.suitability import Suitability
from patience import LONG, eventually


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own avatars: none yet, and no folder."""
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path / "data" / "avatars"))
    return tmp_path / "data" / "avatars"


@pytest.fixture(scope="module")
def shop() -> Iterator[Client]:
    with hosted(gallery.routes()) as client:
        yield client


@pytest.fixture
def page(shop: Client, folder: Path) -> Client:
    return shop


def encoded(kind: str = "JPEG", side: int = 320, **options: object) -> bytes:
    """A portrait as a file."""
    file = io.BytesIO()
    Image.fromarray(performers.portrait(side)).save(file, kind, **options)
    return file.getvalue()


def chunks(data: bytes) -> list[bytes]:
    """The kinds of a PNG's chunks."""
    kinds, at = [], 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        kinds.append(kind)
        at += 12 + size
    return kinds


def names(page: Client) -> list[str]:
    return [avatar["name"] for avatar in page.get("/api/avatars").json()]


def test_the_built_in_avatars_are_listed_and_drawn(page: Client) -> None:
    listed = page.get("/api/avatars").json()
    assert {"name": "maya", "title": "Maya, with the dark curls", "kind": "puppet", "own": False} in listed
    pictures = []
    for avatar in listed:
        drawn = page.get(f"/api/avatars/{avatar['name']}/thumbnail")
        assert drawn.status_code == 200
        assert drawn.headers["content-type"] == "image/png"
        pictures.append(read_image(MemoryFile("thumbnail.png", drawn.content)).astype(int))
        assert pictures[-1].shape == (256, 256, 4)
        assert pictures[-1][..., :3].std() > 20
    for one, other in pairwise(pictures):
        assert np.abs(one - other).mean() > 10


def test_a_picture_is_judged_and_nothing_of_it_is_kept(
    page: Client, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    performers.needs_face_model()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    found = page.post("/api/avatars/check", content=encoded()).json()
    assert found["verdict"] == "good"
    assert 7 <= found["score"] <= 10
    assert {"name", "score", "seen", "advice"} == set(found["findings"][0])
    assert not folder.exists()
    assert not list((tmp_path / "tmp").iterdir())


def test_a_picture_becomes_an_avatar_without_what_else_was_in_the_file(page: Client, folder: Path) -> None:
    performers.needs_face_model()
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe at home"
    exif.get_ifd(0x8825)[1] = "N"
    data = encoded(side=1200, exif=exif, comment="secret place", quality=95)
    assert b"Jane Doe" in data
    made = page.post("/api/avatars", params={"name": "이모 (2).JPG"}, content=data)
    assert made.status_code == 201
    assert made.json() == {"name": "이모-2", "title": "이모-2", "kind": "picture", "own": True}
    stored = (folder / "이모-2.png").read_bytes()
    assert [path.name for path in folder.iterdir()] == ["이모-2.png"]
    assert set(chunks(stored)) == {b"IHDR", b"IDAT", b"IEND"}
    assert page.get("/api/avatars").json()[-1] == made.json()
    drawn = page.get("/api/avatars/이모-2/thumbnail")
    assert drawn.headers["content-type"] == "image/png"
    assert library.find("이모-2").picture is not None


def test_only_the_part_around_the_face_is_stored(page: Client, folder: Path) -> None:
    performers.needs_face_model()
    wide = np.full((600, 1600, 3), 140, np.uint8)
    wide[100:500, 1000:1400] = performers.portrait(400)
    wide[:, :300] = (255, 0, 0)
    file = io.BytesIO()
    Image.fromarray(wide).save(file, "PNG")
    page.post("/api/avatars?name=party.png", content=file.getvalue())
    stored = read_image(folder / "party.png")
    assert stored.shape[1] < 600
    assert not (stored[..., :3] == (255, 0, 0)).all(-1).any()


def test_a_thumbnail_follows_its_picture(page: Client, folder: Path) -> None:
    performers.needs_face_model()
    page.post("/api/avatars?name=a.png", content=encoded("PNG"))
    before = page.get("/api/avatars/a/thumbnail").content
    assert page.get("/api/avatars/a/thumbnail").content == before
    Image.fromarray(performers.portrait()[:, ::-1]).save(folder / "a.png")
    assert page.get("/api/avatars/a/thumbnail").content != before


def test_own_avatars_are_removed_and_others_stay(page: Client, folder: Path) -> None:
    performers.needs_face_model()
    page.post("/api/avatars?name=a.png", content=encoded("PNG"))
    rig = library.built_in()["tik"]
    (folder / "robot").mkdir()
    for file in rig.iterdir():
        (folder / "robot" / file.name).write_bytes(file.read_bytes())
    assert names(page)[-2:] == ["a", "robot"]
    assert page.delete("/api/avatars/a").status_code == 204
    assert page.delete("/api/avatars/robot").status_code == 204
    assert not list(folder.iterdir())
    assert page.get("/api/avatars/a/thumbnail").status_code == 404
    refused = page.delete("/api/avatars/maya")
    assert refused.status_code == 403
    assert refused.json() == {"error": "Maya, with the dark curls comes with mien and stays."}
    assert page.delete("/api/avatars/nobody").status_code == 404
    assert "maya" in names(page)


def test_removing_a_link_leaves_what_it_leads_to(page: Client, folder: Path, tmp_path: Path) -> None:
    rig = tmp_path / "rig"
    rig.mkdir()
    (rig / "rig.toml").write_text('title = "Elsewhere"')
    folder.mkdir(parents=True)
    (folder / "link").symlink_to(rig)
    assert page.delete("/api/avatars/link").status_code == 204
    assert (rig / "rig.toml").exists()
    assert not (folder / "link").exists()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_name_leads_out_of_the_folder(hostile: str, page: Client, folder: Path) -> None:
    folder.mkdir(parents=True)
    secret = folder.parent / "secret.txt"
    secret.write_text("secret")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(folder.parent / "secret.png")
    for path, method in ((f"/api/avatars/{hostile}", "DELETE"), (f"/api/avatars/{hostile}/thumbnail", "GET")):
        answer = page.raw(path, method)
        assert answer.status in (307, 400, 404, 405)  # a slash at the end is sent back to where it came from
        assert b"secret" not in answer.body
    assert secret.exists()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Photo of me.jpeg", "Photo-of-me"), ("../../etc/passwd", "passwd"), ("..\\..\\boot.ini", "boot"),
        ("한글 이름.png", "한글-이름"), ("हिन्दी.png", "हिन्दी"), ("a\u202egnp.exe", "agnp"), ("", "picture"),
        ("...", "picture"), ("-rf.png", "rf"), ("CON.png", "my-CON"), ("\u0301x.png", "my-\u0301x"),
        ("x" * 300, "x" * 40), ("a/b\x00c.png", "bc"), ("$(reboot).png", "reboot"), ("maya.png", "maya-2"),
        ("MAYA.png", "MAYA-2"), ("🙂.png", "picture"), ("lpt1", "my-lpt1"), ("<script>alert(1)</script>.png", "script"),
    ],
)  # fmt: skip
def test_a_file_name_becomes_a_name(given: str, name: str, page: Client, folder: Path) -> None:
    performers.needs_face_model()
    made = page.post("/api/avatars", params={"name": given}, content=encoded("PNG", 200))
    assert made.json()["name"] == name
    assert [path.name for path in folder.iterdir()] == [f"{name}.png"]
    assert [path.name for path in folder.parent.iterdir()] == ["avatars"]


def test_names_are_unique_even_when_many_arrive_at_once(page: Client) -> None:
    performers.needs_face_model()
    data = encoded("PNG", 160)

    def give(_: int) -> int:
        while (status := page.post("/api/avatars?name=Ines.png", content=data).status_code) == 429:
            time.sleep(0.05)
        return status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(give, range(12))) == {201}
    own = [name for name in names(page) if name.startswith("Ines")]
    assert sorted(own) == sorted(["Ines", *(f"Ines-{n}" for n in range(2, 13))])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"), (b"GIF89a", "damaged|not a picture"), (b"just text", "is not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "damaged|not a picture"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/avatars/check", "/api/avatars"])
def test_what_is_no_picture_is_refused_in_a_sentence(
    path: str, data: bytes, why: str, page: Client, folder: Path
) -> None:
    answer = page.post(path, params={"name": "me.png"}, content=data)
    assert answer.status_code == 422
    assert re.search(f"^me.png .*({why})", answer.json()["error"])
    assert not folder.exists()


def test_a_bomb_is_refused_from_its_header(page: Client, folder: Path) -> None:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    body = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(5000))), (b"IEND", b"")]
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in body]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(parts)
    began = time.process_time()
    for path in ("/api/avatars/check", "/api/avatars"):
        answer = page.post(path, content=bomb)
        assert answer.status_code == 422
        assert "the limit is 64 million" in answer.json()["error"]
    assert time.process_time() - began < 2
    assert not folder.exists()


def test_a_picture_without_a_face_says_so(page: Client, folder: Path) -> None:
    performers.needs_face_model()
    file = io.BytesIO()
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(file, "PNG")
    for path in ("/api/avatars/check", "/api/avatars"):
        answer = page.post(path, params={"name": "wall.png"}, content=file.getvalue())
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("No face was found in wall.png.")
    assert not folder.exists()


def test_without_a_face_model_puppets_are_there_and_pictures_say_what_is_missing(
    page: Client, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MIEN_MODELS", "XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    for path in ("/api/avatars/check", "/api/avatars"):
        answer = page.post(path, content=encoded("PNG", 160))
        assert answer.status_code == 503
        assert "mien models pull" in answer.json()["error"]
    assert not folder.exists()
    assert page.get("/api/avatars/mei/thumbnail").status_code == 200


@pytest.mark.parametrize("announced", [True, False])
def test_too_large_a_file_is_refused(announced: bool, page: Client, folder: Path) -> None:
    data = bytes(gallery.LARGEST + 1)
    content = data if announced else iter([data[:1000], data[1000:]])
    answer = page.post("/api/avatars", content=content)
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("A picture may have up to 20 MB")
    assert not folder.exists()


def test_an_avatar_that_cannot_be_drawn_says_why_and_harms_no_other(page: Client, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "rig").mkdir()
    (folder / "rig" / "rig.toml").write_text("title = [[[")
    (folder / "maya.png").write_bytes(b"another maya")
    listed = {avatar["name"]: avatar for avatar in page.get("/api/avatars").json()}
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "rig.toml")
    assert listed["rig"].items() >= {"name": "rig", "title": "rig", "kind": "puppet", "own": True}.items()
    assert "not valid TOML" in listed["rig"]["trouble"]
    assert "is not a picture" in listed["broken"]["trouble"]
    assert "trouble" not in listed["maya"]
    again = {avatar["name"]: avatar for avatar in page.get("/api/avatars").json()}
    assert "a named pipe" in again["pipe"]["trouble"]
    assert listed["maya"]["own"] is False
    for name in ("broken", "rig"):
        answer = page.get(f"/api/avatars/{name}/thumbnail")
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"]
    assert page.get("/api/avatars/maya/thumbnail").status_code == 200


def test_a_file_name_that_is_no_text_does_not_spoil_the_list(page: Client, folder: Path) -> None:
    folder.mkdir(parents=True)
    try:
        (folder / "caf\udce9.png").write_bytes(b"")
    except (OSError, UnicodeError):
        pytest.skip("this system has no such names")
    assert "maya" in names(page)


def test_others_are_answered_while_a_picture_is_looked_at(folder: Path) -> None:
    slow = threading.Event()

    class Slow(gallery.Gallery):
        def check(self, file: MemoryFile) -> Suitability:
            slow.wait(LONG)
            return Suitability(1.0, "poor", (), 1, (0, 0, 1, 1))

    with hosted(gallery.routes(Slow())) as page, ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(page.post, "/api/avatars/check", content=b"x") for _ in range(3)]
        assert page.get("/api/avatars").status_code == 200
        assert not any(answer.done() for answer in asked)
        slow.set()
        assert all(answer.result().status_code == 200 for answer in asked)


def test_a_flood_is_taken_in_turns(folder: Path) -> None:
    """More than four at once are asked to wait, and what they sent is not held."""
    release = threading.Event()

    def slowly(data: bytes) -> Iterator[bytes]:
        yield data[:10]
        release.wait(LONG)
        yield data[10:]

    def give(page: Client, make: Callable[[], object]) -> int:
        return page.post("/api/avatars/check", content=make()).status_code  # type: ignore[arg-type]

    def insist(page: Client) -> int:
        while (status := give(page, lambda: slowly(bytes(100)))) == 429:  # the question below had the last place
            pass
        return status

    with hosted(gallery.routes()) as page, ThreadPoolExecutor(8) as pool:
        first = [pool.submit(insist, page) for _ in range(4)]
        assert eventually(lambda: give(page, lambda: bytes(100)) == 429)
        release.set()
        assert [answer.result() for answer in first] == [422] * 4
        assert give(page, lambda: bytes(100)) == 422


def test_no_more_than_so_many_of_ones_own(page: Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    performers.needs_face_model()
    monkeypatch.setattr(gallery, "MOST", 2)
    answers = [page.post("/api/avatars?name=a", content=encoded("PNG", 160)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 422]
    assert "Remove some first" in answers[-1].json()["error"]
