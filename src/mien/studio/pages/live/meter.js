/** Frame rate and delay in a corner, small and calm: told twice a second at most. */

import { t } from "../text.js";

const PAUSE = 500; // milliseconds between two tellings
const KEPT = 0.9; // of the mean delay when a new one comes

export class Meter {
  #container;
  /** @type {number | null} */
  #delay = null;
  #fps = 0;
  #toldAt = -Infinity;

  /** @param {HTMLElement} container */
  constructor(container) {
    this.#container = container;
  }

  /** @param {number | null} milliseconds from a camera frame to its avatar on the page; null where that is unknown */
  delay(milliseconds) {
    if (milliseconds === null) return;
    this.#delay = this.#delay === null ? milliseconds : KEPT * this.#delay + (1 - KEPT) * milliseconds;
    this.#tell();
  }

  /** @param {number} fps */
  rate(fps) {
    this.#fps = fps;
    this.#tell();
  }

  clear() {
    this.#delay = null;
    this.#fps = 0;
    this.#container.textContent = "";
  }

  #tell() {
    const now = performance.now();
    if (this.#delay === null || now - this.#toldAt < PAUSE) return;
    this.#toldAt = now;
    const values = { fps: Math.round(this.#fps), delay: Math.round(this.#delay) };
    this.#container.textContent = t("live.meter.short", values);
    this.#container.title = t("live.meter", values);
  }
}
