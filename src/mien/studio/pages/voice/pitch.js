// The pitch of a voice as it comes in: normalised cross-correlation and a short look-ahead for the likeliest path,
// after Talkin, "A robust algorithm for pitch tracking (RAPT)", 1995.
import { Decimator } from "./rate.js";

const LOWEST = 70, HIGHEST = 500; // Hz
const WINDOW = 0.016; // s, compared with itself one period on
const PASSED = 1100; // Hz: the first harmonics; formants above would only distract
const CANDIDATES = 6; // the first stands for "no pitch"
const AHEAD = 2; // hops that the path may still change its mind for
const PEAK = 0.3; // correlation below which nothing is a candidate
const QUIET = 1e-7; // power (about −70 dBFS) that correlation must rise above
const FAVOUR_SHORT = 0.25; // off the correlation of the longest lag: multiples of the period fit as well
const VOICELESS = 0.06; // added to the cost of "no pitch"
const TURN = 0.25; // cost of beginning or ending
const BEND = 1.2; // cost of an octave's glide in one hop
const LEAP = 0.45; // the most that any jump costs
const HABIT = 0.06; // cost of being an octave off this person's usual pitch

const near = (other, here) => other > here / 1.2 && other < here * 1.2;

/** Follows the pitch. Nothing is allocated after construction. */
export class PitchTracker {
  /**
   * @param {number} rate Hz
   * @param {number} hop samples per call
   */
  constructor(rate, hop) {
    const factor = rate >= 20000 ? 4 : 2;
    this.rate = rate / factor;
    this.hop = hop / factor;
    this.decimator = new Decimator(factor, hop, PASSED / rate);
    this.longest = Math.ceil(this.rate / LOWEST);
    this.shortest = Math.floor(this.rate / HIGHEST);
    this.window = Math.round(WINDOW * this.rate);
    this.span = this.window + this.longest + 2;
    const middle = (this.span / 2) * factor + this.decimator.delay;
    /** Samples, a whole number of hops, between the moment that `f0` is about and the newest sample. */
    this.lookahead = (Math.ceil(middle / hop) + AHEAD) * hop;
    // What rounding up to whole hops leaves over is spent by listening that much further back.
    this.back = Math.round((this.lookahead - AHEAD * hop - this.decimator.delay) / factor);
    this.line = new Float64Array(this.back + Math.ceil(this.span / 2) + 2 + this.hop);
    this.squares = new Float64Array(this.span + 1);
    this.segment = new Float64Array(this.span);
    this.likeness = new Float64Array(this.longest + 2);
    this.frequency = this.#frames();
    this.strengths = this.#frames();
    this.before = Array.from({ length: AHEAD + 2 }, () => new Uint8Array(CANDIDATES));
    this.count = new Uint8Array(AHEAD + 2).fill(1);
    this.cost = new Float64Array(CANDIDATES);
    this.former = new Float64Array(CANDIDATES);
    this.now = 0;
    /** Hz; 0 where there is no pitch. */
    this.f0 = 0;
    /** 0..1, how alike two periods in a row are (below PASSED). */
    this.strength = 0;
    /** Hz, the pitch this person is known to have; 0 while unknown. */
    this.usual = 0;
  }

  #frames() {
    return Array.from({ length: AHEAD + 2 }, () => new Float64Array(CANDIDATES));
  }

  /** Takes `hop` samples from `input` and sets `f0` and `strength` for `lookahead` samples ago. */
  advance(input) {
    const { line, hop } = this;
    line.copyWithin(0, hop);
    this.decimator.run(input, 0, line, line.length - hop);
    this.#correlate();
    this.now = (this.now + 1) % (AHEAD + 2);
    this.#propose();
    this.#link();
    this.#settle();
  }

  /** Normalised cross-correlation at every lag, both windows placed evenly around one moment. */
  #correlate() {
    const { line, segment, squares, span, window, shortest, longest, likeness } = this;
    const first = line.length - this.back - (span >> 1);
    let mean = 0;
    for (let i = 0; i < span; i++) mean += line[first + i];
    mean /= span;
    for (let i = 0; i < span; i++) {
      segment[i] = line[first + i] - mean;
      squares[i + 1] = squares[i] + segment[i] * segment[i];
    }
    const quiet = QUIET * window;
    for (let lag = shortest - 1; lag <= longest + 1; lag++) {
      const from = (span - window - lag) >> 1, to = from + lag;
      let sum = 0;
      for (let i = 0; i < window; i++) sum += segment[from + i] * segment[to + i];
      const one = squares[from + window] - squares[from], other = squares[to + window] - squares[to];
      likeness[lag] = sum / (Math.sqrt(one * other) + quiet);
    }
  }

  /** The highest peaks become candidates for this hop. */
  #propose() {
    const { likeness, shortest, longest, now, usual } = this;
    const frequency = this.frequency[now], strengths = this.strengths[now], cost = this.#turnCosts();
    let count = 1, best = 0;
    for (let lag = shortest; lag <= longest; lag++) {
      const here = likeness[lag], left = likeness[lag - 1], right = likeness[lag + 1];
      if (here < PEAK || here < left || here <= right) continue;
      const bend = left - 2 * here + right, off = (left - right) / (2 * bend);
      const exact = lag + off, height = Math.min(1, here - ((left - right) * off) / 4);
      best = Math.max(best, height);
      let price = 1 - height * (1 - (FAVOUR_SHORT * exact) / longest);
      if (usual) price += HABIT * Math.log2(this.rate / exact / usual) ** 2;
      let slot = count < CANDIDATES ? count++ : 0;
      if (!slot) {
        slot = 1;
        for (let i = 2; i < CANDIDATES; i++) if (cost[i] > cost[slot]) slot = i;
        if (cost[slot] <= price) continue;
      }
      frequency[slot] = this.rate / exact;
      strengths[slot] = height;
      cost[slot] = price;
    }
    frequency[0] = 0;
    strengths[0] = best;
    cost[0] = best + VOICELESS;
    this.count[now] = count;
  }

  #turnCosts() {
    const cost = this.former;
    this.former = this.cost;
    this.cost = cost;
    return cost;
  }

  /** The cheapest way from the hop before to each candidate of this one. */
  #link() {
    const { now, cost, former } = this;
    const last = (now + AHEAD + 1) % (AHEAD + 2);
    const frequency = this.frequency[now], earlier = this.frequency[last], before = this.before[now];
    let cheapest = Infinity;
    for (let i = 0; i < this.count[now]; i++) {
      let least = Infinity;
      for (let j = 0; j < this.count[last]; j++) {
        let price = former[j];
        if (!frequency[i] !== !earlier[j]) price += TURN;
        else if (frequency[i]) price += Math.min(LEAP, BEND * Math.abs(Math.log2(frequency[i] / earlier[j])));
        if (price < least) {
          least = price;
          before[i] = j;
        }
      }
      cost[i] += least;
      cheapest = Math.min(cheapest, cost[i]);
    }
    for (let i = 0; i < this.count[now]; i++) cost[i] -= cheapest;
  }

  /** Walks back along the cheapest path to the hop that is due, and smooths with its neighbours. */
  #settle() {
    const { now, cost, frequency } = this;
    const frames = AHEAD + 2;
    let at = 0;
    for (let i = 1; i < this.count[now]; i++) if (cost[i] < cost[at]) at = i;
    let frame = now, next = 0;
    for (let step = 0; step < AHEAD; step++) {
      if (step === AHEAD - 1) next = frequency[frame][at];
      at = this.before[frame][at];
      frame = (frame + frames - 1) % frames;
    }
    const here = frequency[frame][at], last = this.f0;
    this.strength = this.strengths[frame][at];
    this.f0 = near(last, here) && near(next, here) ? Math.cbrt(last * here * next) : here;
  }
}
