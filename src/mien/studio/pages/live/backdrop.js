/** The colour beside the avatar on a wide screen: that of the picture's own edge. */

const EVERY = 1000; // milliseconds between two looks
const GONE = 2500; // milliseconds without a picture after which the card stands there

export class Backdrop {
  #element;
  #context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  #lookedAt = -Infinity;
  #timer = 0;

  /** @param {HTMLElement} element gets its --backdrop set */
  constructor(element) {
    this.#element = element;
  }

  /** @param {ImageBitmap} picture of an avatar, or the card */
  follow(picture) {
    const now = performance.now();
    if (now - this.#lookedAt < EVERY || !this.#context) return;
    this.#lookedAt = now;
    this.#context.drawImage(picture, 0, 0, 2, picture.height / 2, 0, 0, 1, 1);
    const [red, green, blue] = this.#context.getImageData(0, 0, 1, 1).data;
    this.#element.style.setProperty("--backdrop", `rgb(${red} ${green} ${blue})`);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#element.style.removeProperty("--backdrop"), GONE);
  }
}
