// A patient's page with nothing but the panel: the stage is a canvas whose colour the test chooses.

import { InvitePanel } from "/static/consultation/invite.js";
import { openPage } from "/static/shell.js";

const canvas = document.querySelector("canvas");
const context = canvas.getContext("2d", { alpha: false });
let turn = 0;

window.colour = "#808080";
window.face = null; // a picture to draw over it
window.panelEvents = [];
window.drawing = setInterval(() => {
  turn += 1;
  context.fillStyle = window.colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#ffffff";
  if (window.face) context.drawImage(window.face, 0, 0, canvas.width, canvas.height);
  context.fillRect((turn * 5) % canvas.width, 0, 12, 12); // a picture that does not change sends nothing
}, 33);

await openPage({ texts: ["ui", "consult"] });
const params = new URLSearchParams(location.search);
const state = { relay: { signal: params.get("signal"), join: params.get("join"), reach: params.get("reach"), relay_only: params.has("relay_only") } };
const stage = { stream: canvas.captureStream(30) };
window.panel = new InvitePanel(document.querySelector("#place"), { stage, state });
for (const type of ["connected", "disconnected"]) window.panel.addEventListener(type, () => window.panelEvents.push(type));

/** A row a tenth of a second, happiness rising and falling. */
window.live = () => {
  const begun = performance.now();
  window.rows = setInterval(() => {
    const time = (performance.now() - begun) / 1000;
    const happy = 0.45 + 0.35 * Math.sin(time);
    const emotions = { angry: 0.02, disgust: 0.01, fear: 0.02, happy, sad: 0.05, surprise: 0.05, neutral: 0.85 - happy };
    const seen = time % 12 < 10.5;
    window.panel.emotions({ time, seen, confidence: seen ? 0.97 : 0, emotions: seen ? emotions : null });
  }, 100);
};
