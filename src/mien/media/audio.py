"""The sound of a clip on its way into an MP4: its packets as they are where MP4 can hold them, else as AAC.

Sound never ends a run: a track that cannot be passed on is left out, damaged parts of one are silent, and `note` says
so.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from itertools import islice
from typing import Final, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from mien.media.container import Media, open_media
from mien.media.memory import Source

COPIED: Final = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
"""Codecs that MP4 holds and players expect there; their packets are passed on bit for bit."""
_AAC_RATES: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_TRIED: Final = 25
"""Packets with which is tried whether a track can be passed on: half a second of most codecs."""
_LONGEST_GAP: Final = 1800
"""Seconds. A jump of the time stamps beyond that is damage, and more than MP4 can write down."""
_FAULTS: Final = (av.FFmpegError, ValueError, ArithmeticError, OSError)
"""What PyAV raises for a track whose header makes no sense (a rate of 0, a thousand channels), and for a file that
cannot be read on."""

AudioPacket: TypeAlias = "Packet[AudioStream]"


class AudioTrack:
    """The first sound track of `source` that can be passed on, as packets for `output`, in order of time, never more
    than one held.

    `start` is the clip's beginning on its own clock, in seconds: what the pictures' time stamps are shifted by.
    """

    def __init__(self, source: Source, output: OutputContainer, *, start: Fraction = Fraction(0)) -> None:
        self._start = start
        self._media = open_media(source)
        self._way: _Way | None = None
        self._packets: Generator[AudioPacket, None, None] | None = None
        self._next: AudioPacket | None = None
        self._time = Fraction(0)
        self._cut: Fraction | None = None
        tracks = self._media.container.streams.audio
        self._codecs = ", ".join(_codec(track) or "unknown codec" for track in tracks)
        for number in range(len(tracks)):
            for kind in (_Copied, _Converted):
                if _works(source, number, kind):
                    self._way = kind(self._media, number, output)
                    self._packets = self._shifted(self._way)
                    return

    @property
    def note(self) -> str:
        """What happens to the sound, for the user: "copied as it is (aac)", "converted from vorbis to aac"."""
        if self._way is None:
            return f"left out, because it cannot be read here ({self._codecs})"
        if self._cut is not None:
            return f"{self._way.note} up to {float(self._cut):.2f} s; the rest is damaged and left out"
        return f"{self._way.note}; damaged parts are left out" if self._way.damaged else self._way.note

    @property
    def lost(self) -> bool:
        """Whether any of it is left out."""
        return self._way is None or self._way.damaged or self._cut is not None

    def until(self, time: Fraction | None) -> Generator[AudioPacket, None, None]:
        """The next packets that begin before `time`, in seconds from the clip's start; all that are left if None."""
        while self._packets is not None:
            try:
                packet = self._next or next(self._packets, None)
            except _FAULTS:
                self.cut()
                return
            if packet is None:
                return
            if packet.dts is not None:
                begin = packet.dts * Fraction(packet.time_base)
                if time is not None and begin >= time:
                    self._next = packet
                    return
                self._time = begin + (packet.duration or 0) * Fraction(packet.time_base)
            self._next = None
            yield packet

    def cut(self) -> None:
        """Pass nothing more on: the file is damaged here, or the container refuses the last packet."""
        self._cut = self._time
        self._packets = self._next = None

    def close(self) -> None:
        """Release the source."""
        if self._packets is not None:
            self._packets.close()
        self._media.close()

    def _shifted(self, way: _Way) -> Generator[AudioPacket, None, None]:
        """Packets on the clock of the pictures, whose time stamps increase, as MP4 wants it."""
        last: int | None = None
        for packet in way.packets():
            step = max(1, packet.duration or 1)
            dts = packet.dts if packet.dts is not None else packet.pts
            if dts is None:
                dts = 0 if last is None else last + step
            else:
                dts -= round(self._start / packet.time_base)
            if abs(dts - (last or 0)) * packet.time_base > _LONGEST_GAP:
                raise ValueError(f"the sound jumps from {last} to {dts}")
            if last is not None and dts <= last:
                dts = last + 1
            last = dts
            packet.dts = packet.pts = dts  # no audio codec reorders
            packet.stream = way.stream
            yield packet


class _Way(ABC):
    """A way to pass on the track of that number. Adds its stream to `output`."""

    note: str
    stream: AudioStream
    damaged = False
    """Whether packets were left out so far."""

    def __init__(self, media: Media, number: int, output: OutputContainer) -> None:
        self._media, self._track = media, media.container.streams.audio[number]

    @abstractmethod
    def packets(self) -> Iterator[AudioPacket]:
        """All packets, on the source's clock. Raises one of `_FAULTS` where the file cannot be read on."""

    def _demuxed(self) -> Iterator[AudioPacket]:
        for packet in self._media.container.demux(self._track):
            if packet.is_corrupt:
                self.damaged = True
            else:
                yield packet


class _Copied(_Way):
    def __init__(self, media: Media, number: int, output: OutputContainer) -> None:
        super().__init__(media, number, output)
        codec = _codec(self._track)
        if codec not in COPIED:
            raise ValueError(f"{codec} is not copied")
        self.stream = output.add_stream_from_template(self._track)
        self.note = f"copied as it is ({codec})"

    def packets(self) -> Iterator[AudioPacket]:
        return (packet for packet in self._demuxed() if packet.size)


class _Converted(_Way):
    def __init__(self, media: Media, number: int, output: OutputContainer) -> None:
        super().__init__(media, number, output)
        codec = _codec(self._track)
        if codec is None:
            raise ValueError("no known codec")
        context = self._track.codec_context
        rate = context.sample_rate if context.sample_rate in _AAC_RATES else 48000
        layout = "mono" if context.channels == 1 else "stereo"
        self.stream = output.add_stream("aac", rate=rate, layout=layout)
        self.stream.bit_rate = 96_000 if layout == "mono" else 160_000
        self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        self.note = f"converted from {codec} to aac"

    def packets(self) -> Iterator[AudioPacket]:
        context = self.stream.codec_context
        for sound in self._resampled():
            yield from context.encode(sound)
        yield from context.encode(None)

    def _resampled(self) -> Iterator[av.AudioFrame]:
        for packet in self._demuxed():
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.damaged = True
                continue
            for frame in frames:
                yield from self._resampler.resample(frame)
        yield from self._resampler.resample(None)


def _works(source: Source, number: int, kind: type[_Way]) -> bool:
    """Whether the beginning of a track can be passed on, tried on a file in memory: a decoder for the codec is not
    enough, and MP4's writer takes some packets only with the right header."""
    with closing(open_media(source)) as media:
        try:
            with av.open(io.BytesIO(), "w", format="mp4") as output:
                way = kind(media, number, output)
                output.start_encoding()
                count = 0
                for count, packet in enumerate(islice(way.packets(), _TRIED), start=1):  # noqa: B007
                    packet.stream = way.stream
                    output.mux(packet)
        except _FAULTS:
            return False
    return count > 0


def _codec(track: AudioStream) -> str | None:
    """FFmpeg's name of the codec; None where it has no decoder."""
    context = track.codec_context
    return None if context is None else context.codec.canonical_name
