"""All detectors find the same face, and say clearly what is wrong with a user's files."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from mien.errors import InputError, ModelError
from mien.face.boxes import iou
from mien.face.classic import HaarDetector, SsdDetector, parse_ssd
from mien.face.detect import Detector
from mien.face.parts import open_detector, read_task
from mien.face.tracker import FaceTracker, Mesh
from mien.media.quiet import quiet_stderr
from mien.types import Picture

from .conftest import placed, room, run


def test_haar_and_blazeface_frame_a_face_alike(blazeface: Detector, ada: Picture) -> None:
    picture = placed(room(), ada, 220, 100)
    (one,) = blazeface(picture, thorough=False)
    (other,) = HaarDetector()(picture)
    assert iou(one.box, other.box) > 0.6
    assert 0.5 < other.score <= 1


def test_nobody_in_an_empty_room(blazeface: Detector) -> None:
    assert blazeface(room()) == []
    assert HaarDetector()(room()) == []


def test_tracking_works_with_haar(mesh: Mesh, ada: Picture) -> None:
    faces = run(FaceTracker(HaarDetector(), mesh), [placed(room(), ada, 100 + 6 * i, 100) for i in range(12)])
    assert [[face.id for face in frame] for frame in faces] == [[0]] * 12


def test_an_ssd_answer_is_read_in_pixels_best_left_to_the_caller() -> None:
    rows = np.array([
        [0, 1, 0.9, 0.25, 0.2, 0.5, 0.6],
        [0, 1, 0.3, 0.1, 0.1, 0.2, 0.2],
        [0, 1, 0.8, 0.5, 0.5, 0.4, 0.6],
    ], np.float32)  # fmt: skip
    (found,) = parse_ssd(rows, 400, 300)
    assert found.score == pytest.approx(0.9)
    x0, y0, x1, y1 = found.box
    assert (x0 + x1) / 2 == pytest.approx(150)
    assert 110 < (y0 + y1) / 2 < 140
    assert x1 - x0 == pytest.approx(y1 - y0, abs=0.01)


PROTOTXT = """
name: "one box"
input: "data"
input_shape { dim: 1 dim: 3 dim: 300 dim: 300 }
layer { name: "loc" type: "Pooling" bottom: "data" top: "pooled" pooling_param { pool: AVE global_pooling: true } }
layer { name: "conf" type: "InnerProduct" bottom: "pooled" top: "out"
        inner_product_param { num_output: 7 bias_term: true } }
layer { name: "rows" type: "Reshape" bottom: "out" top: "rows"
        reshape_param { shape { dim: 1 dim: 1 dim: 1 dim: 7 } } }
"""


def caffe_weights(path: Path, weights: np.ndarray, bias: np.ndarray) -> Path:
    """A Caffe model file with one InnerProduct layer called `conf`, in protobuf's wire format."""

    def varint(number: int) -> bytes:
        out = bytearray()
        while True:
            number, low = number >> 7, number & 0x7F
            out.append(low | (0x80 if number else 0))
            if not number:
                return bytes(out)

    def field(number: int, content: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(content)) + content

    def blob(array: np.ndarray) -> bytes:
        shape = field(1, b"".join(varint(n) for n in array.shape))
        return field(7, shape) + field(5, array.astype("<f4").tobytes())

    layer = field(1, b"conf") + field(2, b"InnerProduct") + field(7, blob(weights)) + field(7, blob(bias))
    path.write_bytes(field(1, b"one box") + field(100, layer))
    return path


def test_an_ssd_of_the_users_own_is_run(tmp_path: Path) -> None:
    """A network that answers with one box, whatever it sees: the files are opened, fed and read for real."""
    (tmp_path / "net.prototxt").write_text(PROTOTXT)
    answer = np.array([0, 1, 0.95, 0.25, 0.25, 0.75, 0.75], np.float32)
    caffe_weights(tmp_path / "net.caffemodel", np.zeros((7, 3), np.float32), answer)
    detector = open_detector(f"ssd:{tmp_path / 'net.prototxt'},{tmp_path / 'net.caffemodel'}")
    (found,) = detector(np.zeros((200, 400, 3), np.uint8), thorough=False)
    assert found.score == pytest.approx(0.95)
    assert (found.box[0] + found.box[2]) / 2 == pytest.approx(200, abs=1)


def test_a_network_that_is_no_ssd_is_refused(tmp_path: Path) -> None:
    text = PROTOTXT.replace("dim: 1 dim: 1 dim: 1 dim: 7", "dim: 1 dim: 7")
    (tmp_path / "net.prototxt").write_text(text)
    weights = caffe_weights(tmp_path / "net.caffemodel", np.zeros((7, 3), np.float32), np.zeros(7, np.float32))
    with pytest.raises(InputError, match="is no SSD"):
        SsdDetector(tmp_path / "net.prototxt", weights)(np.zeros((50, 50, 3), np.uint8))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("yolo", "no detector called 'yolo'"),
        ("ssd", "needs its two files"),
        ("ssd:one.prototxt", "needs its two files"),
        ("ssd:/nowhere/a.prototxt,/nowhere/b.caffemodel", "There is no file"),
        ("haar:3", "no detector called"),
    ],
)
def test_what_cannot_be_a_detector_is_said_plainly(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_detector(name)


def test_files_that_are_no_network_are_refused(tmp_path: Path) -> None:
    for name in ("a.prototxt", "b.caffemodel"):
        (tmp_path / name).write_text("this is not a network")
    with pytest.raises(InputError, match=r"cannot read a\.prototxt"):
        SsdDetector(tmp_path / "a.prototxt", tmp_path / "b.caffemodel")


UNKNOWN = b'input: "x" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 9 layer { name: "a" type: "Nope" bottom: "x" }'
GARBAGE = [b"this is not a network {{{", UNKNOWN, PROTOTXT.encode(), bytes(range(256)), b"\n\x01a"]


@pytest.mark.parametrize("text", GARBAGE)
@pytest.mark.parametrize("weights", GARBAGE)
def test_nothing_but_our_own_line_is_printed_for_garbage(
    text: bytes, weights: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.prototxt").write_bytes(text)
    (tmp_path / "b.caffemodel").write_bytes(weights)
    with pytest.raises(InputError):
        open_detector(f"ssd:{tmp_path / 'a.prototxt'},{tmp_path / 'b.caffemodel'}")(np.zeros((50, 50, 3), np.uint8))
    os.write(2, b"heard again")
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "heard again")


@pytest.mark.skipif(os.name == "nt", reason="pipes as on Unix")
def test_a_network_s_files_are_ordinary_ones(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.prototxt")
    (tmp_path / "b.caffemodel").symlink_to("/dev/zero")
    (tmp_path / "c.prototxt").write_text(PROTOTXT)
    for first, second in (("a.prototxt", "b.caffemodel"), ("c.prototxt", "b.caffemodel")):
        with pytest.raises(InputError, match="is not an ordinary file"):
            open_detector(f"ssd:{tmp_path / first},{tmp_path / second}")


def test_threads_that_keep_quiet_at_once_leave_the_terminal_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    together = threading.Barrier(8)

    def keep_quiet() -> None:
        together.wait()
        for _ in range(20):
            with quiet_stderr():
                os.write(2, b"not seen")

    threads = [threading.Thread(target=keep_quiet) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"


def test_a_damaged_bundle_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "x.task").write_bytes(b"PK nothing")
    with pytest.raises(ModelError, match=r"is damaged.*mien models pull"):
        read_task(tmp_path / "x.task")
