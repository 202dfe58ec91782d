/** The canvas of the preview: the newest picture in its own shape, and a card whenever there is none. */

const PATIENCE = 2000; // milliseconds after which a picture that no other follows gives way to the card
const PAPER = "#e2e0db";
const FIGURE = "#c6c2bb";
const INK = "#605c58";

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
    const { width, height } = this.#canvas;
    const side = Math.min(width, height);
    const ink = this.#context;
    const ellipse = (/** @type {number} */ y, /** @type {number} */ rx, /** @type {number} */ ry, from = 0) => {
      ink.beginPath();
      ink.ellipse(width / 2, height / 2 + y * side, rx * side, ry * side, 0, from, 2 * Math.PI);
      ink.fill();
    };
    ink.fillStyle = PAPER;
    ink.fillRect(0, 0, width, height);
    ink.fillStyle = FIGURE;
    ellipse(0.27, 0.22, 0.2, Math.PI);
    ink.fillStyle = PAPER;
    ellipse(-0.08, 0.125, 0.125);
    ink.fillStyle = FIGURE;
    ellipse(-0.09, 0.1, 0.125);
    ink.fillStyle = INK;
    ink.font = `${Math.round(side * 0.05)}px system-ui, sans-serif`;
    ink.textAlign = "center";
    ink.fillText(this.#text, width / 2, height / 2 + 0.37 * side, width * 0.9);
  }
}
