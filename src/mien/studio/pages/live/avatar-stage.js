// The canvas that others may see. Only avatar pictures and the card are ever drawn on it.

const STILL = 2000; // milliseconds for which the last picture stands before the card takes its place
const REFRESH = 250; // a canvas that does not change sends nothing: whoever comes later would see nothing
const SHARED_RATE = 30;

const PAPER = "#e2e0db";
const FIGURE = "#c6c2bb";
const INK = "#605c58";

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
  constructor(canvas, { text = "", size = 512 } = {}) {
    canvas.width = canvas.height = size;
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#text = text;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), REFRESH);
  }

  /** @returns {MediaStream} the canvas as a stream, always the same one */
  get stream() {
    this.#stream ??= this.#canvas.captureStream(SHARED_RATE);
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

  #draw() {
    if (this.#bitmap && performance.now() - this.#shownAt > STILL) {
      this.#bitmap.close();
      this.#bitmap = null;
    }
    if (this.#bitmap) this.#drawPicture();
    else this.#drawCard();
  }

  #drawPicture() {
    const { width, height } = this.#canvas;
    const scale = Math.max(width / this.#bitmap.width, height / this.#bitmap.height);
    const [w, h] = [this.#bitmap.width * scale, this.#bitmap.height * scale];
    this.#context.drawImage(this.#bitmap, (width - w) / 2, (height - h) / 2, w, h);
  }

  #drawCard() {
    const { width: side } = this.#canvas;
    const context = this.#context;
    const ellipse = (x, y, rx, ry, from = 0) => {
      context.beginPath();
      context.ellipse(x * side, y * side, rx * side, ry * side, 0, from, 2 * Math.PI);
      context.fill();
    };
    context.fillStyle = PAPER;
    context.fillRect(0, 0, side, side);
    context.fillStyle = FIGURE;
    ellipse(0.5, 0.77, 0.22, 0.2, Math.PI);
    context.fillStyle = PAPER;
    ellipse(0.5, 0.42, 0.125, 0.125);
    context.fillStyle = FIGURE;
    ellipse(0.5, 0.41, 0.1, 0.125);
    context.fillStyle = INK;
    context.font = `${Math.round(side * 0.045)}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.fillText(this.#text, side / 2, side * 0.87, side * 0.9);
  }
}
