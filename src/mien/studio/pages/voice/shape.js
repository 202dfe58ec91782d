// One speaker's spectral envelope made into the session's: formants moved along the frequency axis, colour evened out.

const BOTTOM = 55; // Hz: below it nothing is passed on
const KNEE = 0.62; // of the band: above it, the axis bends so that both ends meet
const SPARSE = 4; // bins per bin that counts for the level
const NEPER = Math.LN10 / 10; // natural logarithm of power per dB

/** Nothing is allocated after construction. */
export class Shape {
  /**
   * @param {number} rate Hz
   * @param {number} bins of the envelope, from 0 Hz to half the rate
   */
  constructor(rate, bins) {
    this.bins = bins;
    this.half = rate / 2;
    this.bin = this.half / (bins - 1);
    this.source = new Float64Array(bins);
    this.gain = new Float64Array(bins);
    /** Natural logarithm of the power density, formants moved, before the colour is evened. */
    this.moved = new Float64Array(bins);
    /** The same when all is done. */
    this.log = new Float64Array(bins);
    /** Formants out over formants in, as of now. */
    this.factor = 1;
    this.cut = Float64Array.from({ length: bins }, (_, k) => {
      const square = (k * this.bin) ** 2;
      return 2 * Math.log(1e-3 + square / (square + BOTTOM ** 2));
    });
  }

  /**
   * Follows the speaker and the session; some times a second is enough.
   * @param {import("./speaker.js").Speaker} speaker
   * @param {import("./character.js").Character} character
   * @param {number} most by which formants may move, as a part of their frequency
   */
  update(speaker, character, most) {
    const off = Math.log(character.tract / speaker.tract / this.factor);
    this.factor *= Math.exp(Math.min(most, Math.max(-most, off)));
    const { bins, bin, half, source, gain, factor, cut } = this;
    const knee = KNEE * half * Math.min(1, factor), under = knee / factor;
    for (let k = 0; k < bins; k++) {
      const hertz = k * bin;
      const straight = hertz < knee ? hertz / factor : under + ((hertz - knee) * (half - under)) / (half - knee);
      source[k] = Math.min(bins - 1.001, straight / character.ripple(hertz) / bin);
      gain[k] = cut[k] + speaker.colourAt(hertz) + NEPER * character.shade(hertz);
    }
  }

  /** @param {Float64Array} log natural logarithm of the power density at each bin */
  apply(log) {
    const { bins, source, gain, moved, cut } = this;
    let before = 1e-30, after = 1e-30;
    for (let k = 0; k < bins; k++) {
      const low = Math.floor(source[k]), part = source[k] - low;
      moved[k] = log[low] + (log[low + 1] - log[low]) * part;
      this.log[k] = moved[k] + gain[k];
      if (k % SPARSE) continue;
      before += Math.exp(log[k] + cut[k]);
      after += Math.exp(this.log[k]);
    }
    const level = Math.log(before / after);
    for (let k = 0; k < bins; k++) this.log[k] += level;
  }
}
