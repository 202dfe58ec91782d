"""The sound of a clip on its way into an MP4: its packets as they are where MP4 can hold them, else as AAC."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from mien.errors import InputError
from mien.media.container import open_media
from mien.media.memory import Source

COPIED: Final = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
"""Codecs that MP4 holds and players expect there; their packets are passed on bit for bit."""
_AAC_RATES: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)


class AudioTrack:
    """The first sound track of `source` as packets for `output`, in order of time, never more than one held.

    `start` is the clip's beginning on its own clock, in seconds: what the pictures' time stamps are shifted by.
    """

    note: str
    """What happens to the sound, for the user: "copied as it is (aac)", "converted from vorbis to aac"."""

    def __init__(self, source: Source, output: OutputContainer, *, start: Fraction = Fraction(0)) -> None:
        self._source = source
        self._start = start
        self._media = open_media(source)
        self._track = self._media.container.streams.audio[0]
        codec = self._track.codec_context.codec.canonical_name
        if codec in COPIED:
            self._stream: AudioStream = output.add_stream_from_template(self._track)
            self.note = f"copied as it is ({codec})"
            self._packets = self._copied()
        else:
            context = self._track.codec_context
            rate = context.sample_rate if context.sample_rate in _AAC_RATES else 48000
            layout = "mono" if context.channels == 1 else "stereo"
            self._stream = output.add_stream("aac", rate=rate, layout=layout)
            self._stream.bit_rate = 96_000 if layout == "mono" else 160_000
            self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
            self.note = f"converted from {codec} to aac"
            self._packets = self._converted()
        self._next: Packet[AudioStream] | None = None

    def until(self, time: Fraction | None) -> Generator[Packet[AudioStream], None, None]:
        """The next packets that begin before `time`, in seconds from the clip's start; all that are left if None."""
        while True:
            packet = self._next or next(self._packets, None)
            if packet is None:
                return
            if time is not None and packet.dts is not None and packet.dts * Fraction(packet.time_base) >= time:
                self._next = packet
                return
            self._next = None
            yield packet

    def close(self) -> None:
        """Release the source."""
        self._packets.close()
        self._media.close()

    def _demuxed(self) -> Generator[Packet[AudioStream], None, None]:
        try:
            for packet in self._media.container.demux(self._track):
                if packet.is_corrupt:
                    raise self._damage()
                yield packet
        except av.FFmpegError as error:
            raise self._damage() from error

    def _copied(self) -> Generator[Packet[AudioStream], None, None]:
        last: int | None = None
        for packet in self._demuxed():
            if packet.size == 0:
                continue
            dts = packet.dts if packet.dts is not None else packet.pts
            if dts is None:
                dts = 0 if last is None else last + max(1, packet.duration or 1)
            else:
                dts -= round(self._start / packet.time_base)
            if last is not None and dts <= last:  # MP4 wants time to move on
                dts = last + 1
            last = dts
            packet.dts = packet.pts = dts  # no audio codec reorders
            packet.stream = self._stream
            yield packet

    def _converted(self) -> Generator[Packet[AudioStream], None, None]:
        context = self._stream.codec_context
        for sound in self._resampled():
            yield from self._shifted(context.encode(sound))
        yield from self._shifted(context.encode(None))

    def _resampled(self) -> Generator[av.AudioFrame, None, None]:
        for packet in self._demuxed():
            try:
                frames = packet.decode()
            except av.InvalidDataError as error:
                raise self._damage() from error
            for frame in frames:
                yield from self._resampler.resample(frame)
        yield from self._resampler.resample(None)

    def _shifted(self, packets: list[Packet[AudioStream]]) -> Generator[Packet[AudioStream], None, None]:
        for packet in packets:
            offset = round(self._start / packet.time_base)
            if packet.pts is not None:
                packet.pts -= offset
            if packet.dts is not None:
                packet.dts -= offset
            packet.stream = self._stream
            yield packet

    def _damage(self) -> InputError:
        return InputError(
            f"The sound of {self._source} is damaged. Run again without sound, or repair the clip first with "
            f"'ffmpeg -i {self._source.name} repaired.mp4'."
        )
