"""What the voice mask hides, what it keeps and what it costs: `python -m benchmarks.voice [--people 12]`.

In headless Chromium, on voices made by formula, so that pitch, vocal tract and vowels are known. Beside it, on the same
voices: one shift for everybody, which is what voice changers do, and the McAdams coefficient, the public baseline
without training of the VoicePrivacy challenges (Patino et al., "Speaker anonymisation using the McAdams coefficient",
2021).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.table import Table

# The voices and the ears are those of the tests.
sys.path.append(str(Path(__file__).parents[1] / "tests"))
import listening
from voice_lab import Lab, lab
from voices import CHILD, HISSES, MAN, RATE, VOWELS, WOMAN, anybody, say

Sound = NDArray[np.float64]
Way = Callable[[Sound], Sound]
"""A voice to what is heard of it."""


def sentence(rng: np.random.Generator, seconds: float) -> str:
    """Vowels, alone or in twos, with hisses, bursts and pauses between them."""
    letters = ""
    while len(letters) * 0.21 < seconds:
        letters += rng.choice([*HISSES]) if rng.random() < 0.6 else ""
        letters += "".join(rng.choice([*VOWELS], rng.choice([1, 2], p=[0.7, 0.3])))
        letters += " " if rng.random() < 0.15 else ""
    return letters


def shifted(sound: Sound, factor: float = 1.25) -> Sound:
    """Played faster: pitch and formants up by one factor."""
    return np.interp(np.arange(0, len(sound) - 1, factor), np.arange(len(sound)), sound)


def mcadams(sound: Sound, power: float = 0.8, order: int = 20) -> Sound:
    """Angles of linear prediction's poles raised to a power, frame by frame, at 16 kHz."""
    slow = listening.slower(sound, RATE, 16_000)
    size, hop, long = 320, 160, 1024
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size)
    out = np.zeros(len(slow) + long)
    for start in range(0, len(slow) - size, hop):
        frame = slow[start : start + size] * window
        likeness = np.correlate(frame, frame, "full")[size - 1 : size + order]
        if likeness[0] < 1e-9:
            continue
        matrix = likeness[np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
        predictor = np.linalg.solve(matrix + 1e-6 * likeness[0] * np.eye(order), likeness[1:])
        poles = np.roots([1, *-predictor])
        angles = np.angle(poles)
        moved = np.where(np.abs(poles.imag) > 1e-6, np.sign(angles) * np.abs(angles) ** power, angles)
        new = np.poly(np.minimum(np.abs(poles), 0.99) * np.exp(1j * moved)).real
        filters = np.fft.rfft([1, *-predictor], long) / np.fft.rfft(new, long)
        made = np.fft.irfft(np.fft.rfft(frame, long) * filters, long)[:size]
        made *= np.sqrt(np.sum(frame**2) / (np.sum(made**2) + 1e-12))
        out[start : start + size] += made * window
    return out[: len(slow)]


def hidden(browser: Lab, *, people: int, seconds: float, draws: int = 3) -> Table:
    """Whether a classic speaker recogniser still knows who speaks; the mask with so many draws of its sessions."""
    rng = np.random.default_rng(5)
    speakers = [anybody(rng) for _ in range(people)]
    sessions = [
        [say(who, sentence(rng, seconds), seed=2 * number + again).sound for number, who in enumerate(speakers)]
        for again in (0, 1)
    ]

    def masked(sound: Sound) -> Sound:
        return browser.mask(sound, RATE, seed=tuple(map(int, rng.integers(0, 2**32, 4)))).sound

    natural = [[listening.voiceprint(sound, RATE) for sound in session] for session in sessions]
    scale = np.sqrt(np.mean([rows.var(0) for rows in natural[0]], axis=0)) + 1e-6
    ways: dict[str, tuple[Way, int, int]] = {
        "as it is": (lambda sound: sound, RATE, 1),
        "one shift for everybody": (shifted, RATE, 1),
        "McAdams coefficient 0.8": (mcadams, 16_000, 1),
        "**masked**": (masked, RATE, draws),
    }
    table = Table(
        f"Who speaks? {people} made speakers, two sessions of {seconds:.0f} s",
        ("voice", "told by natural recordings", "by recordings of its kind", "distance", "usual pitches, semitones"),
    )
    for name, (way, rate, rounds) in ways.items():
        figures = []
        for _ in range(rounds):
            first, second = ([listening.voiceprint(way(sound), rate) for sound in session] for session in sessions)
            usual = [12 * float(rows[:, 40].mean()) / np.log(2) for rows in second]
            figures.append(
                (
                    listening.recognised(natural[0], second),
                    listening.recognised(first, second),
                    listening.apart(second, scale),
                    float(np.std(usual)),
                )
            )
        known, alike, distance, pitches = np.mean(figures, axis=0)
        table.add(name, f"{known:.0%}", f"{alike:.0%}", f"{distance:.1f}", f"{pitches:.1f}")
    table.note = (
        f"Share of pieces of 4 s whose speaker is named rightly (chance {1 / people:.0%}) by somebody who "
        "has another session of everybody: natural recordings, or recordings that went the same way. Distance: between "
        "speakers' mean prints, each feature over its spread within a natural speaker. Last: how far usual pitches lie "
        "apart, standard deviation. Made voices vary less from one moment to the next than people do, which makes them "
        "easier to tell: compare the rows."
    )
    return table


def kept(browser: Lab, *, seconds: float) -> Table:
    """Whether what is said, and how, arrives."""
    table = Table(
        "What arrives",
        (
            "speaker",
            "usual pitch, Hz",
            "intonation r",
            "its span kept",
            "formants",
            "level, dB",
            "speech kept",
            "of another's",
        ),
    )
    rng = np.random.default_rng(2)
    other = say(WOMAN, sentence(rng, seconds), seed=99).sound
    for number, (name, who) in enumerate({"man": MAN, "woman": WOMAN, "child": CHILD}.items()):
        speech = say(who, sentence(rng, seconds), seed=number)
        out = browser.mask(speech.sound, RATE, seed=(number, 7, 8, 9))
        tones = [listening.pitch(sound, RATE) for sound in (speech.sound, out.sound[round(out.latency * RATE) :])]
        length = min(map(len, tones))
        both = (tones[0][:length] > 0) & (tones[1][:length] > 0)
        before, after = (np.log2(tone[:length][both]) for tone in tones)
        level = 10 * np.log10(np.mean(out.sound**2) / np.mean(speech.sound**2))
        scores = [
            listening.kept(clean, out.sound, RATE, factor=out.factor, delay=out.latency)
            for clean in (speech.sound, other)
        ]
        table.add(
            name, f"{2 ** before.mean():.0f} → {2 ** after.mean():.0f}", f"{np.corrcoef(before, after)[0, 1]:.2f}",
            f"{np.polyfit(before, after, 1)[0]:.2f}", f"× {out.factor:.2f}", f"{level:+.1f}",
            f"{scores[0]:.2f}", f"{scores[1]:.2f}",
        )  # fmt: skip
    table.note = (
        "Speech kept: short-time correlation of band amplitudes as in STOI (Taal et al. 2011), bands taken where the "
        "mask moved them; the last column is the same for somebody else's words."
    )
    return table


def cost(browser: Lab, *, rounds: int) -> Table:
    """Time of the machine, and delay."""
    table = Table("What it costs", ("sample rate", "share of one core", "slowest round", "delay, ms"))
    for rate in (48_000, 44_100):
        speech = say(WOMAN, "a s i ti u koa eSE Isu aeiou kata", seed=1, rate=rate).sound
        seconds = len(speech) // 128 * 128 / rate
        spent = browser.cost(speech, rate, rounds=rounds + 2)[2:]
        delay = 1e3 * browser.mask(speech[:rate], rate).latency
        table.add(f"{rate} Hz", f"{median(spent) / seconds:.1%}", f"{max(spent) / seconds:.1%}", f"{delay:.0f}")
    table.note = (
        "The mask alone on speech, in Chromium; the delay is the mask's own, to which the browser adds its blocks."
    )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice", description=__doc__)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with lab() as browser:
        print(cost(browser, rounds=options.rounds), flush=True)
        print(kept(browser, seconds=options.seconds), flush=True)
        print(hidden(browser, people=options.people, seconds=options.seconds), flush=True)


if __name__ == "__main__":
    main()
