"""Video files out: H.264 MP4 with exact time stamps, the sound passed on, marked as synthetic, whole or not at all."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Final, Literal

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from mien.errors import OutputError
from mien.media.atomic import Outputs, atomic_path
from mien.media.audio import AudioTrack
from mien.media.memory import Source
from mien.media.reader import SCALER_THREADS, VideoReader
from mien.media.synthetic import VIDEO_NOTE
from mien.types import Picture

Audio = Literal["keep", "drop"]

_QUEUE: Final = 4
"""Frames that may wait for the encoder: enough to even it out, little memory."""
_FINEST: Final = 1_000_000
"""Ticks per second, at most: MP4 has 31 bits for the time from one picture to the next, so that is half an hour."""
_BT709: Final = 1


class VideoWriter:
    """Writes pictures to an MP4. Use as a context manager: the file appears under its name only when the block ends
    well; an exception or Ctrl-C leaves nothing behind.

    Encoding runs in a thread of its own, a few frames behind. `write` copies what it is given. The same pictures
    do not always give the same bytes: x264 shares out its bits (mbtree) by memory that it has not cleared.

    Raises OutputError where the file cannot be written, the disk is full, or it would replace the input.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        size: tuple[int, int],
        rate: Fraction | float = Fraction(30),
        time_base: Fraction | None = None,
        start: Fraction = Fraction(0),
        audio_from: Source | str | None = None,
        inputs: tuple[Source | str, ...] = (),
        outputs: Outputs | None = None,
        crf: int = 20,
        preset: str = "veryfast",
    ) -> None:
        """
        size: width and height of the pictures; an odd side is extended by one pixel (H.264 needs even ones).
        rate: average frames per second: the step between frames without a time stamp.
        time_base: unit of the `pts` given to `write`, seconds; 1 / rate if None.
        start: what to subtract from every time stamp, pictures and sound, in seconds: the clip's own beginning.
        audio_from: file whose sound is passed on; None for silence.
        inputs: files that must not be overwritten, besides `audio_from`.
        outputs: files together with which this one appears, when their block ends; by itself if None.
        crf: x264's constant quality, 0 (lossless) to 51; lower is better and larger.
        """
        self.path = Path(path)
        self.size = size
        self._audio: AudioTrack | None = None
        self._rate = Fraction(rate).limit_denominator(1_000_000)
        self._input_base = Fraction(time_base) if time_base is not None else 1 / self._rate
        self._base = self._input_base if self._input_base.denominator <= _FINEST else Fraction(1, _FINEST)
        self._start = start
        self._audio_from = Path(audio_from) if isinstance(audio_from, str) else audio_from
        self._outputs = outputs
        self._inputs = (*inputs, *([self._audio_from] if self._audio_from else []))
        self._options = {"crf": str(crf), "preset": preset}
        self._last: int | None = None
        self._last_pts: int | None = None
        self._queue: Queue[av.VideoFrame | None] = Queue(_QUEUE)
        self._failure: BaseException | None = None
        self._aborted = False

    @classmethod
    def like(
        cls, clip: VideoReader, path: Path | str, *, size: tuple[int, int] | None = None, audio: Audio = "keep",
        outputs: Outputs | None = None, crf: int = 20, preset: str = "veryfast",
    ) -> VideoWriter:  # fmt: skip
        """A writer whose pictures keep the time stamps of `clip`, with its sound if `audio` is "keep"."""
        return cls(
            path, size=size or clip.size, rate=clip.rate, time_base=clip.time_base, start=clip.start,
            audio_from=clip.source if audio == "keep" and clip.has_audio else None, inputs=(clip.source,),
            outputs=outputs, crf=crf, preset=preset,
        )  # fmt: skip

    @property
    def audio_note(self) -> str:
        """What became of the sound, in words for the user; the last word once the block is left."""
        return "dropped" if self._audio is None else self._audio.note

    @property
    def audio_lost(self) -> bool:
        """Whether sound that should be passed on could not be, or not all of it."""
        return self._audio is not None and self._audio.lost

    def __enter__(self) -> VideoWriter:
        with ExitStack() as stack:
            part = stack.enter_context(atomic_path(self.path, *self._inputs, outputs=self._outputs))
            # Freed on every path out, before the rename: Windows cannot rename an open file.
            self._container: OutputContainer = av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"})
            stack.callback(self._container.close)
            self._container.metadata.update(comment=VIDEO_NOTE, description=VIDEO_NOTE)
            self._stream = self._video_stream()
            if self._audio_from is not None:
                self._audio = AudioTrack(self._audio_from, self._container, start=self._start)
                stack.callback(self._audio.close)
            # Now, with every setting made: an early sound packet would otherwise write the header half-set.
            self._container.start_encoding()
            self._scaler = VideoReformatter()
            self._thread = threading.Thread(target=self._encode_all, name="mien-encoder", daemon=True)
            self._thread.start()
            self._part = part
            self._stack = stack.pop_all()
        return self

    def write(self, picture: Picture, pts: int | None = None) -> None:
        """Append (H, W, 3) uint8 RGB of the writer's size, shown from `pts` (in `time_base` units, strictly increasing)
        until the next; one step after the last if None."""
        width, height = self.size
        if picture.shape != (height, width, 3) or picture.dtype != np.uint8:
            raise ValueError(f"expected a uint8 picture of shape {(height, width, 3)}, got {picture.shape}")
        if self._failure is not None:
            raise self._failure
        if pts is not None:
            if self._last_pts is not None and pts <= self._last_pts:
                raise ValueError(f"time stamps must increase: {pts} after {self._last_pts}")
            self._last_pts = pts
        tick = self._tick(pts)
        if self._last is not None:
            tick = max(tick, self._last + 1)  # two pictures in one tick: the file's unit may be coarser
        self._last = tick
        if width % 2 or height % 2:
            picture = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)  # type: ignore
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
        frame.pts = tick
        frame.time_base = self._base
        self._queue.put(frame)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._aborted = kind is not None
        try:
            self._end_encoding()
        except BaseException as failure:  # the encoder's, or Ctrl-C while it empties its queue
            self._aborted = True
            self._thread.join()
            self._stack.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._stack.__exit__(kind, error, tb)

    def _end_encoding(self) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._aborted:
            return
        if self._failure is not None:
            raise self._failure
        if self._last is None:
            raise OutputError(f"No picture was given for {self.path}, so it was not written.")

    def _video_stream(self) -> VideoStream:
        width, height = self.size
        stream = self._container.add_stream("libx264", rate=self._rate, options=self._options)
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = self._base
        context.gop_size = max(1, round(2 * self._rate))  # a player can jump to any moment within two seconds
        context.color_range = ColorRange.MPEG
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        return stream

    def _tick(self, pts: int | None) -> int:
        """The time stamp in the file's own unit, counted from the clip's start."""
        if pts is None:
            return 0 if self._last is None else self._last + max(1, round(1 / (self._rate * self._base)))
        return round((pts * self._input_base - self._start) / self._base)

    def _encode_all(self) -> None:
        """The encoder's thread: to the end of the queue even after a failure, so that `write` never waits in vain."""
        for frame in iter(self._queue.get, None):
            if self._failure is None and not self._aborted:
                try:
                    self._encode(frame)
                except BaseException as error:
                    self._failure = error
        if self._failure is None and not self._aborted and self._last is not None:
            try:
                self._container.mux(self._stream.encode(None))
                self._mux_audio(None)
            except BaseException as error:
                self._failure = error

    def _encode(self, frame: av.VideoFrame) -> None:
        assert frame.pts is not None
        self._mux_audio(frame.pts * self._base)
        picture = self._scaler.reformat(
            frame,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=SCALER_THREADS,
        )
        self._container.mux(self._stream.encode(picture))

    def _mux_audio(self, until: Fraction | None) -> None:
        """Sound up to that moment, so that it lies beside its pictures in the file and never piles up in memory."""
        if self._audio is not None:
            for packet in self._audio.until(until):
                try:
                    self._container.mux(packet)
                except (av.InvalidDataError, av.ArgumentError):
                    self._audio.cut()
                    return
