/** Three, two, one: time to sit still before the resting face is taken. */

import { t } from "../text.js";

const SECONDS = 3;

export class Countdown {
  #container;
  /** @type {((done: boolean) => void) | null} */
  #finish = null;
  #timer = 0;

  /** @param {HTMLElement} container is shown while it counts */
  constructor(container) {
    this.#container = container;
  }

  /** @returns {Promise<boolean>} true when it has counted to the end, false where it was cancelled */
  run() {
    this.cancel();
    const words = document.createElement("strong");
    words.textContent = t("live.calibrate.hold");
    const figure = document.createElement("span");
    figure.className = "countdown-figure numbers";
    this.#container.replaceChildren(words, figure);
    this.#container.hidden = false;
    return new Promise((resolve) => {
      this.#finish = resolve;
      this.#count(figure, SECONDS);
    });
  }

  cancel() {
    this.#end(false);
  }

  /** @param {HTMLElement} figure @param {number} left */
  #count(figure, left) {
    if (left === 0) return this.#end(true);
    figure.textContent = String(left);
    this.#timer = setTimeout(() => this.#count(figure, left - 1), 1000);
  }

  /** @param {boolean} done */
  #end(done) {
    clearTimeout(this.#timer);
    this.#container.hidden = true;
    this.#finish?.(done);
    this.#finish = null;
  }
}
