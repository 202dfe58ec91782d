// The avatar's picture and the patient's voice, with an honest word over them when they are not what they should be.

import { clock, t } from "../text.js";

const STALE = 3; // seconds without a new picture, after which we say so

export class AvatarScreen {
  #figure;
  #video;
  #state;
  #unmute;
  #audio = new Audio();
  #frameAt = null; // ms, when the last picture came
  #lostAt = null;

  /** @param {HTMLElement} figure with a video, a line for its state, and buttons for sound and full screen */
  constructor(figure) {
    this.#figure = figure;
    this.#video = figure.querySelector("video");
    this.#state = figure.querySelector("#screen-state");
    this.#unmute = figure.querySelector("#unmute");
    this.#unmute.addEventListener("click", () => this.#play());
    figure.querySelector("#fullscreen").addEventListener("click", () => this.#toggleFullscreen());
    this.#video.muted = true; // the voice has an element of its own: a picture without sound may always play
    if ("requestVideoFrameCallback" in this.#video) this.#watch();
    else this.#video.addEventListener("timeupdate", () => this.#framed());
  }

  /** @param {MediaStream} stream */
  picture(stream) {
    this.#video.srcObject = stream;
    this.#video.play().catch(() => {});
  }

  /** @param {MediaStream} stream */
  sound(stream) {
    this.#audio.srcObject = stream;
    this.#play();
  }

  /** Say how it is. @param {import("./clinician-call.js").ClinicianCall} call */
  show({ stage, sharing }) {
    const now = performance.now();
    this.#lostAt = stage === "lost" ? (this.#lostAt ?? now) : null;
    const age = (now - (this.#frameAt ?? now)) / 1000;
    let text = "";
    if (stage === "lost") text = t("join.lost", { time: clock((now - this.#lostAt) / 1000) });
    else if (this.#frameAt === null) text = t("join.picture.coming");
    else if (age > STALE) text = t("join.picture.none", { seconds: Math.floor(age) });
    else if (sharing.hidden) text = t("join.hidden");
    if (this.#state.textContent !== text) this.#state.textContent = text;
    this.#figure.classList.toggle("stale", stage === "lost" || age > STALE);
  }

  close() {
    this.#video.srcObject = this.#audio.srcObject = null;
    this.#unmute.hidden = true;
  }

  async #play() {
    try {
      await this.#audio.play();
      this.#unmute.hidden = true;
    } catch (error) {
      this.#unmute.hidden = error.name !== "NotAllowedError"; // a browser that wants a click first
    }
  }

  #watch() {
    this.#video.requestVideoFrameCallback(() => {
      this.#framed();
      this.#watch();
    });
  }

  #framed() {
    this.#frameAt = performance.now();
  }

  #toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.#figure.requestFullscreen) this.#figure.requestFullscreen();
    else this.#video.webkitEnterFullscreen?.(); // iPhones show nothing but videos that way
  }
}
