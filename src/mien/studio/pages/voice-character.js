// The voice that everybody is given: drawn anew for each session around a common one, and never quite at rest, so that
// no constant leads back to the speaker or from one session to another.

const PITCH = [150, 178]; // Hz: between most men's and most women's
const TRACT = [1.05, 1.14]; // formants over an adult man's: likewise
const RANGE = [0.68, 0.82]; // of the intonation's span that is kept, in semitones
const RIPPLES = 3, RIPPLE = 0.022; // formants against each other: terms, and the most of each
const SHADES = 3, SHADE = 1.6; // colour: terms, and the most of each in dB
const PITCH_DRIFT = 0.035, TRACT_DRIFT = 0.022; // to either side
const SLOWEST = 140, FASTEST = 45; // s, one round of a drift
const TOP = 12000; // Hz, where ripples and shades have gone their half round

/** Random numbers that follow from a seed of four 32-bit words (Doty-Humphrey's sfc32). */
export function seeded([a, b, c, d]) {
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

/** One session's voice at any time of it. */
export class Character {
  /** @param {() => number} random uniform in 0..1 */
  constructor(random) {
    const between = ([low, high]) => low + (high - low) * random();
    const either = (most) => most * (2 * random() - 1);
    const drift = () => [0.6, 0.4].map((share) => [share, (2 * Math.PI) / between([FASTEST, SLOWEST]), 2 * Math.PI * random()]);
    this.drifts = { pitch: drift(), tract: drift(), ripple: drift(), shade: drift() };
    this.base = { pitch: between(PITCH), tract: between(TRACT) };
    /** Part of the intonation's span that is kept. */
    this.range = between(RANGE);
    this.ripples = Float64Array.from({ length: RIPPLES }, () => either(RIPPLE));
    this.shades = Float64Array.from({ length: SHADES }, () => either(SHADE));
    this.at(0);
  }

  /** Sets `pitch` and `tract` to what they are so many seconds into the session. */
  at(seconds) {
    /** Hz that a speaker's usual pitch becomes. */
    this.pitch = this.base.pitch * (1 + PITCH_DRIFT * wave(this.drifts.pitch, seconds));
    /** Formants over an adult man's. */
    this.tract = this.base.tract * (1 + TRACT_DRIFT * wave(this.drifts.tract, seconds));
    this.rippling = 0.75 + 0.25 * wave(this.drifts.ripple, seconds);
    this.shading = 0.75 + 0.25 * wave(this.drifts.shade, seconds);
  }

  /** Factor by which formants near `hertz` are moved on top of the tract's. */
  ripple(hertz) {
    let sum = 0;
    for (let n = 0; n < RIPPLES; n++) sum += this.ripples[n] * Math.sin((Math.PI * (n + 1) * mel(hertz)) / mel(TOP));
    return 1 + this.rippling * sum;
  }

  /** dB added at `hertz`. */
  shade(hertz) {
    let sum = 0;
    for (let n = 0; n < SHADES; n++) sum += this.shades[n] * Math.cos((Math.PI * (n + 1) * mel(hertz)) / mel(TOP));
    return this.shading * sum;
  }
}

const mel = (hertz) => Math.log(1 + Math.min(hertz, TOP) / 700);

function wave(drift, seconds) {
  let sum = 0;
  for (let n = 0; n < drift.length; n++) sum += drift[n][0] * Math.sin(drift[n][1] * seconds + drift[n][2]);
  return sum;
}
