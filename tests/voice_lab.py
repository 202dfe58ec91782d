"""The voice's modules in a real browser: the mask on given sounds, and a page that hears a given microphone."""

from __future__ import annotations

import base64
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from browsers import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

Sound = NDArray[np.float64]

PAGES = Path(__file__).parents[1] / "src" / "mien" / "studio" / "pages"
SEED = (1, 2, 3, 4)

_PAGE = "<!doctype html><meta charset=utf-8><title>voice</title><script type=module src=/lab.js></script>"
_SCRIPT = Path(__file__).with_name("voice_lab.js").read_text(encoding="utf-8")
_RECORDER = """
registerProcessor("recorder", class extends AudioWorkletProcessor {
  process([input]) {
    this.port.postMessage({ time: currentTime, sound: input[0]?.slice() ?? new Float32Array(128) });
    return true;
  }
});
"""
_CSP = "default-src 'none'; script-src 'self'; connect-src 'self'; media-src 'self' blob:"


@dataclass(frozen=True, slots=True)
class Masked:
    """What came out of the mask, and what it knew at the end."""

    sound: Sound
    f0: Sound
    """Hz per block of 128 samples, 0 without voice."""
    latency: float
    """s, what the mask says."""
    pitch: float
    """Hz, what it moves everybody's usual pitch to."""
    tract: float
    range: float
    factor: float
    source: Sound
    """(bins,) for each bin out, the bin it came from."""
    bin: float
    """Hz from one bin to the next."""
    known: dict[str, float]
    """What it takes the speaker's pitch and tract to be."""

    def moved(self, hertz: Sound) -> Sound:
        """Where formants at so many Hz are moved to."""
        return np.interp(hertz, self.source * self.bin, np.arange(len(self.source)) * self.bin)


class Lab:
    """A page with the modules loaded."""

    def __init__(self, page: Page, files: dict[str, str]) -> None:
        self.page = page
        self.files = files
        """Served instead of what is on disk: path to JavaScript."""

    def mask(self, sound: Sound, rate: int, *, seed: tuple[int, ...] = SEED) -> Masked:
        """The mask run on a sound, block by block."""
        told = self.page.evaluate("masked", {"sound": packed(sound), "rate": rate, "seed": list(seed)})
        return Masked(**{**told, **{name: unpacked(told[name]) for name in ("sound", "f0", "source")}})

    def rendered(self, sound: Sound, rate: int, *, seed: tuple[int, ...] = SEED) -> Sound:
        """The same through the audio worklet."""
        return unpacked(self.page.evaluate("rendered", {"sound": packed(sound), "rate": rate, "seed": list(seed)}))

    def cost(self, sound: Sound, rate: int, *, rounds: int) -> list[float]:
        """s of each round over a sound."""
        told = self.page.evaluate("cost", {"sound": packed(sound), "rate": rate, "seed": list(SEED), "rounds": rounds})
        return [float(seconds) for seconds in told]

    def run(self, script: str, argument: Any = None) -> Any:
        """The body of an async function of `argument`, with Voice imported, on a page just loaded."""
        self.page.reload()
        self.page.wait_for_function("window.ready")
        body = f'async (argument) => {{ const {{ Voice, VoiceError }} = await import("/voice/voice.js"); {script} }}'
        return self.page.evaluate(body, argument)


@contextmanager
def lab(microphone: Path | None = None) -> Iterator[Lab]:
    """A browser on a page of its own little server; `microphone` is a .wav that it hears over and over."""
    more = ["--autoplay-policy=no-user-gesture-required"]
    if microphone is not None:
        more += [
            "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={microphone}",
        ]  # fmt: skip
    files: dict[str, str] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, files))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with chromium(more=more) as browser:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            page.wait_for_function("window.ready")
            yield Lab(page, files)
    finally:
        server.shutdown()
        server.server_close()


class _Files(SimpleHTTPRequestHandler):
    """The pages' folder, the lab's own files before it, under the studio's rules for scripts."""

    def __init__(self, files: dict[str, str], *args: Any) -> None:
        self.files = {"/": _PAGE, "/lab.js": _SCRIPT, "/recorder.js": _RECORDER, **files}
        super().__init__(*args, directory=str(PAGES))

    def do_GET(self) -> None:
        text = self.files.get(self.path)
        if text is None:
            return super().do_GET()
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", "text/html" if self.path == "/" else "text/javascript")
        self.end_headers()
        self.wfile.write(text.encode())
        return None

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", _CSP)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def packed(sound: Sound) -> str:
    return base64.b64encode(np.asarray(sound, "<f4").tobytes()).decode()


def unpacked(text: str) -> Sound:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(float)


def write_wav(path: Path, sound: Sound, rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.int16(np.clip(sound, -1, 1) * 32767).tobytes())
    return path
