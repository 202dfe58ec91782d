"""The driver's light on an avatar's picture: the skin fits, dark hair keeps its hue, and levels keep their order."""

from __future__ import annotations

import numpy as np
import pytest

from mien.scene.paste.colour import Light
from mien.types import Picture

PALE, TANNED, BLUISH, DIM = (235, 215, 210), (190, 140, 110), (200, 205, 225), (60, 45, 40)


def table(driver: tuple[int, int, int], own: tuple[int, int, int]) -> Picture:
    """What the light of a driver's skin does to an avatar whose skin is `own`."""
    light = Light()
    frame = np.full((8, 8, 3), driver, np.uint8)
    light.observe(frame, np.full((8, 8), 255, np.uint8), 0.0)
    return light.table(np.array(own, np.float64))[0]


@pytest.mark.parametrize("driver", [PALE, TANNED, BLUISH, DIM])
@pytest.mark.parametrize("own", [(150, 125, 60), (200, 160, 140), (90, 60, 50)])
def test_levels_keep_their_order_and_black_stays_black(driver: tuple[int, int, int], own: tuple[int, int, int]) -> None:
    levels = table(driver, own).astype(int)
    assert (np.diff(levels, axis=0) >= 0).all()
    assert (levels[0] == 0).all()
    skin = np.array([levels[own[channel], channel] for channel in range(3)])
    assert np.abs(skin - driver).mean() < np.abs(np.array(own) - driver).mean() + 1


@pytest.mark.parametrize("driver", [PALE, TANNED, BLUISH])
def test_dark_hair_stays_dark_and_keeps_its_hue(driver: tuple[int, int, int]) -> None:
    levels = table(driver, (150, 125, 60)).astype(int)
    hair = np.array([levels[value, channel] for channel, value in enumerate((42, 30, 24))])
    assert hair.mean() < 70
    assert hair[0] > hair[1] >= hair[2]
    assert hair[0] / max(hair[2], 1) == pytest.approx(42 / 24, rel=0.15)
