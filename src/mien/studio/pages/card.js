/** The card that stands where no avatar may be shown: a faceless figure on plain paper, as Python draws it. */

const PAPER = "#e2e0db";
const FIGURE = "#c6c2bb";
const INK = "#605c58";

/**
 * Fills the whole canvas.
 * @param {CanvasRenderingContext2D} ink
 * @param {string} text under the figure
 * @param {number} letters height of the text, as a share of the shorter side
 */
export function drawCard(ink, text, letters) {
  const { width, height } = ink.canvas;
  const side = Math.min(width, height);
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
  ink.font = `${Math.round(side * letters)}px system-ui, sans-serif`;
  ink.textAlign = "center";
  ink.fillText(text, width / 2, height / 2 + 0.37 * side, width * 0.9);
}
