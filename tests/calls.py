"""A whole consultation in two windows of a real browser: a patient before a filmed camera, a clinician who looks on.

The camera's pictures stand before a loud green that no avatar has, so that a single one that gets out is seen.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import cv2
import numpy as np

from browsers import CAMERA_FPS, CAMERA_SIZE, chromium
from mien.types import Picture
from patience import LONG

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

WATCHED = """
window.watched = { peers: [], devices: [], sockets: [], given: [] };
const Peer = RTCPeerConnection;
window.RTCPeerConnection = class extends Peer { constructor(...a) { super(...a); watched.peers.push(this); } };
const Socket = WebSocket;
window.WebSocket = class extends Socket { constructor(...a) { super(...a); watched.sockets.push(this); } };
const media = navigator.mediaDevices;
if (media) {
  const open = media.getUserMedia.bind(media);
  media.getUserMedia = async (wish) => {
    const stream = await open(wish);
    watched.devices.push(...stream.getTracks());
    return stream;
  };
}
const clone = MediaStreamTrack.prototype.clone;
MediaStreamTrack.prototype.clone = function () {
  const copy = clone.call(this);
  if (watched.devices.includes(this)) watched.devices.push(copy);
  return copy;
};
for (const [type, name] of [[RTCRtpSender, "replaceTrack"], [Peer, "addTrack"], [Peer, "addTransceiver"]]) {
  const give = type.prototype[name];
  type.prototype[name] = function (...a) { watched.given.push(a[0]); return give.apply(this, a); };
}
"""
"""Keeps hold of every connection, device and track that a page uses."""

_FILMED = """
async ([count, step, side]) => {
  const video = document.querySelector("#picture");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d"), frames = [], began = performance.now();
  for (let i = 0; i < count; i++) {
    await new Promise((done) => setTimeout(done, Math.max(0, began + i * step - performance.now())));
    context.drawImage(video, 0, 0, side, side);
    frames.push([performance.now() - began, canvas.toDataURL("image/jpeg", 0.9).split(",")[1]]);
  }
  return frames;
}
"""


def green_ground() -> Picture:
    """(480, 640, 3): a room that is loudly green."""
    width, height = CAMERA_SIZE
    noise = np.random.default_rng(0).integers(-30, 30, (height // 8, width // 8, 1))
    ground = np.clip(np.array([10, 225, 10]) + noise, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(ground, CAMERA_SIZE, interpolation=cv2.INTER_NEAREST), np.uint8)


def before_green(*portraits: Picture, height: int = 420) -> Picture:
    """Square portraits side by side in that room."""
    picture = green_ground()
    side = min(height, CAMERA_SIZE[0] // max(1, len(portraits)) - 20)
    for number, portrait in enumerate(portraits):
        left = (CAMERA_SIZE[0] - len(portraits) * (side + 20)) // 2 + number * (side + 20) + 10
        top = CAMERA_SIZE[1] - side
        small = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
        picture[top : top + side, left : left + side] = small
    return picture


def green(picture: Picture) -> float:
    """Share of the picture that is the camera's room, 0 to 1."""
    r, g, b = (picture[..., i].astype(int) for i in range(3))
    return float(((g > 150) & (g - r > 90) & (g - b > 90)).mean())


@dataclass(frozen=True)
class Call:
    """Two windows, one consultation."""

    patient: Page
    clinician: Page
    requests: list[str]
    """Every address that either window asked for."""

    def filmed(self, seconds: float, *, fps: float = 10, side: int = 256) -> list[tuple[float, Picture]]:
        """What the clinician sees: seconds since the beginning, (side, side, 3) uint8 RGB."""
        return decoded(self.clinician.evaluate(_FILMED, [round(seconds * fps), 1000 / fps, side]))

    def leaks(self, seconds: float) -> list[float]:
        """How much of the camera's room the clinician sees, picture by picture."""
        return [green(picture) for _, picture in self.filmed(seconds, fps=8, side=192)]

    def senders_hold_devices(self) -> bool:
        """Whether anything that was ever given to a connection came from a camera or microphone."""
        return bool(self.patient.evaluate("watched.given.some((track) => watched.devices.includes(track))"))


def decoded(frames: Iterable[tuple[float, str]]) -> list[tuple[float, Picture]]:
    """Pictures out of a page's data, times in seconds."""
    pictures = []
    for milliseconds, data in frames:
        raw = np.frombuffer(base64.b64decode(data), np.uint8)
        pictures.append((milliseconds / 1000, np.asarray(cv2.imdecode(raw, cv2.IMREAD_COLOR)[..., ::-1], np.uint8)))
    return pictures


@contextmanager
def call(link: str, camera: Path, *, avatar: str = "") -> Iterator[Call]:
    """The patient opens the studio at `link`, starts, invites; the clinician comes and is let in."""
    with chromium(camera) as browser:
        requests: list[str] = []

        def window(context: BrowserContext) -> Page:
            page = context.new_page()
            page.on("request", lambda request: requests.append(request.url))
            page.on("websocket", lambda socket: requests.append(socket.url))
            page.on("dialog", lambda dialog: dialog.accept())
            return page

        first, second = browser.new_context(locale="en"), browser.new_context(locale="en")
        first.add_init_script(WATCHED)
        patient, clinician = window(first), window(second)
        start(patient, link, avatar=avatar)
        patient.get_by_role("button", name="Make an invitation").click()
        invitation = patient.locator("#invite input").first.input_value()
        clinician.goto(invitation)
        clinician.get_by_label("Your name").fill("Dr Kim")
        clinician.get_by_role("button", name="Ask to join").click()
        patient.get_by_role("button", name="Let them in").click()
        until(lambda: clinician.evaluate("document.querySelector('#picture').videoWidth > 0"))
        yield Call(patient, clinician, requests)
        assert all(urlsplit(url).hostname in ("127.0.0.1", None) for url in requests), requests


def start(page: Page, link: str, *, avatar: str = "") -> None:
    """Open the studio and go live, as a patient would."""
    page.goto(link)
    if avatar:
        page.locator(f"input[type=radio][value={avatar}]").check(force=True)
    page.get_by_role("button", name="Start").click()
    page.locator("#live").wait_for(state="visible")


def until(condition: Callable[[], object], *, seconds: float = LONG) -> None:
    """Wait for it; what playwright has for that needs eval, which our pages forbid."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def looped(pictures: list[Picture], seconds: float) -> list[Picture]:
    """One picture after the other, again and again."""
    count = round(seconds * CAMERA_FPS)
    return [pictures[index % len(pictures)] for index in range(count)]
