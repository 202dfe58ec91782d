// What a moment of speech sounds like apart from its pitch: the spectral envelope, and how much of each band is voice.
// Envelope after Morise, "CheapTrick, a spectral envelope estimator for high-quality speech synthesis", 2015: a window
// of three periods makes the power independent of where in the period it lies, smoothing removes the harmonics.
import { RealFourier } from "./fourier.js";

const PERIODS = 3;
const LOWEST = 72; // Hz, of the longest window
const VOICELESS = 400; // Hz: where there is no pitch, windows and smoothing are those of this one
const SHORTEST_DETAIL = 0.003, LONGEST_DETAIL = 0.004; // s of quefrency: finer detail fades out, for every pitch alike
const FLOOR = 1e-13; // power density, about −130 dBFS a sample
const BANDS = [300, 900, 1600, 2500, 3600, 5200, 7500, 11000]; // Hz, middles of the overlapping bands of voicing
const NOISY = 0.25, CLEAR = 0.85; // periodicity taken for none and for full

/** Analyses one moment at a time. Nothing is allocated after construction. */
export class Envelope {
  /** @param {number} rate Hz */
  constructor(rate) {
    this.rate = rate;
    this.size = 2 ** Math.ceil(Math.log2((PERIODS * rate) / LOWEST));
    this.bins = this.size / 2 + 1;
    this.fourier = new RealFourier(this.size);
    this.frame = new Float64Array(this.size);
    this.re = new Float64Array(this.bins);
    this.im = new Float64Array(this.bins);
    this.power = new Float64Array(this.bins);
    this.margin = Math.ceil((VOICELESS * 2 * this.size) / rate) + 2;
    this.sums = new Float64Array(this.bins + 2 * this.margin + 1);
    /** Natural logarithm of the power density at each bin; white noise of variance v has log v. */
    this.log = new Float64Array(this.bins).fill(Math.log(FLOOR));
    /** Power, mean over the bins. */
    this.level = 0;
    /** For each bin, how far along BANDS it is: 2.5 is halfway between the third and the fourth. */
    this.bandOf = bandsOfBins(this.bins, rate / this.size);
    /** 0..1 around each of BANDS: the part that repeats with the pitch. */
    this.voicing = new Float64Array(BANDS.length);
    this.repeated = new Float64Array(BANDS.length);
    this.whole = new Float64Array(BANDS.length);
  }

  #hann = hannLikeness();

  /** Samples needed on either side of the moment. */
  get reach() {
    return this.size >> 1;
  }

  /**
   * @param {Float64Array} samples
   * @param {number} centre index of the moment in `samples`
   * @param {number} f0 Hz, 0 for none
   */
  analyse(samples, centre, f0) {
    const base = f0 ? Math.max(f0, LOWEST) : VOICELESS;
    this.#window(samples, centre, base);
    this.fourier.forward(this.frame, this.re, this.im);
    const { re, im, power, bins } = this;
    for (let k = 0; k < bins; k++) power[k] = re[k] * re[k] + im[k] * im[k];
    this.#accumulate();
    if (f0) this.#periodicity(base);
    else this.voicing.fill(0);
    this.#mirrorBelow(base);
    this.#accumulate();
    this.#smooth((base * 2) / 3);
    this.#lift(base);
  }

  #window(samples, centre, base) {
    const { frame, size, rate } = this;
    const length = (PERIODS * rate) / base, half = Math.min(Math.floor(length / 2), (size >> 1) - 1);
    frame.fill(0);
    const turn = (2 * Math.PI) / length, twice = 2 * Math.cos(turn);
    let here = 1, last = Math.cos(turn), energy = 0, sum = 0, total = 0;
    for (let i = 0; i <= half; i++) {
      const weight = 0.5 + 0.5 * here, right = samples[centre + i], left = samples[centre - i];
      frame[half + i] = right * weight;
      frame[half - i] = left * weight;
      const both = i ? 2 : 1;
      energy += both * weight * weight;
      total += both * weight;
      sum += (i ? right + left : right) * weight;
      const next = twice * here - last;
      last = here;
      here = next;
    }
    const mean = sum / total, scale = 1 / Math.sqrt(energy);
    here = 1;
    last = Math.cos(turn);
    for (let i = 0; i <= half; i++) {
      const weight = 0.5 + 0.5 * here;
      frame[half + i] = (frame[half + i] - mean * weight) * scale;
      if (i) frame[half - i] = (frame[half - i] - mean * weight) * scale;
      const next = twice * here - last;
      last = here;
      here = next;
    }
  }

  /** Sums of the power up to each bin, mirrored beyond both ends. */
  #accumulate() {
    const { power, sums, margin, bins } = this;
    const last = bins - 1;
    for (let i = 0; i < sums.length - 1; i++) {
      let k = Math.abs(i - margin);
      if (k > last) k = 2 * last - k;
      sums[i + 1] = sums[i] + power[k];
    }
  }

  /** Mean power of `half` bins to either side of bin k. */
  #around(k, half) {
    const { sums, margin } = this;
    const from = k + margin + 0.5 - half, to = from + 2 * half;
    const a = Math.floor(from), b = Math.floor(to);
    const start = sums[a] + (sums[a + 1] - sums[a]) * (from - a), end = sums[b] + (sums[b + 1] - sums[b]) * (to - b);
    return Math.max(0, end - start) / (2 * half);
  }

  /**
   * Per band, the autocorrelation one period on, over what the window leaves of it: the spectrum, flattened lest one
   * harmonic stand for its band, weighted by cos(2π f / f0). Bandwise voicing as in McCree and Barnwell, "A mixed
   * excitation LPC vocoder model for low bit rate speech coding", 1995.
   */
  #periodicity(base) {
    const { power, voicing, bins, size, rate, repeated, whole, bandOf } = this;
    const turn = (2 * Math.PI * rate) / (base * size), twice = 2 * Math.cos(turn);
    const half = Math.min((base * size) / rate, this.margin - 1);
    let here = 1, last = Math.cos(turn);
    repeated.fill(0);
    whole.fill(0);
    for (let k = 0; k < bins; k++) {
      const flat = power[k] / (this.#around(k, half) + FLOOR), band = Math.floor(bandOf[k]), part = bandOf[k] - band;
      const next = Math.min(band + 1, voicing.length - 1);
      repeated[band] += (1 - part) * flat * here;
      whole[band] += (1 - part) * flat;
      repeated[next] += part * flat * here;
      whole[next] += part * flat;
      const following = twice * here - last;
      last = here;
      here = following;
    }
    for (let band = 0; band < voicing.length; band++) {
      const periodic = repeated[band] / (whole[band] * this.#hann + 1e-9);
      voicing[band] = Math.min(1, Math.max(0, (periodic - NOISY) / (CLEAR - NOISY)));
    }
  }

  /** Below the first harmonic there is nothing to measure: the slope above it, mirrored, is as good as any. */
  #mirrorBelow(base) {
    const { power, size, rate } = this;
    const top = (base * size) / rate;
    const half = top / 2;
    for (let k = 0; k < half; k++) {
      const other = top - k, low = Math.floor(other), part = other - low;
      power[k] += power[low] * (1 - part) + power[low + 1] * part;
    }
    for (let k = Math.ceil(half); k < top; k++) {
      const other = top - k, low = Math.floor(other), part = other - low;
      power[k] = Math.max(power[k], power[low] * (1 - part) + power[low + 1] * part);
    }
  }

  /** Running mean over `width` Hz, then the logarithm. */
  #smooth(width) {
    const { bins, re, size, rate } = this;
    const half = Math.min((width * size) / rate / 2, this.margin - 1);
    let level = 0;
    for (let k = 0; k < bins; k++) {
      const mean = this.#around(k, half);
      level += mean;
      re[k] = Math.log(mean + FLOOR);
    }
    this.level = level / bins;
    this.im.fill(0);
  }

  /** In the cepstrum: what repeats every `base` Hz along the spectrum goes, what smoothing blurred is sharpened. */
  #lift(base) {
    const { frame, size, rate, re, im, fourier, log } = this;
    fourier.inverse(re, im, frame);
    const turn = (Math.PI * base) / rate, start = SHORTEST_DETAIL * rate, stop = LONGEST_DETAIL * rate;
    for (let n = 1; n <= size / 2; n++) {
      let weight = 0;
      if (n < stop) {
        const phase = turn * n;
        weight = (Math.sin(phase) / phase) * (1.3 - 0.3 * Math.cos(2 * phase));
        if (n > start) weight *= 0.5 + 0.5 * Math.cos((Math.PI * (n - start)) / (stop - start));
      }
      frame[n] *= weight;
      if (n < size / 2) frame[size - n] *= weight;
    }
    fourier.forward(frame, log, im);
  }
}

/** Where in BANDS each bin lies; `step` Hz from one bin to the next. */
function bandsOfBins(bins, step) {
  return Float64Array.from({ length: bins }, (_, k) => {
    const hertz = k * step, next = BANDS.findIndex((middle) => middle > hertz);
    if (next === 0) return 0;
    if (next < 0) return BANDS.length - 1;
    return next - 1 + (hertz - BANDS[next - 1]) / (BANDS[next] - BANDS[next - 1]);
  });
}

/** The autocorrelation of a Hann window of PERIODS periods, one period on, over that at lag 0. */
function hannLikeness() {
  const length = 300, lag = length / PERIODS;
  const weight = (i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length);
  let shifted = 0, whole = 0;
  for (let i = 0; i < length; i++) {
    whole += weight(i) ** 2;
    if (i + lag < length) shifted += weight(i) * weight(i + lag);
  }
  return shifted / whole;
}
