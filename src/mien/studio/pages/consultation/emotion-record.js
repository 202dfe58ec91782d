// The emotions received since the call began, in a fixed amount of memory however long it lasts and whatever is sent.

/** The seven classes, in FER2013's order. */
export const EMOTIONS = Object.freeze(["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]);

const FIELDS = 4 + EMOTIONS.length; // time in the call, time of the session, seen, confidence, then the seven
const CAPACITY = 8 * 3600 * 5; // eight hours at five a second, 13 MB; after that every second row goes
const STEP = 0.19; // seconds between rows, at first
const GAP = 2; // seconds between rows beyond which nothing is known of what lay between

/**
 * @typedef {object} Row
 * @property {number} at seconds since the call began
 * @property {number} time seconds of the patient's own session, as in its report
 * @property {boolean} seen
 * @property {number} confidence
 * @property {Record<string, number> | null} emotions
 */

export class EmotionRecord {
  #values;
  #capacity;
  #length = 0;
  #step = STEP;

  /** @param {number} capacity rows kept at most */
  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
    this.#values = new Float64Array(FIELDS * Math.min(capacity, 1024));
  }

  get length() {
    return this.#length;
  }

  /**
   * @param {number} at seconds since the call began, not before the last one
   * @param {Omit<Row, "at">} row
   * @returns {boolean} false if it came too soon after the last one to be kept
   */
  add(at, row) {
    if (this.#length && at - this.#values[(this.#length - 1) * FIELDS] < this.#step) return false;
    if (this.#length === this.#capacity) this.#thin();
    if ((this.#length + 1) * FIELDS > this.#values.length) this.#grow();
    const start = this.#length * FIELDS;
    this.#values.set([at, row.time, Number(row.seen), row.confidence], start);
    this.#values.set(EMOTIONS.map((name) => row.emotions?.[name] ?? NaN), start + 4);
    this.#length += 1;
    return true;
  }

  /** @param {number} index @returns {Row} */
  row(index) {
    const [at, time, seen, confidence, ...emotions] = this.#values.subarray(index * FIELDS, (index + 1) * FIELDS);
    const known = !Number.isNaN(emotions[0]);
    return {
      at, time, seen: seen === 1, confidence,
      emotions: known ? Object.fromEntries(EMOTIONS.map((name, i) => [name, emotions[i]])) : null,
    };
  }

  /**
   * Means over equal stretches of the call.
   * @param {number} from seconds since the call began
   * @param {number} to
   * @param {number} count of stretches
   * @returns {({emotions: number[] | null, seen: number, confidence: number} | null)[]} null where nothing was received;
   *   emotions in the order of EMOTIONS, null where there is no estimate; seen is a share of the rows, confidence that of
   *   those seen
   */
  means(from, to, count) {
    const width = (to - from) / count;
    const sums = Array.from({ length: count }, () => ({ rows: 0, seen: 0, confidence: 0, known: 0, emotions: null }));
    for (let i = this.#from(from); i < this.#length && this.#values[i * FIELDS] < to; i += 1) {
      const start = i * FIELDS;
      const next = i + 1 < this.#length ? this.#values[start + FIELDS] : Infinity;
      const at = this.#values[start];
      // A row stands for the time until the next one, so that short stretches between two rows are not empty.
      const last = Math.min(next - at > Math.max(GAP, 2.5 * this.#step) ? at : next, to);
      const bins = [Math.floor((at - from) / width), Math.ceil((last - from) / width) - 1];
      for (let bin = Math.max(0, bins[0]); bin <= Math.min(count - 1, Math.max(...bins)); bin += 1) {
        this.#addTo(sums[bin], start);
      }
    }
    return sums.map(({ rows, seen, confidence, known, emotions }) => {
      if (rows === 0) return null;
      return {
        emotions: emotions && emotions.map((value) => value / known), seen: seen / rows, confidence: seen && confidence / seen,
      };
    });
  }

  #addTo(sum, start) {
    const values = this.#values;
    sum.rows += 1;
    sum.seen += values[start + 2];
    sum.confidence += values[start + 2] * values[start + 3];
    if (Number.isNaN(values[start + 4]) || values[start + 2] === 0) return;
    sum.known += 1;
    sum.emotions ??= new Array(EMOTIONS.length).fill(0);
    for (let k = 0; k < EMOTIONS.length; k += 1) sum.emotions[k] += values[start + 4 + k];
  }

  /** The first row that is not before `time`, by halving. */
  #from(time) {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#values[middle * FIELDS] < time) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #grow() {
    const larger = new Float64Array(Math.min(this.#values.length * 2, this.#capacity * FIELDS));
    larger.set(this.#values);
    this.#values = larger;
  }

  #thin() {
    for (let i = 0; 2 * i < this.#length; i += 1) {
      this.#values.copyWithin(i * FIELDS, 2 * i * FIELDS, (2 * i + 1) * FIELDS);
    }
    this.#length = Math.ceil(this.#length / 2);
    this.#step *= 2;
  }
}
