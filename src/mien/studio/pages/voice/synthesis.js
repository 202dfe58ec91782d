// Sound out of numbers: pulses at the pitch through the envelope's minimum-phase filter, and noise for the rest.
// Mixed excitation after McCree and Barnwell, 1995; minimum phase by folding the cepstrum after Oppenheim and Schafer,
// "Discrete-time signal processing", 1989. No sample of what came in takes part.
import { RealFourier } from "./fourier.js";

const PHASES = 4096; // random directions drawn in advance
const UNEVEN = 0.006; // of a period, standard deviation: a perfectly even pulse train buzzes
const WEAK = 1e-4; // voicing taken for none

/** Nothing is allocated after construction. */
export class Synthesis {
  /**
   * @param {number} rate Hz
   * @param {number} size of the transform behind the envelopes
   * @param {number} hop samples from one envelope to the next
   * @param {Float64Array} bandOf for each bin, where among the bands of voicing it lies
   * @param {() => number} random uniform in 0..1
   */
  constructor(rate, size, hop, bandOf, random) {
    this.rate = rate;
    this.size = size;
    this.hop = hop;
    this.random = random;
    this.fourier = new RealFourier(size);
    this.short = new RealFourier(2 * hop);
    this.bins = size / 2 + 1;
    this.re = new Float64Array(this.bins);
    this.im = new Float64Array(this.bins);
    this.frame = new Float64Array(size);
    this.share = new Float64Array(this.bins);
    this.bandOf = bandOf;
    this.window = Float64Array.from({ length: 2 * hop }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / (2 * hop)));
    this.phaseRe = new Float64Array(PHASES);
    this.phaseIm = new Float64Array(PHASES);
    for (let i = 0; i < PHASES; i++) {
      const turn = 2 * Math.PI * random();
      this.phaseRe[i] = Math.cos(turn);
      this.phaseIm[i] = Math.sin(turn);
    }
    /** Samples still growing; the first `hop` are ready after `render`, the envelope's moment is at index `hop`. */
    this.sound = new Float64Array(2 * hop + size + 1);
    this.pulse = hop / 2;
  }

  /**
   * Adds one hop: what concerns the moments up to half a hop around the envelope's.
   * @param {Float64Array} log natural logarithm of the power density at each bin
   * @param {Float64Array} voicing 0..1 per band
   * @param {number} f0 Hz, 0 for noise alone
   */
  render(log, voicing, f0) {
    const { hop } = this;
    this.sound.copyWithin(0, hop);
    this.sound.fill(0, this.sound.length - hop);
    this.#spread(voicing, f0);
    if (f0) {
      while (this.pulse < 1.5 * hop) {
        this.#addPulse(log, f0);
        const uneven = this.random() + this.random() + this.random() - 1.5;
        this.pulse += (this.rate / f0) * (1 + 2 * UNEVEN * uneven);
      }
    }
    this.#addNoise(log);
    this.pulse = Math.max(this.pulse - hop, hop / 2);
  }

  /** Nothing to hear: what is still sounding dies away. */
  rest() {
    this.sound.copyWithin(0, this.hop);
    this.sound.fill(0, this.sound.length - this.hop);
    this.pulse = this.hop / 2;
  }

  /** Voicing at each bin, straight lines between the middles of the bands. */
  #spread(voicing, f0) {
    const { share, bandOf, bins } = this;
    const last = voicing.length - 1;
    for (let k = 0; k < bins; k++) {
      const low = Math.floor(bandOf[k]), part = bandOf[k] - low;
      const value = f0 ? voicing[low] + (voicing[Math.min(last, low + 1)] - voicing[low]) * part : 0;
      share[k] = Math.min(1 - WEAK, Math.max(WEAK, value));
    }
  }

  #addPulse(log, f0) {
    const { re, im, frame, size, bins, share, fourier, sound } = this;
    const strength = this.rate / f0;
    for (let k = 0; k < bins; k++) re[k] = 0.5 * (log[k] + Math.log(share[k] * strength));
    im.fill(0);
    fourier.inverse(re, im, frame);
    for (let n = 1; n < size / 2; n++) {
      frame[n] *= 2;
      frame[size - n] = 0;
    }
    fourier.forward(frame, re, im);
    const at = Math.floor(this.pulse), turn = (2 * Math.PI * (this.pulse - at)) / size;
    for (let k = 0; k < bins; k++) {
      const size = Math.exp(re[k]), phase = im[k] - turn * k;
      re[k] = size * Math.cos(phase);
      im[k] = size * Math.sin(phase);
    }
    im[0] = im[bins - 1] = 0;
    fourier.inverse(re, im, frame);
    for (let i = 0; i < size; i++) sound[at + i] += frame[i];
  }

  #addNoise(log) {
    const { re, im, frame, hop, size, share, short, sound, window, phaseRe, phaseIm } = this;
    const stride = size / (2 * hop);
    const first = Math.floor(this.random() * PHASES);
    for (let k = 0; k <= hop; k++) {
      const power = Math.exp(log[k * stride]) * (1 - share[k * stride]) * 2 * hop;
      const amplitude = Math.sqrt(power), draw = (first + k * 31) % PHASES;
      re[k] = amplitude * phaseRe[draw];
      im[k] = amplitude * phaseIm[draw];
    }
    im[0] = im[hop] = 0;
    short.inverse(re, im, frame);
    for (let i = 0; i < 2 * hop; i++) sound[i] += frame[i] * window[i];
  }
}
