// The voice that everybody is given: drawn anew for each session around a common one, and never quite at rest, so that
// no constant leads back to the speaker or from one session to another.

const PITCH = [150, 178]; // Hz: between most men's and most women's
const TRACT = [1.05, 1.14]; // formants over an adult man's: likewise
const RANGE = [0.68, 0.82]; // of the intonation's span that is kept, in semitones
const PITCH_DRIFT = 0.04, TRACT_DRIFT = 0.025; // to either side
const SLOW = [45, 140]; // s, one round of their drift
const RIPPLES = 4, RIPPLE = 0.03; // formants against each other: terms, and the most of each
const SHADES = 6, SHADE = 2; // colour: terms, and the most of each in dB
const BRISK = [12, 40]; // s, one round of each of theirs: slow to an ear, fast enough that little can be averaged
const TOP = 12000; // Hz, where ripples and shades have gone their half rounds

/** Random numbers in 0..1 that follow from a seed of four 32-bit words (Doty-Humphrey's sfc32). */
export function seeded([a, b, c, d]) {
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

/** One session's voice at any time of it. Nothing is allocated after construction. */
export class Character {
  /** @param {() => number} random uniform in 0..1 */
  constructor(random) {
    const between = ([low, high]) => low + (high - low) * random();
    this.base = { pitch: between(PITCH), tract: between(TRACT) };
    /** Part of the intonation's span that is kept. */
    this.range = between(RANGE);
    this.pitchDrift = new Drift(random, SLOW);
    this.tractDrift = new Drift(random, SLOW);
    this.rippleDrifts = Array.from({ length: RIPPLES }, () => new Drift(random, BRISK));
    this.shadeDrifts = Array.from({ length: SHADES }, () => new Drift(random, BRISK));
    this.ripples = new Float64Array(RIPPLES);
    this.shades = new Float64Array(SHADES);
    this.at(0);
  }

  /** Makes it what it is so many seconds into the session. */
  at(seconds) {
    /** Hz that a speaker's usual pitch becomes. */
    this.pitch = this.base.pitch * (1 + PITCH_DRIFT * this.pitchDrift.at(seconds));
    /** Formants over an adult man's. */
    this.tract = this.base.tract * (1 + TRACT_DRIFT * this.tractDrift.at(seconds));
    for (let n = 0; n < RIPPLES; n++) this.ripples[n] = RIPPLE * this.rippleDrifts[n].at(seconds);
    for (let n = 0; n < SHADES; n++) this.shades[n] = SHADE * this.shadeDrifts[n].at(seconds);
  }

  /** Factor by which formants near `hertz` are moved on top of the tract's. */
  ripple(hertz) {
    let sum = 1;
    for (let n = 0; n < RIPPLES; n++) sum += this.ripples[n] * Math.sin((n + 1) * halfRound(hertz));
    return sum;
  }

  /** dB added at `hertz`. */
  shade(hertz) {
    let sum = 0;
    for (let n = 0; n < SHADES; n++) sum += this.shades[n] * Math.cos((n + 1) * halfRound(hertz));
    return sum;
  }
}

/** −1..1, wandering: two sines of random length and beginning. */
class Drift {
  constructor(random, [fastest, slowest]) {
    const draw = () => ({
      speed: (2 * Math.PI) / (fastest + (slowest - fastest) * random()),
      start: 2 * Math.PI * random(),
    });
    this.first = draw();
    this.second = draw();
  }

  at(seconds) {
    const { first, second } = this;
    return 0.6 * Math.sin(first.speed * seconds + first.start) + 0.4 * Math.sin(second.speed * seconds + second.start);
  }
}

const halfRound = (hertz) => (Math.PI * Math.log(1 + Math.min(hertz, TOP) / 700)) / Math.log(1 + TOP / 700);
