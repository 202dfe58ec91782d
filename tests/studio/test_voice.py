"""The voice on its way out: what the mask does to voices made by formula, and that nothing else ever gets out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import listening
from voice_lab import Lab, Masked, Sound, lab, unpacked, write_wav
from voices import CHILD, HISSES, MAN, RATE, VOWELS, WOMAN, Speaker, Speech, anybody, hold, say

PEOPLE = {"man": MAN, "woman": WOMAN, "child": CHILD}
TEXT = "a s i ti u koa eSE Isu aeiou kata eIi "
PILOT = 15_000
"""Hz: the microphone of these tests hums there, the mask makes nothing above 12 kHz."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    speech = say(MAN, TEXT, seed=9).sound
    pilot = 0.05 * np.sin(2 * np.pi * PILOT * np.arange(len(speech)) / RATE)
    microphone = write_wav(tmp_path_factory.mktemp("microphone") / "voice.wav", speech + pilot, RATE)
    with lab(microphone) as opened:
        yield opened


@pytest.fixture(scope="module")
def spoken() -> dict[str, Speech]:
    return {name: say(who, TEXT, seed=1) for name, who in PEOPLE.items()}


@pytest.fixture(scope="module")
def masked(browser: Lab, spoken: dict[str, Speech]) -> dict[str, Masked]:
    return {name: browser.mask(speech.sound, RATE) for name, speech in spoken.items()}


def decibels(sound: Sound) -> float:
    return 10 * float(np.log10(np.mean(np.square(sound)) + 1e-20))


def aligned(speech: Speech, out: Masked) -> tuple[Sound, Sound]:
    """Hz in and out at the same moments, where both have a voice; measured on the sound, not asked of the mask."""
    before, after = (listening.pitch(sound, RATE) for sound in (speech.sound, out.sound[round(out.latency * RATE) :]))
    both = (before[: len(after)] > 0) & (after[: len(before)] > 0)
    return before[: len(after)][both], after[: len(before)][both]


# What becomes of a voice


def test_everybody_gets_the_same_usual_pitch(spoken: dict[str, Speech], masked: dict[str, Masked]) -> None:
    usual = {name: np.exp(np.log(aligned(spoken[name], masked[name])[1]).mean()) for name in PEOPLE}
    assert all(abs(np.log2(usual[name] / masked[name].pitch)) < 1 / 12 for name in PEOPLE)  # a semitone
    assert 145 < usual["man"] < 185


def test_intonation_is_kept_in_a_narrower_span(spoken: dict[str, Speech], masked: dict[str, Masked]) -> None:
    for name in PEOPLE:
        before, after = (np.log2(hertz) for hertz in aligned(spoken[name], masked[name]))
        settled = slice(len(before) // 4, None)
        assert np.corrcoef(before[settled], after[settled])[0, 1] > 0.9
        assert 0.55 < np.polyfit(before[settled], after[settled], 1)[0] < 0.9


def test_the_speaker_is_found_out_in_order_to_be_taken_away(masked: dict[str, Masked]) -> None:
    for name, who in PEOPLE.items():
        assert masked[name].known["pitch"] == pytest.approx(who.pitch, rel=0.06)
        assert masked[name].known["tract"] == pytest.approx(who.tract, rel=0.06)


@pytest.mark.parametrize("vowel", ["a", "i", "e"])
def test_formants_move_by_the_factor_wanted_whatever_the_pitch(browser: Lab, vowel: str) -> None:
    """A man's vocal tract with low and high voices: the same formants out, where the mask says it moves them."""
    for usual in (95.0, 125.0, 165.0):
        who = Speaker(usual, 0.97)
        talk = say(who, TEXT[:20], seed=2)
        glide = usual * 2 ** (np.sin(2 * np.pi * 0.8 * np.arange(2 * RATE) / RATE) * 3 / 12)
        out = browser.mask(np.concatenate([talk.sound, hold(who, vowel, glide).sound]), RATE)
        start = len(talk.sound) + round((out.latency + 0.5) * RATE)
        wanted = out.moved(who.formants(vowel)[:3])
        found = listening.formants(out.sound[start : start + RATE], RATE, wanted)
        assert found == pytest.approx(wanted, rel=0.09)
        assert wanted[1] / who.formants(vowel)[1] == pytest.approx(out.tract / who.tract, rel=0.12)


def test_level_stays_about_the_same(spoken: dict[str, Speech], masked: dict[str, Masked]) -> None:
    for name in PEOPLE:
        assert abs(decibels(masked[name].sound) - decibels(spoken[name].sound)) < 2


def test_speech_survives(browser: Lab, spoken: dict[str, Speech], masked: dict[str, Masked]) -> None:
    other = browser.mask(say(MAN, TEXT[::-1], seed=3).sound, RATE)
    for name in PEOPLE:
        clean, out = spoken[name].sound, masked[name]
        score = listening.kept(clean, out.sound, RATE, factor=out.factor, delay=out.latency)
        unrelated = listening.kept(clean, other.sound, RATE, factor=out.factor, delay=out.latency)
        assert score > 0.7
        assert unrelated < 0.3


def test_hisses_stay_hisses(browser: Lab) -> None:
    out = browser.mask(say(MAN, "asa Sa as", seed=4).sound, RATE)
    speech = say(MAN, "asa Sa as", seed=4)
    late = round(out.latency * RATE)
    voiced = np.repeat(out.f0 > 0, 128)[late:]
    hissing = np.zeros(len(voiced), bool)
    edges = speech.vowels
    for (_, _, end), (_, start, _) in pairwise(edges):
        if start - end > 0.12:
            hissing[round((end + 0.06) * RATE) : round((start - 0.06) * RATE)] = True
    assert hissing.any()
    assert not voiced[hissing].any()


def test_speakers_are_nearer_to_each_other_than_before(browser: Lab) -> None:
    rng = np.random.default_rng(7)
    people = [anybody(rng) for _ in range(5)]
    prints: dict[str, list[Sound]] = {"before": [], "before again": [], "after": [], "after again": []}
    for number, who in enumerate(people):
        for again in ("", " again"):
            sound = say(who, sentence(rng, 40), seed=2 * number + bool(again)).sound
            out = browser.mask(sound, RATE, seed=(number, len(again), 5, 6)).sound
            prints["before" + again].append(listening.voiceprint(sound, RATE, seconds=3))
            prints["after" + again].append(listening.voiceprint(out, RATE, seconds=3))
    scale = np.sqrt(np.mean([rows.var(0) for rows in prints["before"]], axis=0)) + 1e-6
    assert listening.apart(prints["before"], scale) > 1.8 * listening.apart(prints["after"], scale)
    assert listening.recognised(prints["before"], prints["before again"]) > 0.85
    assert listening.recognised(prints["before"], prints["after"]) < 0.55


def sentence(rng: np.random.Generator, letters: int) -> str:
    pieces = [
        rng.choice(["", *HISSES, " "], p=[0.4, 0.12, 0.12, 0.12, 0.12, 0.12]) + rng.choice([*VOWELS])
        for _ in range(letters)
    ]
    return "".join(pieces)[:letters]


def test_every_session_has_a_voice_of_its_own(
    browser: Lab, spoken: dict[str, Speech], masked: dict[str, Masked]
) -> None:
    sessions = [browser.mask(spoken["man"].sound, RATE, seed=(number, 2, 3, 4)) for number in range(6)]
    assert np.ptp([session.pitch for session in sessions]) > 8
    assert np.ptp([session.tract for session in sessions]) > 0.04
    assert np.ptp([session.range for session in sessions]) > 0.04
    assert np.array_equal(browser.mask(spoken["man"].sound, RATE).sound, masked["man"].sound)


# What must not come through


def test_turned_upside_down_a_voice_comes_out_the_same(
    browser: Lab, spoken: dict[str, Speech], masked: dict[str, Masked]
) -> None:
    """Whatever part of the sound itself came through would change its sign: there is none, to the last bit."""
    assert np.array_equal(browser.mask(-spoken["man"].sound, RATE).sound, masked["man"].sound)


def test_no_stretch_of_the_voice_is_found_in_what_comes_out(
    spoken: dict[str, Speech], masked: dict[str, Masked]
) -> None:
    for name in PEOPLE:
        voice = spoken[name].sound
        leaky = masked[name].sound + 0.7 * np.roll(voice, 1700)[: len(masked[name].sound)]
        assert listening.same_sound(voice, masked[name].sound, RATE) < 0.4
        assert listening.same_sound(voice, leaky, RATE) > 0.5


def test_silence_stays_silence(browser: Lab, spoken: dict[str, Speech]) -> None:
    assert not browser.mask(np.zeros(RATE), RATE).sound.any()
    out = browser.mask(np.concatenate([spoken["man"].sound, np.zeros(RATE)]), RATE).sound
    assert not out[len(spoken["man"].sound) + round(0.15 * RATE) : -200].any()


def test_nothing_clicks_and_nothing_clips(browser: Lab, masked: dict[str, Masked]) -> None:
    steady = hold(MAN, "a", np.full(2 * RATE, 110.0)).sound
    out = browser.mask(steady, RATE).sound[RATE // 2 : 2 * RATE]
    jumps = np.abs(np.diff(out)).reshape(-1)[: len(out) // 960 * 960 - 960].reshape(-1, 960).max(1)
    assert jumps.max() < 2 * np.median(jumps)
    loud = browser.mask(2.4 * steady, RATE).sound
    assert 0.7 < np.abs(loud).max() <= 1
    # Begun and ended within a sample: less of a jump than the input's own.
    cut = np.concatenate([np.zeros(9600), steady[RATE : RATE + 9600], np.zeros(9600)])
    assert np.abs(np.diff(browser.mask(cut, RATE).sound)).max() < 2.5 * np.abs(np.diff(steady)).max()


def test_what_is_no_number_is_forgotten(browser: Lab, spoken: dict[str, Speech]) -> None:
    sound = spoken["man"].sound.copy()
    sound[RATE : RATE + 50] = np.nan
    sound[RATE + 50] = np.inf
    out = browser.mask(sound, RATE)
    assert np.isfinite(out.sound).all()
    assert out.known["pitch"] == pytest.approx(MAN.pitch, rel=0.06)


@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
def test_other_sample_rates(browser: Lab, rate: int) -> None:
    speech = say(WOMAN, TEXT[:16], seed=5, rate=rate)
    out = browser.mask(speech.sound, rate)
    assert out.known["pitch"] == pytest.approx(WOMAN.pitch, rel=0.06)
    assert abs(decibels(out.sound) - decibels(speech.sound)) < 2.5
    assert out.latency < 0.06


def test_delay_is_what_the_mask_says_and_no_more_than_60_ms(browser: Lab) -> None:
    rng = np.random.default_rng(3)
    clicks = np.zeros(2 * RATE)
    for at in np.sort(rng.uniform(0.2, 1.8, 9)):
        clicks[int(at * RATE) : int(at * RATE) + 480] += rng.normal(0, 0.2, 480)
    out = browser.mask(clicks, RATE)
    size = 48
    before, after = (np.add.reduceat(sound**2, np.arange(0, len(sound), size)) for sound in (clicks, out.sound))
    n = min(len(before), len(after))
    lag = int(np.argmax(np.correlate(after[:n], before[:n], "full")[n - 1 :])) * size / RATE
    assert lag == pytest.approx(out.latency, abs=0.005)
    assert lag < 0.06


def test_the_worklet_does_what_the_mask_does(
    browser: Lab, spoken: dict[str, Speech], masked: dict[str, Masked]
) -> None:
    made = browser.rendered(spoken["woman"].sound, RATE)
    assert np.array_equal(made[: len(masked["woman"].sound)], masked["woman"].sound)


# The page's side: microphone, modes, failures

SLEEP = "const sleep = (ms) => new Promise((done) => setTimeout(done, ms));"
EVENTS = """
const events = [];
for (const name of ["trouble", "lost", "change"])
  voice.addEventListener(name, (event) => events.push(event.detail ? `${name} ${event.detail.reason}` : name));
"""


def hum(sound: Sound, rate: int) -> Sound:
    """How loud the microphone's pilot is in each 5 ms, over what it would be in the natural voice."""
    size = round(0.005 * rate)
    pieces = sound[: len(sound) // size * size].reshape(-1, size)
    wave = np.exp(-2j * np.pi * PILOT * np.arange(size) / rate) * np.hanning(size)
    return np.abs(pieces @ wave) / (0.025 * np.hanning(size).sum())


def loudness(sound: Sound, rate: int) -> Sound:
    size = round(0.005 * rate)
    return np.abs(sound[: len(sound) // size * size].reshape(-1, size)).max(1)


def test_modes_change_while_heard_without_an_instant_of_the_natural_voice(browser: Lab) -> None:
    told = browser.run(
        SLEEP
        + """
        const voice = new Voice(), stream = await voice.start({ mode: "natural" }), track = stream.getAudioTracks()[0];
        const tape = await record(stream), marks = {}, same = [];
        const changes = { mask: "masked", off: "off", again: "masked", natural: "natural", end: "masked" };
        for (const [name, mode] of Object.entries(changes)) {
          await sleep(2500);
          marks[name] = tape.now();
          await voice.change(mode);
          const tracks = voice.stream.getTracks();
          same.push(tracks.length === 1 && tracks[0] === track && !microphones.includes(track));
        }
        await sleep(2500);
        const sound = await tape.end();
        voice.stop();
        return { sound, marks, same, rate: tape.rate, label: track.label, state: track.readyState, live: live() };
        """
    )
    rate, marks = told["rate"], told["marks"]
    sound = unpacked(told["sound"])
    natural, loud = hum(sound, rate), loudness(sound, rate)

    def between(values: Sound, start: float, end: float) -> Sound:
        return values[round(start / 0.005) : round(end / 0.005)]

    late = 2.0  # s, at most, from a sample's making to the tape, through two audio contexts of a busy machine
    assert np.median(between(natural, 0.3, marks["mask"])) > 0.5
    assert np.median(between(natural, marks["natural"] + 0.3, marks["end"])) > 0.5
    assert between(natural, marks["mask"] + late, marks["natural"]).max() < 0.05
    assert between(natural, marks["end"] + late, len(sound) / rate).max() < 0.05
    assert between(loud, marks["mask"] + late, marks["off"]).max() > 0.05
    assert between(loud, marks["again"] + late, marks["natural"]).max() > 0.05
    # On a busy machine the end of the fade comes even later: a thousandth of what is heard above at most.
    assert between(loud, marks["off"] + late, marks["again"]).max() < 1e-3 * loud.max()
    assert all(told["same"])
    assert told["state"] == "ended"
    assert told["live"] == 0


def test_off_lets_the_microphone_go_and_back_asks_again(browser: Lab) -> None:
    told = browser.run(
        """
        const voice = new Voice();
        await voice.start({ mode: "off" });
        const seen = [[live(), microphones.length]];
        for (const mode of ["masked", "natural", "off", "natural", "off"]) {
          await voice.change(mode);
          seen.push([live(), microphones.length, voice.mode]);
        }
        return { seen, level: voice.level, wish };
        """
    )
    assert told["seen"] == [
        [0, 0],
        [1, 1, "masked"],
        [1, 1, "natural"],
        [0, 1, "off"],
        [1, 2, "natural"],
        [0, 2, "off"],
    ]
    assert told["level"] == 0
    assert told["wish"]["video"] is False
    assert all(told["wish"]["audio"][name] for name in ("echoCancellation", "noiseSuppression"))


def test_a_microphone_that_comes_too_late_is_let_go(browser: Lab) -> None:
    """Whoever chooses "off" while the browser still asks gets "off"."""
    told = browser.run(
        SLEEP
        + """
        const voice = new Voice();
        await voice.start({ mode: "off" });
        window.slow = 200;
        const natural = voice.change("natural");
        await voice.change("off");
        await natural;
        await sleep(50);
        const off = [voice.mode, live()];
        const both = [voice.change("natural"), voice.change("masked")];
        await Promise.all(both);
        return { off, then: [voice.mode, live()] };
        """
    )
    assert told == {"off": ["off", 0], "then": ["masked", 1]}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NotAllowedError", "refused"),
        ("NotFoundError", "none"),
        ("OverconstrainedError", "none"),
        ("NotReadableError", "busy"),
    ],
)
def test_why_there_is_no_microphone(browser: Lab, name: str, reason: str) -> None:
    told = browser.run(
        """
        window.refusal = argument;
        const voice = new Voice();"""
        + EVENTS
        + """
        const why = await voice.start({ mode: "natural" })
          .catch((error) => [error instanceof VoiceError, error.reason]);
        voice.mode = "masked";
        await new Promise((done) => voice.addEventListener("trouble", done));
        return { why, mode: voice.mode, events };
        """,
        name,
    )
    assert told == {"why": [True, reason], "mode": "off", "events": ["change", "change", f"trouble {reason}"]}


def test_an_unplugged_microphone_is_told_and_let_go(browser: Lab) -> None:
    told = browser.run(
        "const voice = new Voice();"
        + EVENTS
        + """
        await voice.start({ mode: "masked" });
        microphones[0].dispatchEvent(new Event("ended"));
        const lost = [voice.mode, live(), [...events]];
        await voice.change("masked");
        return { lost, again: [voice.mode, live()] };
        """
    )
    assert told == {"lost": ["off", 0, ["change", "change", "lost"]], "again": ["masked", 1]}


BROKEN = {
    "missing": "",
    "wrong": "throw new Error('made by the test');",
    "unbuildable": """
        registerProcessor("voice-mask", class extends AudioWorkletProcessor {
          constructor() { throw new Error("made by the test"); }
        });""",
    "failing": """
        registerProcessor("voice-mask", class extends AudioWorkletProcessor {
          process([input], [output]) {
            if (currentTime > 1) throw new Error("made by the test");
            if (input[0]) output[0].set(input[0].map((sample) => sample / 8));
            return true;
          }
        });""",
}


@pytest.mark.parametrize("how", BROKEN)
def test_when_the_mask_fails_there_is_silence(browser: Lab, how: str) -> None:
    """The failing one lets a little of the voice through until it throws, so that its end can be heard."""
    browser.files["/voice/worklet.js"] = BROKEN[how]
    try:
        told: dict[str, Any] = browser.run(
            SLEEP
            + "const voice = new Voice();"
            + EVENTS
            + """
            const why = await voice.start({ mode: "masked" }).then(() => null, (error) => error.reason);
            const tape = await record(voice.stream);
            await sleep(2500);
            const end = tape.now();
            await sleep(300);
            const rate = tape.rate, sound = await tape.end();
            return { why, sound, rate, end, mode: voice.mode, live: live(), events, level: voice.level };
            """
        )
    finally:
        del browser.files["/voice/worklet.js"]
    sound, rate = unpacked(told["sound"]), told["rate"]
    assert (told["mode"], told["live"], told["level"]) == ("off", 0, 0)
    assert (told["why"] == "mask") == (how in ("missing", "wrong"))
    assert how in ("missing", "wrong") or "trouble mask" in told["events"]
    assert not sound[round(2.3 * rate) :].any()
    assert hum(sound, rate).max() < 0.3
    assert sound.any() == (how == "failing")


def test_the_meter_follows_the_voice(browser: Lab) -> None:
    told = browser.run(
        SLEEP
        + """
        const voice = new Voice(), levels = [];
        await voice.start({ mode: "masked" });
        for (let i = 0; i < 2000 && !(levels.at(-1) > 0.3); i++) { await sleep(15); levels.push(voice.level); }
        voice.stop();
        return [Math.min(...levels), Math.max(...levels), voice.level, voice.stream];
        """
    )
    assert told[0] >= 0
    assert 0.3 < told[1] <= 1
    assert told[2:] == [0, None]
