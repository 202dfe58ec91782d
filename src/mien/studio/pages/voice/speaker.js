// What is constant about a speaker (usual pitch, length of the vocal tract, colour of the voice), learned while they
// speak so that it can be taken away. Forgotten with the page.

const FIRST_PITCH = 160; // Hz, while nothing has been heard
const MEMORY = 25; // s of speech in which what was heard fades to 1/e
const PER_OCTAVE = 24; // steps of the logarithmic frequency axis
const BOTTOM = 300, TOP = 5200; // Hz, where formants are looked for
const SMALLEST = 0.86, LARGEST = 1.6; // formants over those of an adult man
const MAN_PITCH = 115, PITCH_TO_TRACT = 0.27, PRIOR_SPREAD = 0.07; // shorter tracts come with higher voices
const TRUST = 9; // how much a perfect match of formants says against the prior, after SURE seconds
const SURE = 3; // s of voiced speech
/**
 * Mean formants of ten American English vowels of men, Hz (Peterson and Barney, "Control methods used in a study of
 * the vowels", 1952); from the fourth on those of a uniform tube of 17.5 cm.
 */
const VOWELS = [
  [270, 2290, 3010], [390, 1990, 2550], [530, 1840, 2480], [660, 1720, 2410], [730, 1090, 2440],
  [570, 840, 2410], [440, 1020, 2240], [300, 870, 2240], [640, 1190, 2390], [490, 1350, 1690],
].map((formants) => [...formants, 3500, 4500, 5500, 6500, 7500, 8500, 9500, 10500, 11500]);
const WIDTHS = [60, 90, 130, 180, 250, 300, 400, 500, 600, 600, 600, 600]; // Hz, bandwidths of the formants

const BANDS = 56, BANDS_TOP = 11000; // of the voice's colour, evenly spaced in mel
const COLOUR_WEIGHT = 0.7; // s of voice after which half of the difference in colour is corrected
const COLOUR_LIMIT = 24; // dB
const RECENT = 0.12, NEW = 0.6; // s, and the change since then (natural logarithm of power) that counts in full
const SLOPE = -5; // dB per octave above 300 Hz of a common voice's source

/** Learns from moments of speech. Nothing is allocated after construction. */
export class Speaker {
  /**
   * @param {number} rate Hz
   * @param {number} size of the transform the spectra come from
   */
  constructor(rate, size) {
    this.bin = rate / size;
    this.last = size / 2;
    this.top = Math.min(TOP, rate / 2 - 200);
    this.points = Math.floor(Math.log2(this.top / BOTTOM) * PER_OCTAVE);
    this.lowest = Math.floor(Math.log2(SMALLEST) * PER_OCTAVE);
    this.highest = Math.ceil(Math.log2(LARGEST) * PER_OCTAVE);
    this.template = template(this.points, this.lowest, this.highest);
    this.detail = new Float64Array(this.points);
    this.sums = new Float64Array(this.points + PER_OCTAVE + 1);
    this.mean = new Float64Array(this.points);
    this.match = new Float64Array(this.highest - this.lowest + 1);
    /** s of voice heard, as far as remembered. */
    this.voiced = 0;
    this.logPitch = Math.log(FIRST_PITCH);
    this.heard = 0;
    /** Formants over those of an adult man of 17.5 cm of vocal tract. */
    this.tract = this.#prior();
    this.bands = new Float64Array(BANDS);
    this.common = new Float64Array(BANDS);
    this.rough = new Float64Array(BANDS);
    this.shape = new Float64Array(BANDS);
    this.recent = new Float64Array(BANDS);
    this.spoken = 0;
    /** Natural logarithm of power per band: what brings this voice's average to the common one. */
    this.colour = new Float64Array(BANDS);
  }

  /** Hz, geometric mean. */
  get pitch() {
    return Math.exp(this.logPitch);
  }

  #prior() {
    return (this.pitch / MAN_PITCH) ** PITCH_TO_TRACT;
  }

  /** A voiced moment of `seconds` at `f0` Hz. */
  hearPitch(f0, seconds) {
    this.voiced = this.voiced * (1 - seconds / MEMORY) + seconds;
    this.logPitch += ((Math.log(f0) - this.logPitch) * seconds) / this.voiced;
  }

  /**
   * A voiced moment's formants.
   * @param {Float64Array} log spectral envelope at the bins of the transform
   * @param {number} seconds
   */
  hearFormants(log, seconds) {
    const { points, detail, sums, mean, bin } = this;
    for (let i = 0; i < points; i++) {
      const at = (BOTTOM * 2 ** (i / PER_OCTAVE)) / bin, low = Math.floor(at);
      detail[i] = log[low] + (log[low + 1] - log[low]) * (at - low);
    }
    sharpen(detail, points, sums);
    this.heard = this.heard * (1 - seconds / MEMORY) + seconds;
    const share = seconds / this.heard;
    for (let i = 0; i < points; i++) mean[i] += (detail[i] - mean[i]) * share;
  }

  /**
   * A voiced moment's colour. A sound that is held counts little after its beginning: it is no average of anything.
   * @param {Float64Array} log spectral envelope, formants already moved
   * @param {number} seconds
   */
  hearColour(log, seconds) {
    const { bands, recent, shape } = this;
    let mean = 0, change = 0;
    for (let i = 0; i < BANDS; i++) {
      shape[i] = log[this.#binOf(i)];
      mean += shape[i] / BANDS;
    }
    const follow = Math.min(1, seconds / RECENT);
    for (let i = 0; i < BANDS; i++) {
      shape[i] -= mean;
      change += Math.abs(shape[i] - recent[i]) / BANDS;
      recent[i] += (shape[i] - recent[i]) * follow;
    }
    const weight = seconds * Math.min(1, (change / NEW) ** 2);
    this.spoken = this.spoken * (1 - weight / MEMORY) + weight;
    const share = this.spoken > 0 ? weight / this.spoken : 0;
    for (let i = 0; i < BANDS; i++) bands[i] += (shape[i] - bands[i]) * share;
  }

  #binOf(band) {
    return Math.min(this.last, Math.round(bandCentre(band) / this.bin));
  }

  /**
   * Draws the conclusions: cheap enough for some times a second.
   * @param {number} tract that the formants are being moved to
   */
  conclude(tract) {
    this.#concludeTract();
    this.#concludeColour(tract);
  }

  /** The likeliest scale of the formants: how well their average pattern, shifted, fits, and the pitch. */
  #concludeTract() {
    const { points, mean, lowest, highest, match } = this;
    const prior = Math.log(this.#prior()), trust = (TRUST * this.heard) / (this.heard + SURE);
    let best = 0;
    for (let shift = lowest; shift <= highest; shift++) {
      const other = this.template[shift - lowest];
      let both = 0, energy = 1e-9;
      for (let i = 0; i < points; i++) {
        both += mean[i] * other[i];
        energy += mean[i] * mean[i];
      }
      const off = (shift / PER_OCTAVE) * Math.LN2 - prior;
      match[shift - lowest] = (trust * both) / Math.sqrt(energy) - off ** 2 / (2 * PRIOR_SPREAD ** 2);
      if (match[shift - lowest] > match[best]) best = shift - lowest;
    }
    let part = 0;
    if (best > 0 && best < highest - lowest) {
      const left = match[best - 1], right = match[best + 1];
      part = (left - right) / (2 * (left - 2 * match[best] + right));
    }
    this.tract = 2 ** ((best + lowest + part) / PER_OCTAVE);
  }

  #concludeColour(tract) {
    const { bands, colour, rough, common, spoken } = this;
    const share = spoken / (spoken + COLOUR_WEIGHT), limit = COLOUR_LIMIT * NEPER;
    let mean = 0;
    for (let i = 0; i < BANDS; i++) {
      common[i] = commonColour(bandCentre(i) / tract);
      rough[i] = common[i] - bands[i];
      mean += rough[i] / BANDS;
    }
    for (let i = 0; i < BANDS; i++) {
      colour[i] = share * limit * Math.tanh((rough[i] - mean) / limit);
    }
  }

  /** Natural logarithm of power that `colour` adds at a frequency. */
  colourAt(hertz) {
    const at = Math.min(BANDS - 1.001, Math.max(0, bandAt(hertz))), low = Math.floor(at);
    return this.colour[low] + (this.colour[low + 1] - this.colour[low]) * (at - low);
  }
}

const NEPER = Math.LN10 / 10; // natural logarithm of power per dB
const mel = (hertz) => Math.log(1 + hertz / 700);
const bandAt = (hertz) => (mel(hertz) / mel(BANDS_TOP)) * BANDS - 0.5;
const bandCentre = (band) => 700 * (Math.exp(((band + 0.5) / BANDS) * mel(BANDS_TOP)) - 1);

/** The average vowel of a man on a source that slopes: natural logarithm of power at so many Hz. */
function commonColour(hertz) {
  let log = 0;
  for (const vowel of VOWELS) log += allPole(hertz, vowel) / VOWELS.length;
  return log + NEPER * SLOPE * Math.log2(Math.max(hertz, 300) / 300);
}

/** What stands out from the octave around it, in place: tilts of voice and microphone drop out. */
function sharpen(values, count, sums) {
  const half = PER_OCTAVE / 2;
  for (let i = -half; i < count + half; i++) {
    sums[i + half + 1] = sums[i + half] + values[Math.min(count - 1, Math.max(0, i))];
  }
  for (let i = 0; i < count; i++) values[i] -= (sums[i + 2 * half] - sums[i]) / (2 * half);
}

/** The average vowel of a man, shifted by every step from `lowest` to `highest`; each of unit length. */
function template(points, lowest, highest) {
  const whole = new Float64Array(points + highest - lowest);
  const sums = new Float64Array(whole.length + PER_OCTAVE + 1), spectrum = new Float64Array(whole.length);
  for (const vowel of VOWELS) {
    for (let i = 0; i < whole.length; i++) {
      spectrum[i] = allPole(BOTTOM * 2 ** ((i - highest) / PER_OCTAVE), vowel);
    }
    sharpen(spectrum, spectrum.length, sums);
    for (let i = 0; i < whole.length; i++) whole[i] += spectrum[i] / VOWELS.length;
  }
  return Array.from({ length: highest - lowest + 1 }, (_, shift) => {
    // A shorter tract has at each frequency what a man has further down.
    const start = highest - (lowest + shift);
    const part = whole.slice(start, start + points);
    const length = Math.hypot(...part);
    return part.map((value) => value / length);
  });
}

/** Natural logarithm of the power of formants in cascade (Fant, "Acoustic theory of speech production", 1960). */
function allPole(hertz, formants) {
  let log = 0;
  for (let n = 0; n < formants.length; n++) {
    const formant = formants[n], width = WIDTHS[n] / 2;
    log += 2 * Math.log(formant ** 2 + width ** 2);
    log -= Math.log((hertz - formant) ** 2 + width ** 2) + Math.log((hertz + formant) ** 2 + width ** 2);
  }
  return log;
}
