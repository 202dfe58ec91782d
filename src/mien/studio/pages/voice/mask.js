// The mask for a voice: what was said and how, in another voice. A vocoder: each few milliseconds of speech become a
// pitch, a spectral envelope and the share of noise in eight bands; out of these numbers, moved to the session's voice,
// new sound is made. No sample that came in is ever passed on.
import { Character, seeded } from "./character.js";
import { Envelope } from "./envelope.js";
import { PitchTracker } from "./pitch.js";
import { Decimator, Interpolator } from "./rate.js";
import { Shape } from "./shape.js";
import { Speaker } from "./speaker.js";
import { Synthesis } from "./synthesis.js";

const BLOCK = 128; // samples of an audio worklet's call
const HOP = 128; // samples at the inner rate from one moment to the next
const INNER = 24000; // Hz or a little less, for speech up to 12 kHz
const SILENCE = 1e-10; // mean power density, about −100 dBFS: below it nothing sounds
const SPEECH = 1e-3; // of the loudest so far: what counts as speech
const FADE = 0.03; // 1/s by which the loudest so far is forgotten
const SURE = 0.75; // likeness of two periods from which the speaker is learned
const UPDATE = 32; // hops from one look at speaker and session to the next
const SLOWLY = 0.004; // the most by which formants move from one to the next
const FIRST = 1; // s of voice in which it is every EARLY hops, and at any speed: a slow approach would tell where from
const EARLY = 4;
const KNOWN = 2; // s of voice after which the usual pitch helps the tracker
const LOWEST = 80, HIGHEST = 420; // Hz, of the pitch given
const HUGE = 8; // amplitude that no microphone sends
const LOUD = 0.7; // amplitude above which peaks are pressed together to stay under 1

/** Masks a voice block by block. Nothing is allocated after construction. */
export class Mask {
  /**
   * @param {number} rate Hz, 8000 to 192000
   * @param {Iterable<number>} seed four random 32-bit words: the session's voice
   */
  constructor(rate, seed) {
    // Whole blocks in and out: only powers of two divide them.
    const factor = 2 ** Math.max(0, Math.round(Math.log2(rate / INNER)));
    this.rate = rate / factor;
    this.blocks = (factor * HOP) / BLOCK;
    this.decimator = new Decimator(factor, BLOCK);
    this.interpolator = new Interpolator(factor, HOP);
    this.pitch = new PitchTracker(this.rate, HOP);
    this.envelope = new Envelope(this.rate);
    const random = seeded([...seed]);
    this.character = new Character(random);
    this.speaker = new Speaker(this.rate, this.envelope.size);
    this.shape = new Shape(this.rate, this.envelope.bins);
    this.synthesis = new Synthesis(this.rate, this.envelope.size, HOP, this.envelope.bandOf, random);
    this.ahead = Math.max(this.pitch.lookahead, Math.ceil(this.envelope.reach / HOP) * HOP);
    this.line = new Float64Array(this.ahead + this.envelope.reach + HOP);
    this.block = new Float64Array(BLOCK);
    this.fresh = new Float64Array(HOP);
    this.ready = new Float64Array(HOP * factor);
    this.count = 0;
    this.hops = 0;
    this.loudest = 0;
    /** Hz given out now; 0 for noise. */
    this.f0 = 0;
    /** Samples from what goes in to what comes out. */
    this.latency = Math.round(
      this.decimator.delay + this.interpolator.delay + factor * (this.ahead + HOP) - BLOCK + 1,
    );
    this.shape.update(this.speaker, this.character, Infinity);
  }

  /**
   * @param {Float32Array} input (128,) samples in −1..1
   * @param {Float32Array} output (128,) written
   */
  process(input, output) {
    const { block, decimator } = this;
    // One sample that is no number would stay in every average for good.
    for (let i = 0; i < BLOCK; i++) block[i] = Math.abs(input[i]) <= HUGE ? input[i] : 0;
    decimator.run(block, 0, this.fresh, (this.count * BLOCK) / decimator.factor);
    if (++this.count === this.blocks) {
      this.count = 0;
      this.#hop();
    }
    const from = this.count * BLOCK;
    for (let i = 0; i < BLOCK; i++) output[i] = limited(this.ready[from + i]);
  }

  #hop() {
    const { line, fresh, pitch, envelope, shape, synthesis } = this;
    line.copyWithin(0, HOP);
    for (let i = 0; i < HOP; i++) line[line.length - HOP + i] = fresh[i];
    pitch.advance(fresh);
    envelope.analyse(line, line.length - 1 - this.ahead, pitch.f0);
    this.#learn();
    this.f0 = pitch.f0 ? this.#given(pitch.f0) : 0;
    if (envelope.level > SILENCE) {
      shape.apply(envelope.log);
      synthesis.render(shape.log, envelope.voicing, this.f0);
    } else synthesis.rest();
    this.interpolator.run(synthesis.sound, this.ready);
  }

  /** The speaker's usual pitch becomes the session's; intonation stays, its span a little narrower. */
  #given(f0) {
    const { character, speaker } = this;
    const interval = speaker.voiced ? f0 / speaker.pitch : 1;
    return Math.min(HIGHEST, Math.max(LOWEST, character.pitch * interval ** character.range));
  }

  #learn() {
    const { pitch, envelope, speaker, character, shape } = this;
    const seconds = HOP / this.rate;
    this.loudest = Math.max(envelope.level, this.loudest * (1 - FADE * seconds));
    if (envelope.level > SPEECH * this.loudest && envelope.level > SILENCE) {
      if (pitch.f0 && pitch.strength > SURE) {
        speaker.hearPitch(pitch.f0, seconds);
        if (this.hops % 2) speaker.hearFormants(envelope.log, 2 * seconds);
        else speaker.hearColour(shape.moved, 2 * seconds);
      }
    }
    const early = speaker.voiced < FIRST;
    if (++this.hops % (early ? EARLY : UPDATE)) return;
    if (speaker.voiced > KNOWN) pitch.usual = speaker.pitch;
    speaker.conclude(character.tract);
    character.at(this.hops * seconds);
    shape.update(speaker, character, early ? Infinity : SLOWLY);
  }
}

/** The sample itself while it is quiet; ever less of what it has above LOUD, so that nothing clips. */
function limited(sample) {
  const over = Math.abs(sample) - LOUD;
  if (over <= 0) return sample;
  return Math.sign(sample) * (LOUD + (1 - LOUD) * Math.tanh(over / (1 - LOUD)) * 0.97);
}
