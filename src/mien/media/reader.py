"""Video files in: upright RGB frames with their exact time stamps, one at a time, from any container PyAV opens."""

from __future__ import annotations

import re
import struct
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final

import av
from av.filter import Graph
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream

from mien.errors import InputError
from mien.media.container import open_media
from mien.media.memory import MemoryFile, Source
from mien.media.orientation import Orientation
from mien.types import Frame, Picture

MAX_SIDE: Final = 8192
"""Longer sides are refused from the header, before anything is decoded: a small file can claim gigabytes."""
SCALER_THREADS: Final = 1
"""swscale's own pool costs more than it saves (reading 720p: 455 fps with it, 1300 without)."""
LONGEST_PICTURE: Final = Fraction(1800)
"""Seconds for which one picture can be shown. A jump of the time stamps beyond that is damage; MP4 has no room for all
of them either."""
_RATES: Final = (Fraction(1, 3600), Fraction(1000))
"""Frames per second that a header can mean."""
_USUAL_RATE: Final = Fraction(25)
_CLOCK: Final = re.compile(r"([0-9]{1,4}):([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{1,12})?)")
_UNSPECIFIED_COLOURSPACE = 2
_AUDIO_PRIMING = Fraction(1, 20)
"""Sound that starts this little before the picture (seconds) is encoder delay, not content."""


class VideoReader:
    """The pictures of a clip. Use as a context manager and iterate it once.

    Frames come with strictly increasing `pts`, whatever the file says; rotation, mirroring and non-square pixels of
    the container are already applied, and every frame has the size of the first (a call recorded in the browser may
    change it midway). Memory stays flat: one frame at a time.

    Raises InputError, on opening or while iterating, with one sentence that says what is wrong and what to do. A clip
    that breaks in the middle gives its frames up to there first.
    """

    source: Source
    width: int
    """Of the upright picture, in pixels."""
    height: int
    rotation: int
    """Degrees by which the stored picture was turned clockwise: 0, 90, 180 or 270."""
    fps: float
    """Average frames per second; 25 where the file does not say."""
    rate: Fraction
    """The same, exactly."""
    time_base: Fraction
    """Unit of `Frame.pts`, in seconds."""
    start: Fraction
    """Seconds at which the clip begins on its own clock: its first picture, or its sound where that comes earlier."""
    duration: float | None
    """Seconds, as the header says; None if it does not."""
    frame_count: int | None
    """How many frames to expect: the header's word, else an estimate from `duration`; None where neither is known."""
    has_audio: bool

    def __init__(self, source: Source | str, *, max_side: int = MAX_SIDE) -> None:
        self.source = source if isinstance(source, MemoryFile) else Path(source)
        self._max_side = max_side
        self._media = open_media(self.source)
        self._container = self._media.container
        try:
            self._stream = self._video_stream()
            self._describe()
        except BaseException:
            self._media.close()
            raise

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        return self.width, self.height

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._frames.close()  # a suspended decoder still holds the container
        self._media.close()

    def __iter__(self) -> Iterator[Frame]:
        step = max(1, round(1 / (self.rate * self.time_base)))
        last: int | None = None
        for index, decoded in enumerate(self._all_frames()):
            pts = decoded.pts
            if pts is None or (last is not None and pts <= last):
                pts = 0 if last is None else last + step
            if last is not None and (pts - last) * self.time_base > LONGEST_PICTURE:
                raise self._damage(float(last * self.time_base))
            last = pts
            time = float(pts * self.time_base - self.start)
            yield Frame(self._upright(decoded), index, time, pts, self.time_base)
        self._check_complete(last)

    def _check_size(self, width: int, height: int) -> None:
        if max(width, height) > self._max_side:
            raise InputError(
                f"{self.source} claims {width}×{height} pixels; the limit is {self._max_side} a side. "
                "Scale it down first."
            )

    def _video_stream(self) -> VideoStream:
        pictures = [
            stream for stream in self._container.streams.video
            if not stream.disposition & stream.disposition.__class__.attached_pic  # an album's cover is not a video
        ]  # fmt: skip
        if not pictures:
            what = "only sound" if self._container.streams.audio else "no video"
            raise InputError(f"{self.source} holds {what}. Give a clip with a picture.")
        stream = pictures[0]
        if stream.codec_context is None:
            raise InputError(
                f"{self.source} is compressed in a way that cannot be read here. Convert it to H.264 first."
            )
        self._check_size(stream.width, stream.height)
        stream.thread_type = "AUTO"
        stream.codec_context.options = {
            "max_pixels": str(self._max_side**2)
        }  # pictures later on may be larger than the first
        return stream

    def _describe(self) -> None:
        stream, container = self._stream, self._container
        self._frames = self._decode()
        first = next(self._frames, None)
        if first is None:
            raise InputError(f"{self.source} has no pictures that can be read. Record or export it again.")
        self._first = first
        self._orientation = _orientation(first)
        self._scaler = VideoReformatter()
        aspect = stream.sample_aspect_ratio or Fraction(1)
        square = aspect <= 0 or abs(float(aspect) - 1) < 0.01
        self._stored_size = (first.width if square else max(1, round(first.width * aspect)), first.height)
        self._check_size(*self._stored_size)  # what the decoder found, with the pixels made square
        self.width, self.height = self._orientation.size(*self._stored_size)
        self.rotation = self._orientation.degrees

        self.time_base = Fraction(first.time_base or stream.time_base or Fraction(1, 1000))
        self.rate = _rate(stream)
        self.fps = float(self.rate)
        self._declared_end = _end(stream)
        whole = container.duration / av.time_base if container.duration else None
        first_time = float((first.pts or 0) * self.time_base)
        self.duration = whole if self._declared_end is None else self._declared_end - first_time
        self.frame_count = stream.frames or (round(self.duration * self.fps) if self.duration else None)

        self.start = (first.pts or 0) * self.time_base
        self.has_audio = bool(container.streams.audio)
        if self.has_audio:
            audio = container.streams.audio[0]
            if audio.start_time is not None and audio.time_base is not None:
                sound = audio.start_time * Fraction(audio.time_base)
                if self.start - LONGEST_PICTURE < sound < self.start - _AUDIO_PRIMING:
                    self.start = sound

    def _all_frames(self) -> Iterator[av.VideoFrame]:
        yield self._first
        yield from self._frames

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        """Every whole picture. Raises InputError at the first damage after the first good picture; before it, bad
        packets are skipped, as players do (a recording may start in the middle of a group of pictures)."""
        seen: av.VideoFrame | None = None
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except av.InvalidDataError:
                    if seen is None:
                        continue
                    raise
                for frame in frames:
                    if frame.is_corrupt:
                        if seen is None:
                            continue
                        raise self._damage(frame.time)
                    seen = frame
                    yield frame
                if packet.is_corrupt and seen is not None:
                    raise self._damage(seen.time)
        except (av.FFmpegError, OSError) as error:  # what FFmpeg says, and a disk that is pulled out
            raise self._damage(seen.time if seen else None) from error

    def _upright(self, decoded: av.VideoFrame) -> Picture:
        width, height = self._stored_size
        colours = None
        if decoded.colorspace == _UNSPECIFIED_COLOURSPACE and min(decoded.width, decoded.height) >= 720:
            colours = Colorspace.ITU709  # what players assume for HD that says nothing
        rgb = self._scaler.reformat(decoded, width, height, "rgb24", src_colorspace=colours, threads=SCALER_THREADS)
        picture: Picture = rgb.to_ndarray()  # type: ignore[assignment]
        return self._orientation(picture)

    def _check_complete(self, last: int | None) -> None:
        """Some containers end early without a word: compare with the length the header promised."""
        if last is None or self._declared_end is None:
            return
        end = float(last * self.time_base)
        if end < self._declared_end - max(1.0, 3 / self.fps):
            raise self._damage(end)

    def _damage(self, time: float | None) -> InputError:
        where = "from its first picture" if time is None else f"from {max(0.0, time - float(self.start)):.2f} s on"
        return InputError(
            f"{self.source} is damaged or cut off {where}. Copy or export it again, or save what is left of it with "
            f"'ffmpeg -i {self.source.name} repaired.mp4'."
        )


def _orientation(frame: av.VideoFrame) -> Orientation:
    try:
        raw = bytes(_without_profile(frame).side_data["DISPLAYMATRIX"])  # type: ignore[typeddict-item]
    except KeyError:
        return Orientation()
    except ValueError:  # beside it lies a kind that PyAV has no name for: EXIF, a second eye's view
        return Orientation.from_degrees(-frame.rotation)  # its angle is to be had all the same, a mirroring is not
    return Orientation.from_display_matrix(struct.unpack("=9i", raw[:36]))


def _without_profile(frame: av.VideoFrame) -> av.VideoFrame:
    """The same picture without its colour profile.

    Reading `side_data` of a frame with a profile ends the process: the PNG decoder notes the profile's name in the
    metadata of that side data; PyAV (to 18.1 at least) wraps the metadata of every entry in a `Dictionary`, which frees
    it when it goes, and FFmpeg frees it a second time with the frame. No other kind of side data carries metadata.
    """
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
    )  # fmt: skip
    graph.link_nodes(source, graph.add("sidedata", "mode=delete:type=ICC_PROFILE"), graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


def _rate(stream: VideoStream) -> Fraction:
    """Average frames per second, as the header says where it makes sense."""
    slowest, fastest = _RATES
    for said in (stream.average_rate, stream.guessed_rate):
        if said is not None and slowest <= said <= fastest:
            return Fraction(said)
    return _USUAL_RATE


def _end(stream: VideoStream) -> float | None:
    """When the last picture ends, on the clip's own clock, in seconds; None where the header does not say."""
    if stream.duration is not None and stream.time_base is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    tag = _CLOCK.fullmatch(stream.metadata.get("DURATION", ""))  # Matroska, counted from zero
    if tag is None:
        return None
    hours, minutes, seconds = map(float, tag.groups())
    return hours * 3600 + minutes * 60 + seconds
