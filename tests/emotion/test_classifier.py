"""The network: read from either file, the same in both, fed as it was trained."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.synthetic import face, frame
from mien.emotion.classifier import EmotionClassifier
from mien.emotion.compiled import compiled
from mien.emotion.crop import HAAR_DROP, HAAR_SIDE, detector_box, network_input, scaled
from mien.emotion.hdf5 import read_arrays
from mien.emotion.xception import MiniXception
from mien.errors import ModelError
from mien.models.litert import Network
from mien.types import Array, Face, Frame

WIDTH, EYE_Y, CENTRE = 100.0, 200.0, 320.0


def landmarks(roll: float = 0.0) -> Array:
    """A square face of 100 pixels whose eyes lie at (320 ± 40, 200), turned about the middle of its eyes."""
    points = np.tile(np.array([CENTRE, EYE_Y + 20, 0], np.float32), (478, 1))
    points[0], points[1] = (CENTRE - WIDTH / 2, EYE_Y, 0), (CENTRE + WIDTH / 2, EYE_Y, 0)
    for index, x in ((33, -40), (133, -15), (362, 15), (263, 40)):
        points[index, :2] = CENTRE + x, EYE_Y
    turn = np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]], np.float32)
    points[:, :2] = (points[:, :2] - [CENTRE, EYE_Y]) @ turn + [CENTRE, EYE_Y]
    return points


def test_detector_box_sits_where_the_cascade_would() -> None:
    box = detector_box(landmarks())
    assert box.side == pytest.approx(HAAR_SIDE * WIDTH)
    assert (box.x, box.y) == pytest.approx((CENTRE, EYE_Y + HAAR_DROP * box.side))
    assert box.roll == pytest.approx(0, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(-1.2, 1.2))
def test_detector_box_turns_with_the_head(roll: float) -> None:
    box, upright = detector_box(landmarks(roll)), detector_box(landmarks())
    assert box.roll == pytest.approx(roll, abs=1e-4)
    assert box.side == pytest.approx(upright.side, rel=1e-4)
    down = HAAR_DROP * box.side
    assert (box.x, box.y) == pytest.approx((CENTRE - down * math.sin(roll), EYE_Y + down * math.cos(roll)), abs=0.05)


def test_input_is_grey_in_minus_one_to_one_with_the_margins() -> None:
    """A dark rectangle exactly as large as the grown box fills the input; one pixel beyond shows at no edge."""
    box = detector_box(landmarks())
    width, height = box.side * 1.2, box.side * 1.4
    image = np.full((480, 640, 3), (255, 0, 0), np.uint8)
    x0, y0 = round(box.x - width / 2), round(box.y - height / 2)
    image[y0 : round(y0 + height), x0 : round(x0 + width)] = 0
    seen = network_input(image, landmarks())
    assert seen.shape == (64, 64)
    assert seen.dtype == np.float32
    assert seen[2:-2, 2:-2] == pytest.approx(-1)
    red = 76 / 255 * 2 - 1  # ITU-R BT.601: 0.299 of red
    beyond = network_input(np.full((480, 640, 3), (255, 0, 0), np.uint8), landmarks())
    assert beyond == pytest.approx(red, abs=1e-3)


def test_margins_are_wider_along_the_face_than_across() -> None:
    """A stripe from brow to chin and one from ear to ear keep their places: 1.2 sides across, 1.4 along."""
    box = detector_box(landmarks())
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, round(box.x) - 12 : round(box.x) + 12] = 255
    across = network_input(image, landmarks()) > 0
    assert across[32].sum() == pytest.approx(24 / (1.2 * box.side) * 64, abs=1.1)
    image = np.zeros((480, 640, 3), np.uint8)
    image[round(box.y) - 12 : round(box.y) + 12] = 255
    along = network_input(image, landmarks()) > 0
    assert along[:, 32].sum() == pytest.approx(24 / (1.4 * box.side) * 64, abs=1.1)


def test_a_leaning_head_gives_the_upright_picture() -> None:
    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.integers(0, 255, (480, 640, 3), dtype=np.uint8), (0, 0), 8)
    image = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)
    turn = cv2.getRotationMatrix2D((CENTRE, EYE_Y), -25, 1)
    leaning = cv2.warpAffine(image, turn, (640, 480))
    upright = network_input(image, landmarks())
    assert np.abs(network_input(leaning, landmarks(math.radians(25))) - upright).mean() < 0.02
    assert np.abs(network_input(leaning, landmarks()) - upright).mean() > 0.1


def test_a_face_at_the_edge_is_padded_with_black() -> None:
    moved = landmarks()
    moved[:, 0] -= CENTRE
    seen = network_input(np.full((480, 640, 3), 255, np.uint8), moved)
    assert seen[:, :30] == pytest.approx(-1)
    assert seen[:, 34:] == pytest.approx(1)


def test_scaling_is_that_of_the_training() -> None:
    assert scaled(np.array([[0, 127, 255]], np.uint8))[0] == pytest.approx([-1, 127 / 127.5 - 1, 1], abs=1e-6)


def test_reader_agrees_with_h5py(random_weights: Path) -> None:
    ours = read_arrays(random_weights.read_bytes(), name="random")
    theirs: dict[str, Array] = {}
    with h5py.File(random_weights) as file:
        file.visititems(
            lambda name, item: theirs.update({name: item[...]}) if getattr(item, "dtype", None) == np.float32 else None
        )
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_weights_never_crash(random_weights: Path, data: st.DataObject) -> None:
    content = bytearray(random_weights.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(content), len(content) // 2, 100]))
    with contextlib.suppress(ModelError):
        arrays = read_arrays(bytes(content[:cut]), name="damaged.hdf5")
        assert all(a.dtype == np.float32 for a in arrays.values())


def slow_network(arrays: dict[str, Array], picture: Array) -> Array:
    """mini-XCEPTION once more, loop by loop with OpenCV's filters: what the fast one must equal."""

    def conv(x: Array, kernel: Array) -> Array:
        return np.stack(
            [
                sum(
                    cv2.filter2D(x[..., c], -1, kernel[..., c, d], borderType=cv2.BORDER_CONSTANT)
                    for c in range(x.shape[2])
                )
                for d in range(kernel.shape[3])
            ],
            -1,
        )

    def get(layer: str, name: str) -> Array:
        return arrays[f"model_weights/{layer}/{layer}_1/{name}:0"]

    def norm(x: Array, i: int) -> Array:
        layer = f"batch_normalization_{i}"
        deviation = np.sqrt(get(layer, "moving_variance") + 1e-3)
        return get(layer, "gamma") * (x - get(layer, "moving_mean")) / deviation + get(layer, "beta")

    def separable(x: Array, i: int) -> Array:
        layer = f"separable_conv2d_{i}"
        depth = get(layer, "depthwise_kernel")[..., 0]
        channels = range(x.shape[2])
        parts = [cv2.filter2D(x[..., c], -1, depth[..., c], borderType=cv2.BORDER_CONSTANT) for c in channels]
        return np.stack(parts, -1) @ get(layer, "pointwise_kernel")[0, 0]

    def pool(x: Array) -> Array:
        size = x.shape[0]
        before = (max(0, (math.ceil(size / 2) - 1) * 2 + 3 - size)) // 2
        starts = range(-before, size - before, 2)
        rows = [slice(max(0, a), a + 3) for a in starts][: math.ceil(size / 2)]
        return np.array([[x[r, c].max((0, 1)) for c in rows] for r in rows])

    x = picture[..., None]
    for i in (1, 2):
        x = np.maximum(norm(conv(x, get(f"conv2d_{i}", "kernel"))[1:-1, 1:-1], i), 0)
    for i in range(4):
        residual = norm(x[::2, ::2] @ get(f"conv2d_{3 + i}", "kernel")[0, 0], 3 + 3 * i)
        x = np.maximum(norm(separable(x, 2 * i + 1), 4 + 3 * i), 0)
        x = pool(norm(separable(x.astype(np.float32), 2 * i + 2), 5 + 3 * i)) + residual
        x = x.astype(np.float32)
    logits = conv(x, get("conv2d_7", "kernel")).mean((0, 1)) + get("conv2d_7", "bias")
    odds = np.exp(logits - logits.max())
    return odds / odds.sum()


def test_network_equals_its_plain_twin(random_weights: Path) -> None:
    arrays = read_arrays(random_weights.read_bytes(), name="random")
    network = MiniXception(arrays)
    rng = np.random.default_rng(3)
    for _ in range(3):
        picture = rng.uniform(-1, 1, (64, 64)).astype(np.float32)
        assert network(picture) == pytest.approx(slow_network(arrays, picture), abs=2e-4)


def test_compiled_network_equals_its_plain_twin(random_weights: Path) -> None:
    network = MiniXception(read_arrays(random_weights.read_bytes(), name="random"))
    fast = Network(compiled(network), name="compiled", threads=1)
    rng = np.random.default_rng(4)
    for _ in range(5):
        picture = rng.uniform(-1, 1, (64, 64)).astype(np.float32)
        assert fast(picture[None, ..., None])[0][0] == pytest.approx(network(picture), abs=2e-5)


def test_missing_layers_are_named(random_weights: Path) -> None:
    arrays = read_arrays(random_weights.read_bytes(), name="random")
    del arrays["model_weights/conv2d_4/conv2d_4_1/kernel:0"]
    with pytest.raises(ModelError, match="conv2d_4"):
        MiniXception(arrays)


@pytest.mark.parametrize("content", [b"", b"just text", b"\x00\x00\x00\x00TFL3 and nothing more", b"\x89HDF\r\n\x1a\n"])
def test_a_file_that_is_no_model_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.bin"):
        EmotionClassifier(path)


def test_a_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="mien models pull"):
        EmotionClassifier(tmp_path / "gone.tflite")


def pictures() -> list[tuple[Frame, Face]]:
    rng = np.random.default_rng(5)
    noise = [cv2.GaussianBlur(rng.uniform(0, 255, (480, 640, 3)).astype(np.float32), (0, 0), 9) for _ in range(12)]
    sharp = [np.clip((n - n.mean()) * 12 + 128, 0, 255).astype(np.uint8) for n in noise]
    someone = face()
    object.__setattr__(someone, "landmarks", landmarks())
    return [(Frame(image, 0, 0.0), someone) for image in sharp]


def test_classifier_gives_probabilities(random_weights: Path) -> None:
    classify = EmotionClassifier(random_weights)
    for picture, someone in pictures()[:3]:
        seen = classify(picture, someone)
        assert seen.shape == (7,)
        assert seen.dtype == np.float32
        assert seen.sum() == pytest.approx(1, abs=1e-5)
    assert classify(frame(0, 0.0), someone).sum() == pytest.approx(1, abs=1e-5)


def test_both_files_agree(quantised_weights: Path, original_weights: Path) -> None:
    quantised, original = EmotionClassifier(quantised_weights), EmotionClassifier(original_weights)
    for picture, someone in pictures():
        assert quantised(picture, someone) == pytest.approx(original(picture, someone), abs=0.06)


def test_a_smile_looks_happy(original_weights: Path) -> None:
    """On a public-domain photograph with a broad smile, its landmarks placed by hand."""
    data = pytest.importorskip("skimage.data")
    image = data.astronaut()
    points = np.tile(np.array([223, 130, 0], np.float32), (478, 1))
    points[0], points[1] = (178, 120, 0), (268, 120, 0)
    for index, x in ((33, 190), (133, 212), (362, 234), (263, 256)):
        points[index, :2] = x, 108
    someone = face()
    object.__setattr__(someone, "landmarks", points)
    seen = EmotionClassifier(original_weights)(Frame(image, 0, 0.0), someone)
    assert seen.argmax() == 3
    assert seen[3] > 0.8
