/** The colours beside the avatar on a wide screen: those of the picture's own edges. */

const EVERY = 1000; // milliseconds between two looks
const GONE = 2500; // milliseconds without a picture after which the card stands there

export class Backdrop {
  #element;
  #context = new OffscreenCanvas(2, 1).getContext("2d", { willReadFrequently: true });
  #lookedAt = -Infinity;
  #timer = 0;

  /** @param {HTMLElement} element gets its --left and --right set */
  constructor(element) {
    this.#element = element;
  }

  /** @param {ImageBitmap} picture of an avatar, or the card */
  follow(picture) {
    const now = performance.now();
    if (now - this.#lookedAt < EVERY || !this.#context) return;
    this.#lookedAt = now;
    const { width, height } = picture;
    // The upper half: shoulders come to the edge below it.
    this.#context.drawImage(picture, 0, 0, 2, height / 2, 0, 0, 1, 1);
    this.#context.drawImage(picture, width - 2, 0, 2, height / 2, 1, 0, 1, 1);
    const colours = this.#context.getImageData(0, 0, 2, 1).data;
    this.#paint("--left", colours.subarray(0, 3));
    this.#paint("--right", colours.subarray(4, 7));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#clear(), GONE);
  }

  #paint(side, [red, green, blue]) {
    this.#element.style.setProperty(side, `rgb(${red} ${green} ${blue})`);
  }

  #clear() {
    for (const side of ["--left", "--right"]) this.#element.style.removeProperty(side);
  }
}
