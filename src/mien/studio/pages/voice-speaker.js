// What is constant about a speaker (usual pitch, length of the vocal tract, colour of the voice), learned while they
// speak so that it can be taken away. Forgotten with the page.

const FIRST_PITCH = 160, FIRST_WEIGHT = 0.15; // Hz, and the seconds of speech it counts for
const MEMORY = 25; // s of speech after which half of what was heard has faded to 1/e
const PER_OCTAVE = 24; // steps of the logarithmic frequency axis
const BOTTOM = 300, TOP = 5200; // Hz, where formants are looked for
const SMALLEST = 0.86, LARGEST = 1.6; // formants over those of an adult man
const MAN_PITCH = 115, PITCH_TO_TRACT = 0.27, PRIOR_SPREAD = 0.07; // shorter tracts come with higher voices
const TRUST = 9; // how much a perfect match of formants says against the prior, after SURE seconds
const SURE = 3; // s of voiced speech
/**
 * Mean formants of ten American English vowels of men, Hz (Peterson and Barney, "Control methods used in a study of
 * the vowels", 1952); the fourth and fifth those of a uniform tube of 17.5 cm.
 */
const VOWELS = [
  [270, 2290, 3010], [390, 1990, 2550], [530, 1840, 2480], [660, 1720, 2410], [730, 1090, 2440],
  [570, 840, 2410], [440, 1020, 2240], [300, 870, 2240], [640, 1190, 2390], [490, 1350, 1690],
];
const WIDTHS = [60, 90, 130, 180, 250]; // Hz, bandwidths of the five formants

/** Third-octave levels of long-term average speech, dB, from 100 Hz to 10 kHz (Byrne et al., 1994, men and women). */
const AVERAGE = [
  54.4, 57.7, 56.8, 60.2, 60.3, 59.0, 62.1, 62.1, 60.5, 56.8, 53.7, 53.0, 52.0, 48.7, 48.1, 46.8, 45.6, 44.5, 44.3,
  43.7, 43.4,
];
const COLOUR_WEIGHT = 12; // s of speech after which half of the difference in colour is corrected
const COLOUR_LIMIT = 9; // dB
const COLOUR_SHARE = 0.85; // of the difference that is ever corrected

/** Learns from moments of speech. Nothing is allocated after construction. */
export class Speaker {
  /**
   * @param {number} rate Hz
   * @param {number} size of the transform the spectra come from
   */
  constructor(rate, size) {
    this.bin = rate / size;
    this.top = Math.min(TOP, rate / 2 - 200);
    this.points = Math.floor(Math.log2(this.top / BOTTOM) * PER_OCTAVE);
    this.lowest = Math.floor(Math.log2(SMALLEST) * PER_OCTAVE);
    this.highest = Math.ceil(Math.log2(LARGEST) * PER_OCTAVE);
    this.template = template(this.points, this.lowest, this.highest);
    this.detail = new Float64Array(this.points);
    this.sums = new Float64Array(this.points + PER_OCTAVE + 1);
    this.mean = new Float64Array(this.points);
    this.match = new Float64Array(this.highest - this.lowest + 1);
    this.voiced = FIRST_WEIGHT;
    this.logPitch = Math.log(FIRST_PITCH);
    this.heard = 0;
    /** Formants over those of an adult man of 17.5 cm of vocal tract. */
    this.tract = this.#prior();
    this.bands = new Float64Array(AVERAGE.length);
    this.spoken = 0;
    /** dB per third-octave band from 100 Hz: what brings this voice to the average colour. */
    this.colour = new Float64Array(AVERAGE.length);
    this.rough = new Float64Array(AVERAGE.length);
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
   * A moment of speech, for the colour of the voice.
   * @param {Float64Array} log spectral envelope, formants already moved
   * @param {number} seconds
   */
  hearColour(log, seconds) {
    this.spoken = this.spoken * (1 - seconds / MEMORY) + seconds;
    const share = seconds / this.spoken, { bands, bin } = this;
    for (let band = 0; band < bands.length; band++) {
      const centre = bandCentre(band);
      const from = Math.round((centre * 0.89) / bin), to = Math.min(log.length - 1, Math.round((centre * 1.12) / bin));
      let power = 0;
      for (let k = from; k <= to; k++) power += Math.exp(log[k]);
      power /= Math.max(1, to - from + 1);
      bands[band] += (power - bands[band]) * share;
    }
  }

  /** Draws the conclusions: cheap enough for some times a second. */
  conclude() {
    this.#concludeTract();
    if (this.spoken > 0) this.#concludeColour();
  }

  /** The likeliest scale of the formants: how well their average pattern, shifted, fits; and what the pitch suggests. */
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

  #concludeColour() {
    const { bands, colour, rough, spoken } = this;
    const last = bands.length - 1, share = (COLOUR_SHARE * spoken) / (spoken + COLOUR_WEIGHT);
    let mean = 0;
    for (let i = 0; i <= last; i++) {
      const wanted = AVERAGE[i] - 10 * Math.log10(bandCentre(i));
      rough[i] = wanted - 10 * Math.log10(bands[i] + 1e-13);
      mean += rough[i] / (last + 1);
    }
    for (let i = 0; i <= last; i++) {
      // An octave's worth of neighbours: the voice's colour, not its formants.
      const near = rough[Math.max(0, i - 1)] + 2 * rough[i] + rough[Math.min(last, i + 1)];
      const far = rough[Math.max(0, i - 2)] + rough[Math.min(last, i + 2)];
      const off = (near + far) / 6 - mean;
      colour[i] = share * COLOUR_LIMIT * Math.tanh(off / COLOUR_LIMIT);
    }
  }
}

const bandCentre = (band) => 100 * 10 ** (band / 10);

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
      spectrum[i] = allPole(BOTTOM * 2 ** ((i - highest) / PER_OCTAVE), [...vowel, 3500, 4500]);
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

/** Log power of formants in cascade (Fant, "Acoustic theory of speech production", 1960). */
function allPole(hertz, formants) {
  let log = 0;
  for (const [n, formant] of formants.entries()) {
    const width = WIDTHS[n] / 2, centre = formant ** 2 + width ** 2;
    log += 2 * Math.log(centre);
    log -= Math.log((hertz - formant) ** 2 + width ** 2) + Math.log((hertz + formant) ** 2 + width ** 2);
  }
  return log;
}
