// The emotions since the call began, as shares that fill the height, with the clinician's marks above them.

import { EMOTIONS } from "./emotion-record.js";
import { make } from "../make.js";
import { clock, inEveryLanguage, percent, t } from "../text.js";

const SVG = "http://www.w3.org/2000/svg";
const BINS = 240;
const HEIGHT = 100;
const SHORTEST = 60; // seconds that the axis has at least
const STEPS = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];
const MOST_TICKS = 6;

/**
 * @param {ReturnType<import("./emotion-record.js").EmotionRecord["means"]>} means of equal stretches
 * @param {(name: string) => string} colour of an emotion, and of "unseen"
 * @returns {SVGSVGElement} one unit wide for each stretch, 100 high, to be stretched to any size
 */
export function stackedShares(means, colour) {
  const svg = svgElement("svg", { viewBox: `0 0 ${means.length} ${HEIGHT}`, preserveAspectRatio: "none" });
  const unseen = means.map((mean, x) => (mean && !mean.emotions ? `M${x} 0H${x + 1}V${HEIGHT}H${x}z` : "")).join("");
  svg.append(svgElement("path", { d: unseen, fill: colour("unseen") }));
  EMOTIONS.forEach((name, index) => {
    const d = means.map((mean, x) => (mean?.emotions ? column(mean.emotions, index, x) : "")).join("");
    svg.append(svgElement("path", { d, fill: colour(name), "shape-rendering": "crispEdges" }));
  });
  return svg;
}

/** The place of one emotion in a stretch: above those before it. */
function column(emotions, index, x) {
  const below = emotions.slice(0, index).reduce((sum, share) => sum + share, 0);
  const [top, bottom] = [below + emotions[index], below].map((share) => ((1 - share) * HEIGHT).toFixed(1));
  return `M${x} ${top}H${x + 1}V${bottom}H${x}z`;
}

function svgElement(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** @param {number} until seconds @returns {number[]} times for an axis from 0 */
export function ticks(until) {
  const step = STEPS.find((seconds) => until / seconds <= MOST_TICKS) ?? STEPS.at(-1);
  return Array.from({ length: Math.floor(until / step) + 1 }, (_, i) => i * step);
}

export class TimelineChart {
  #plot = make("div", { class: "chart-plot", role: "slider", tabindex: "0" });
  #pins = make("div", { class: "chart-pins", "aria-hidden": "true" });
  #axis = make("div", { class: "chart-axis", "aria-hidden": "true" });
  #cursor = make("div", { class: "chart-cursor", hidden: true });
  #readout = make("p", { class: "chart-readout numbers" });
  #legend = make("ul", { class: "chart-legend" });
  #means = [];
  #until = SHORTEST;
  #at = null; // stretch under the cursor

  /** @param {HTMLElement} container */
  constructor(container) {
    container.replaceChildren(make("div", { class: "chart" }, this.#pins, this.#plot, this.#axis, this.#readout, this.#legend));
    this.#plot.addEventListener("pointermove", ({ offsetX }) => this.#point((offsetX / this.#plot.clientWidth) * BINS));
    this.#plot.addEventListener("pointerleave", () => this.#point(null));
    this.#plot.addEventListener("blur", () => this.#point(null));
    this.#plot.addEventListener("keydown", (event) => this.#step(event));
    inEveryLanguage(() => this.#label());
  }

  /**
   * @param {object} what
   * @param {import("./emotion-record.js").EmotionRecord} what.record
   * @param {number} what.until seconds since the call began
   * @param {import("./notes.js").Mark[]} what.marks
   */
  draw({ record, until, marks }) {
    this.#until = Math.max(SHORTEST, until);
    this.#means = record.means(0, this.#until, BINS);
    this.#plot.replaceChildren(stackedShares(this.#means, (name) => `var(--${name})`), this.#cursor);
    this.#plot.setAttribute("aria-valuemax", String(Math.round(until)));
    this.#pins.replaceChildren(...marks.map(({ at }) => this.#placed("span", at, "")));
    this.#axis.replaceChildren(...ticks(this.#until).map((time) => this.#placed("span", time, clock(time))));
    this.#point(this.#at);
  }

  #placed(tag, time, text) {
    const element = make(tag, { class: time > 0.97 * this.#until ? "last" : "" }, text);
    element.style.left = `${(100 * time) / this.#until}%`;
    return element;
  }

  #step(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.#point((this.#at ?? 0) + step);
  }

  #point(bin) {
    this.#at = bin === null ? null : Math.min(BINS - 1, Math.max(0, Math.floor(bin)));
    this.#cursor.hidden = this.#at === null;
    if (this.#at === null) {
      this.#readout.textContent = t("join.chart.hint");
      return;
    }
    const time = ((this.#at + 0.5) / BINS) * this.#until;
    this.#cursor.style.left = `${(100 * time) / this.#until}%`;
    this.#readout.textContent = `${clock(time)}  ${inWords(this.#means[this.#at])}`;
    this.#plot.setAttribute("aria-valuenow", String(Math.round(time)));
    this.#plot.setAttribute("aria-valuetext", this.#readout.textContent);
  }

  #label() {
    this.#plot.setAttribute("aria-label", t("join.overview"));
    this.#plot.setAttribute("aria-valuemin", "0");
    this.#plot.setAttribute("aria-valuenow", "0");
    const named = [...EMOTIONS].reverse().map((name) => make("li", { class: name }, t(`emotion.${name}`)));
    this.#legend.replaceChildren(...named, make("li", { class: "absence" }, t("join.chart.unseen")));
    this.#point(this.#at);
  }
}

/**
 * The three strongest emotions of a stretch, for reading.
 * @param {{emotions: number[] | null} | null | undefined} mean
 * @returns {string}
 */
export function inWords(mean) {
  if (!mean) return t("join.chart.nothing");
  if (!mean.emotions) return t("join.chart.unseen");
  const shares = mean.emotions.map((share, i) => ({ share, name: EMOTIONS[i] })).sort((a, b) => b.share - a.share);
  return shares.slice(0, 3).filter(({ share }) => share >= 0.05).map(({ share, name }) => `${t(`emotion.${name}`)} ${percent(share)}`).join(" · ");
}
