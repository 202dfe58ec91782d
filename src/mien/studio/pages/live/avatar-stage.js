// The canvas that others may see. Only avatar pictures and the card are ever drawn on it.

import { drawCard } from "../card.js";

const SIDE = 480; // pixels, as the pictures that Python sends, so that none is scaled
const STILL = 2000; // milliseconds for which the last picture stands before the card takes its place
const REFRESH = 250; // milliseconds until a still picture is drawn again: without a change nothing is sent
const LETTERS = 0.045; // of the card's side

export class AvatarStage {
  #canvas;
  #context;
  #bitmap = null;
  #shownAt = -Infinity;
  #text;
  #stream = null;
  #timer;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{text?: string, size?: number}} options text of the card that is shown when no picture comes
   */
  constructor(canvas, { text = "", size = SIDE } = {}) {
    canvas.width = canvas.height = size;
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#text = text;
    this.#draw();
    this.#timer = setInterval(() => this.#refresh(), REFRESH);
  }

  /** @returns {MediaStream} the canvas as a stream, always the same one; a picture goes out when it is drawn */
  get stream() {
    this.#stream ??= this.#canvas.captureStream();
    return this.#stream;
  }

  /** Whether the avatar is on, and not the card. */
  get live() {
    return this.#bitmap !== null;
  }

  /** Show an avatar's picture, which this stage closes in time. @param {ImageBitmap} bitmap */
  show(bitmap) {
    this.#bitmap?.close();
    this.#bitmap = bitmap;
    this.#shownAt = performance.now();
    this.#draw();
  }

  /** Show the card at once, until the next picture. */
  card(text = this.#text) {
    this.#text = text;
    this.#bitmap?.close();
    this.#bitmap = null;
    this.#draw();
  }

  close() {
    clearInterval(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.card();
  }

  /** Pictures that keep coming are drawn once each. */
  #refresh() {
    if (performance.now() - this.#shownAt >= REFRESH) this.#draw();
  }

  #draw() {
    if (this.#bitmap && performance.now() - this.#shownAt > STILL) {
      this.#bitmap.close();
      this.#bitmap = null;
    }
    if (this.#bitmap) this.#drawPicture();
    else drawCard(this.#context, this.#text, LETTERS);
  }

  #drawPicture() {
    const { width, height } = this.#canvas;
    const scale = Math.max(width / this.#bitmap.width, height / this.#bitmap.height);
    const [w, h] = [this.#bitmap.width * scale, this.#bitmap.height * scale];
    this.#context.drawImage(this.#bitmap, (width - w) / 2, (height - h) / 2, w, h);
  }
}
