// Sample rates up and down by whole factors: windowed-sinc low-pass filters, run block by block.

/** A Blackman-windowed sinc of odd length, sum 1; `cutoff` in cycles per sample. */
function lowPass(length, cutoff) {
  const middle = (length - 1) / 2;
  const kernel = Float64Array.from({ length }, (_, i) => {
    const x = 2 * Math.PI * cutoff * (i - middle), turn = (2 * Math.PI * (i + 1)) / (length + 1);
    return (x === 0 ? 1 : Math.sin(x) / x) * (0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn));
  });
  const sum = kernel.reduce((a, b) => a + b);
  return kernel.map((value) => value / sum);
}

/** Every `factor`-th sample of what is left below the cutoff. */
export class Decimator {
  /**
   * @param {number} factor samples in per sample out
   * @param {number} block samples in per call, a multiple of the factor
   * @param {number} [cutoff] cycles per sample in
   */
  constructor(factor, block, cutoff = 0.46 / factor) {
    this.factor = factor;
    this.block = block;
    this.kernel = factor === 1 ? Float64Array.of(1) : lowPass(24 * factor + 1, cutoff);
    /** Samples in by which the output is late. */
    this.delay = (this.kernel.length - 1) / 2;
    this.past = this.kernel.length - 1;
    this.line = new Float64Array(this.past + block);
  }

  /** Reads `block` samples of `input` from `from` on, writes `block / factor` to `output` at `at`. */
  run(input, from, output, at) {
    const { factor, block, kernel, past, line } = this;
    line.copyWithin(0, block);
    for (let i = 0; i < block; i++) line[past + i] = input[from + i];
    for (let i = 0; i < block; i += factor) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k] * line[i + k];
      output[at + i / factor] = sum;
    }
  }
}

/** `factor` samples for every one, nothing above the old band. */
export class Interpolator {
  /**
   * @param {number} factor samples out per sample in
   * @param {number} block samples in per call
   */
  constructor(factor, block) {
    this.factor = factor;
    this.block = block;
    this.kernel = factor === 1 ? Float64Array.of(1) : lowPass(24 * factor + 1, 0.46 / factor);
    /** Samples out by which the output is late. */
    this.delay = (this.kernel.length - 1) / 2;
    this.past = Math.ceil(this.kernel.length / factor) - 1;
    this.line = new Float64Array(this.past + block);
  }

  /** Reads `block` samples of `input`, writes `block * factor` to `output`. */
  run(input, output) {
    const { factor, block, kernel, past, line } = this;
    line.copyWithin(0, block);
    for (let i = 0; i < block; i++) line[past + i] = input[i];
    for (let i = 0; i < block; i++) {
      for (let phase = 0; phase < factor; phase++) {
        let sum = 0;
        for (let k = phase, from = past + i; k < kernel.length; k += factor, from--) sum += kernel[k] * line[from];
        output[i * factor + phase] = sum * factor;
      }
    }
  }
}
