/** The seven emotions as they come: a bar each for now, and one running curve of the last minute. */

import { write } from "./make.js";
import { clock, inEveryLanguage, percent, t } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const EMOTIONS = Object.freeze(["happy", "surprise", "neutral", "sad", "fear", "angry", "disgust"]);
const [WIDTH, HEIGHT] = [600, 150];
const STEP = 0.25; // seconds between two points of the curve
const REDRAW = 0.2; // seconds between two drawings of it
const GAP = 1.5; // seconds without a word after which the line is broken

/**
 * @typedef {object} Row
 * @property {number} time seconds since the session began
 * @property {boolean} seen whether a face is in view
 * @property {Record<string, number> | null} emotions share of each of the seven, 0 to 1
 * @property {number} [confidence] 0 to 1
 * @property {boolean} [paused] whether nobody is looked for just now
 */

export class EmotionView {
  #seconds;
  /** @type {Row[]} */
  #rows = [];
  /** @type {Row | null} */
  #newest = null;
  #drawnAt = -Infinity;
  #view = document.createElement("div");
  /** @type {Map<string, {line: HTMLElement, name: HTMLElement, figure: HTMLElement, path: SVGPathElement}>} */
  #parts = new Map();
  #curve = document.createElementNS(SVG, "svg");
  #gaps = document.createElementNS(SVG, "path");
  #axis = document.createElement("div");
  #state = document.createElement("p");

  /**
   * @param {HTMLElement} container is filled with the view
   * @param {{seconds?: number}} [options] how far back the curve goes
   */
  constructor(container, { seconds = 60 } = {}) {
    this.#seconds = seconds;
    this.#view.className = "emotions";
    this.#view.append(this.#bars(), this.#figure());
    container.replaceChildren(this.#view);
    inEveryLanguage(() => this.#label());
    this.clear();
  }

  /** @param {Row} row the newest; earlier ones than the last are ignored */
  add(row) {
    if (this.#newest && row.time < this.#newest.time) return;
    this.#newest = row;
    if (row.time - (this.#rows.at(-1)?.time ?? -Infinity) >= STEP) this.#rows.push(row);
    const oldest = row.time - this.#seconds;
    while (this.#rows.length > 1 && this.#rows[1].time < oldest) this.#rows.shift();
    this.#showNow(row);
    if (row.time - this.#drawnAt < REDRAW) return;
    this.#drawnAt = row.time;
    this.#draw(row.time);
  }

  /** Forget everything, as before the first row. */
  clear() {
    this.#rows = [];
    this.#newest = null;
    this.#drawnAt = -Infinity;
    this.#showNow({ time: 0, seen: true, emotions: null });
    this.#draw(0);
  }

  #bars() {
    const list = document.createElement("ul");
    list.className = "emotion-bars";
    for (const emotion of EMOTIONS) {
      const line = document.createElement("li");
      line.className = emotion;
      const [name, bar, figure] = ["name", "bar", "figure"].map((part) => {
        const span = document.createElement("span");
        span.className = `emotion-${part}`;
        return span;
      });
      bar.append(document.createElement("span"));
      line.append(name, bar, figure);
      list.append(line);
      this.#parts.set(emotion, { line, name, figure, path: this.#path(emotion) });
    }
    return list;
  }

  /** @param {string} emotion */
  #path(emotion) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", `emotion-line ${emotion}`);
    this.#curve.append(path);
    return path;
  }

  #figure() {
    const figure = document.createElement("figure");
    figure.className = "emotion-curve";
    this.#curve.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.#curve.setAttribute("preserveAspectRatio", "none");
    this.#curve.setAttribute("role", "img");
    this.#gaps.setAttribute("class", "emotion-gap");
    const grid = document.createElementNS(SVG, "path");
    grid.setAttribute("class", "emotion-grid");
    grid.setAttribute("d", [0.25, 0.5, 0.75].map((share) => `M0 ${HEIGHT * share}H${WIDTH}`).join(""));
    this.#curve.prepend(this.#gaps, grid);
    this.#axis.className = "emotion-axis";
    this.#state.className = "emotion-state";
    figure.append(this.#curve, this.#axis, this.#state);
    return figure;
  }

  #label() {
    for (const [emotion, { name }] of this.#parts) name.textContent = t(`emotion.${emotion}`);
    this.#curve.setAttribute("aria-label", t("emotion.curve", { seconds: this.#seconds }));
    const [from, to] = [document.createElement("span"), document.createElement("span")];
    from.textContent = t("emotion.ago", { seconds: this.#seconds });
    to.textContent = t("emotion.now");
    this.#axis.replaceChildren(from, to);
    if (this.#newest) this.#showNow(this.#newest);
  }

  /** @param {Row} row */
  #showNow({ seen, emotions, paused = false }) {
    this.#view.classList.toggle("absent", !seen);
    this.#state.hidden = seen;
    write(this.#state, t(paused ? "emotion.paused" : "emotion.unseen"));
    for (const [emotion, { line, figure }] of this.#parts) {
      const share = seen ? emotions?.[emotion] : undefined;
      line.style.setProperty("--share", (share ?? 0).toFixed(2));
      write(figure, share === undefined ? "–" : percent(share));
    }
  }

  /** @param {number} now seconds */
  #draw(now) {
    const x = (/** @type {number} */ time) => (WIDTH * (1 + (time - now) / this.#seconds)).toFixed(1);
    for (const [emotion, { path }] of this.#parts) path.setAttribute("d", this.#line(emotion, x));
    this.#gaps.setAttribute(
      "d",
      this.#unseen(now)
        .map(([from, to]) => `M${x(from)} 0H${x(to)}V${HEIGHT}H${x(from)}z`)
        .join(""),
    );
    this.#curve.dataset.until = clock(now);
  }

  /** @param {string} emotion @param {(time: number) => string} x */
  #line(emotion, x) {
    let line = "";
    let last = -Infinity;
    for (const { time, seen, emotions } of this.#rows) {
      if (!seen || !emotions) {
        last = -Infinity;
        continue;
      }
      line += `${time - last > GAP ? "M" : "L"}${x(time)} ${((1 - emotions[emotion]) * (HEIGHT - 4) + 2).toFixed(1)}`;
      last = time;
    }
    return line;
  }

  /** Stretches of time in which nobody was seen. @param {number} now @returns {[number, number][]} */
  #unseen(now) {
    /** @type {[number, number][]} */
    const stretches = [];
    this.#rows.forEach((row, index) => {
      const next = this.#rows[index + 1]?.time ?? now;
      if (row.seen && next - row.time <= GAP) return;
      const from = row.seen ? row.time + STEP : row.time;
      const last = stretches.at(-1);
      if (last && last[1] >= from) last[1] = next;
      else if (next > from) stretches.push([from, next]);
    });
    return stretches;
  }
}
