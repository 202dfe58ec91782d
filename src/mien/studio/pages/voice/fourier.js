// The Fourier transform of real signals, without allocation after construction.

/** Transforms of one size: a complex transform of half the size (radix 2, Cooley and Tukey, 1965), unpacked. */
export class RealFourier {
  /** @param {number} size a power of two, at least 8 */
  constructor(size) {
    this.size = size;
    const half = size / 2;
    this.half = half;
    this.re = new Float64Array(half);
    this.im = new Float64Array(half);
    this.cos = new Float64Array(half);
    this.sin = new Float64Array(half);
    for (let k = 0; k < half; k++) {
      this.cos[k] = Math.cos((2 * Math.PI * k) / size);
      this.sin[k] = Math.sin((2 * Math.PI * k) / size);
    }
    this.reversed = new Uint16Array(half);
    for (let i = 1; i < half; i++) this.reversed[i] = (this.reversed[i >> 1] >> 1) | (i & 1 ? half >> 1 : 0);
  }

  /**
   * @param {Float64Array} signal (size,)
   * @param {Float64Array} re (size / 2 + 1,) written
   * @param {Float64Array} im (size / 2 + 1,) written
   */
  forward(signal, re, im) {
    const { half, reversed, re: zr, im: zi, cos, sin } = this;
    for (let i = 0; i < half; i++) {
      const from = 2 * reversed[i];
      zr[i] = signal[from];
      zi[i] = signal[from + 1];
    }
    this.#butterflies(zr, zi);
    re[0] = zr[0] + zi[0];
    re[half] = zr[0] - zi[0];
    im[0] = im[half] = 0;
    for (let k = 1, j = half - 1; k <= j; k++, j--) {
      const evenRe = (zr[k] + zr[j]) / 2, evenIm = (zi[k] - zi[j]) / 2;
      const oddRe = (zi[k] + zi[j]) / 2, oddIm = (zr[j] - zr[k]) / 2;
      const turnedRe = oddRe * cos[k] + oddIm * sin[k], turnedIm = oddIm * cos[k] - oddRe * sin[k];
      re[k] = evenRe + turnedRe;
      im[k] = evenIm + turnedIm;
      re[j] = evenRe - turnedRe;
      im[j] = turnedIm - evenIm;
    }
  }

  /**
   * The inverse of `forward`, scaled so that both in turn change nothing.
   * @param {Float64Array} re (size / 2 + 1,)
   * @param {Float64Array} im (size / 2 + 1,)
   * @param {Float64Array} signal (size,) written
   */
  inverse(re, im, signal) {
    const { half, reversed, re: zr, im: zi, cos, sin } = this;
    for (let i = 0; i < half; i++) {
      const k = reversed[i], j = half - k;
      const evenRe = re[k] + re[j], evenIm = im[k] - im[j];
      const diffRe = re[k] - re[j], diffIm = im[k] + im[j];
      const oddRe = diffRe * cos[k] - diffIm * sin[k], oddIm = diffIm * cos[k] + diffRe * sin[k];
      // Conjugated going in and coming out: the same butterflies then turn the other way.
      zr[i] = evenRe - oddIm;
      zi[i] = -(evenIm + oddRe);
    }
    this.#butterflies(zr, zi);
    const scale = 1 / this.size;
    for (let i = 0; i < half; i++) {
      signal[2 * i] = zr[i] * scale;
      signal[2 * i + 1] = -zi[i] * scale;
    }
  }

  #butterflies(zr, zi) {
    const { half, cos, sin } = this;
    for (let span = 1; span < half; span *= 2) {
      const step = half / span;
      for (let first = 0; first < half; first += 2 * span) {
        for (let k = 0, turn = 0; k < span; k++, turn += step) {
          const a = first + k, b = a + span;
          const c = cos[turn], s = sin[turn];
          const re = zr[b] * c + zi[b] * s, im = zi[b] * c - zr[b] * s;
          zr[b] = zr[a] - re;
          zi[b] = zi[a] - im;
          zr[a] += re;
          zi[a] += im;
        }
      }
    }
  }
}
