/** The canvas of the preview: the newest picture in its own shape, and a card whenever there is none. */

import { drawCard } from "../card.js";

const PATIENCE = 2000; // milliseconds after which a picture that no other follows gives way to the card
const LETTERS = 0.05; // of the card's shorter side

export class PreviewStage {
  #canvas;
  #context;
  #text = "";
  #shownAt = -Infinity;
  #live = false;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    setInterval(() => this.#live && performance.now() - this.#shownAt > PATIENCE && this.card(), 250);
  }

  /** What the card says from now on. @param {string} text */
  set text(text) {
    this.#text = text;
    if (!this.#live) this.card();
  }

  /** Show a picture, which is closed then. @param {ImageBitmap} bitmap */
  show(bitmap) {
    this.resize(bitmap.width, bitmap.height);
    this.#context.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.#shownAt = performance.now();
    this.#live = true;
  }

  /** @param {number} width @param {number} height of the pictures to come, in pixels */
  resize(width, height) {
    if (this.#canvas.width === width && this.#canvas.height === height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#canvas.style.setProperty("--shape", String(width / height));
    if (!this.#live) this.card();
  }

  /** Show the card until the next picture. */
  card() {
    this.#live = false;
    drawCard(this.#context, this.#text, LETTERS);
  }
}
