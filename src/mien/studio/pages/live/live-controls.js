/** The buttons of a live session. What they show is what Python says, not what was pressed. */

import { icon } from "../icons.js";
import { clock, inEveryLanguage, t } from "../text.js";

const ZOOM = Object.freeze({ least: 0.5, most: 3, step: 1.15 });

/** Events "command" (detail: what to tell Python), "calibrate", "change", "stop". */
export class LiveControls extends EventTarget {
  #root;
  #badge;
  #hint;
  #state = { mirrored: false, zoom: 1, paused: false, recording: false, calibrated: false };
  #recordingSince = 0;

  /**
   * @param {HTMLElement} root holds the buttons
   * @param {HTMLElement} badge is shown while recording
   * @param {HTMLElement} hint is shown until calibrated
   */
  constructor(root, badge, hint) {
    super();
    this.#root = root;
    this.#badge = badge;
    this.#hint = hint;
    for (const name of ["calibrate", "change", "stop"]) this.#on(name, () => this.dispatchEvent(new Event(name)));
    this.#on("mirror", () => this.#command({ do: "mirror", on: !this.#state.mirrored }));
    this.#on("pause", () => this.#command({ do: "pause", on: !this.#state.paused }));
    this.#on("record", () => this.#command({ do: "record", on: !this.#state.recording }));
    this.#on("zoom-in", () => this.#zoom(ZOOM.step));
    this.#on("zoom-out", () => this.#zoom(1 / ZOOM.step));
    inEveryLanguage(() => this.#draw());
  }

  /** @param {any} state LiveState of Python */
  show(state) {
    if (state.recording && !this.#state.recording) this.#recordingSince = state.time;
    const changed = Object.keys(this.#state).some((name) => this.#state[name] !== state[name]);
    for (const name of Object.keys(this.#state)) this.#state[name] = state[name];
    if (changed) this.#draw();
    if (state.recording)
      this.#part("recording-time", this.#badge).textContent = clock(state.time - this.#recordingSince);
  }

  /** As before a session. */
  reset() {
    this.#state = { mirrored: false, zoom: 1, paused: false, recording: false, calibrated: false };
    this.#draw();
  }

  #draw() {
    const { mirrored, zoom, paused, recording, calibrated } = this.#state;
    this.#part("mirror").setAttribute("aria-pressed", String(mirrored));
    this.#part("zoom").textContent = `${Math.round(zoom * 100)}%`;
    this.#part("record").setAttribute("aria-pressed", String(recording));
    this.#name("pause", paused ? "play" : "pause", paused ? "live.resume" : "live.pause");
    this.#badge.hidden = !recording;
    this.#hint.hidden = calibrated;
  }

  /** @param {string} id @param {string} sign @param {string} key */
  #name(id, sign, key) {
    const button = this.#part(id);
    const title = document.createElement("span");
    title.textContent = t(key);
    button.replaceChildren(icon(sign), title);
  }

  /** @param {number} by */
  #zoom(by) {
    const wanted = Math.abs(this.#state.zoom * by - 1) < 0.05 ? 1 : this.#state.zoom * by;
    this.#command({ do: "zoom", factor: Math.min(ZOOM.most, Math.max(ZOOM.least, wanted)) });
  }

  /** @param {object} detail */
  #command(detail) {
    this.dispatchEvent(new CustomEvent("command", { detail }));
  }

  /** @param {string} id @param {() => void} act */
  #on(id, act) {
    this.#part(id).addEventListener("click", act);
  }

  /** @param {string} id @param {HTMLElement} [root] */
  #part(id, root = this.#root) {
    return /** @type {HTMLElement} */ (root.querySelector(`#${id}`));
  }
}
