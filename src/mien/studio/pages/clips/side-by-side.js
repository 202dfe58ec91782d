/** Two videos of the same moments, original and result, under one set of controls. */

import { icon } from "../icons.js";
import { clock, inEveryLanguage, t } from "../text.js";

const NUDGE = 0.04; // seconds apart from which the follower is hurried or slowed
const JUMP = 0.4; // seconds apart from which it is moved
const HURRY = 0.08; // by how much of the normal speed

/** The result leads and has the sound; the original follows, silent. */
export class SideBySide {
  #before = document.createElement("video");
  #after = document.createElement("video");
  #play = button();
  #mute = button();
  #position = document.createElement("input");
  #time = document.createElement("span");
  #captions = [document.createElement("figcaption"), document.createElement("figcaption")];
  #addresses;

  /**
   * @param {HTMLElement} container
   * @param {{before: Blob, after: Blob, sound: boolean}} clips
   */
  constructor(container, { before, after, sound }) {
    this.#addresses = [before, after].map((blob) => URL.createObjectURL(blob));
    [this.#before, this.#after].forEach((video, index) => {
      Object.assign(video, { src: this.#addresses[index], playsInline: true, preload: "auto", tabIndex: -1 });
    });
    this.#before.muted = true;
    this.#mute.hidden = !sound;
    Object.assign(this.#position, { type: "range", min: "0", step: "0.01", value: "0" });
    this.#time.className = "player-time numbers";
    container.replaceChildren(this.#pictures(), this.#controls());
    this.#listen();
    inEveryLanguage(() => this.#draw());
  }

  /** Let go of both videos. */
  close() {
    for (const video of [this.#before, this.#after]) {
      video.pause();
      video.removeAttribute("src");
      video.load();
    }
    this.#addresses.forEach((address) => URL.revokeObjectURL(address));
  }

  #pictures() {
    const row = document.createElement("div");
    row.className = "player-pictures";
    [this.#before, this.#after].forEach((video, index) => {
      const figure = document.createElement("figure");
      figure.append(video, this.#captions[index]);
      row.append(figure);
    });
    return row;
  }

  #controls() {
    const row = document.createElement("div");
    row.className = "player-controls";
    row.append(this.#play, this.#position, this.#time, this.#mute);
    return row;
  }

  #listen() {
    this.#play.addEventListener("click", () => (this.#after.paused ? this.#start() : this.#after.pause()));
    this.#mute.addEventListener("click", () => (this.#after.muted = !this.#after.muted));
    this.#position.addEventListener("input", () => this.#seek(Number(this.#position.value)));
    this.#after.addEventListener("play", () => this.#before.play().catch(() => null));
    this.#after.addEventListener("pause", () => this.#before.pause());
    for (const name of ["play", "pause", "volumechange", "loadedmetadata", "ended"])
      this.#after.addEventListener(name, () => this.#draw());
    this.#after.addEventListener("timeupdate", () => this.#follow());
    this.#before.addEventListener("error", () => {
      if (this.#before.hasAttribute("src")) this.#sayUnplayable();
    });
  }

  async #start() {
    if (this.#after.ended) this.#seek(0);
    await this.#after.play().catch(() => null);
  }

  /** @param {number} time seconds */
  #seek(time) {
    for (const video of [this.#before, this.#after]) video.currentTime = Math.min(time, video.duration || time);
    this.#drawTime();
  }

  /** Keep the original at the moment the result is at. */
  #follow() {
    const behind = this.#after.currentTime - this.#before.currentTime;
    if (Math.abs(behind) > JUMP) this.#before.currentTime = this.#after.currentTime;
    this.#before.playbackRate = Math.abs(behind) > NUDGE ? 1 + Math.sign(behind) * HURRY : 1;
    this.#drawTime();
  }

  #draw() {
    const paused = this.#after.paused;
    label(this.#play, paused ? "play" : "pause", t(paused ? "clips.play" : "clips.pause"));
    const silent = this.#after.muted;
    label(this.#mute, silent ? "sound-off" : "sound", t(silent ? "clips.unmute" : "clips.mute"));
    this.#position.setAttribute("aria-label", t("clips.position"));
    ["before", "after"].forEach((name, index) => (this.#captions[index].textContent = t(`clips.${name}`)));
    this.#captions[0].append(
      " ",
      Object.assign(document.createElement("small"), { textContent: t("clips.before.hint") }),
    );
    this.#before.setAttribute("aria-label", t("clips.before"));
    this.#after.setAttribute("aria-label", t("clips.after"));
    this.#drawTime();
  }

  #drawTime() {
    const { currentTime, duration } = this.#after;
    if (Number.isFinite(duration)) this.#position.max = String(duration);
    this.#position.value = String(currentTime);
    const text = `${clock(currentTime)} / ${clock(Number.isFinite(duration) ? duration : 0)}`;
    this.#time.textContent = text;
    this.#position.setAttribute("aria-valuetext", text);
  }

  #sayUnplayable() {
    const note = document.createElement("p");
    note.className = "player-unplayable";
    note.textContent = t("clips.unplayable");
    this.#before.replaceWith(note);
  }
}

function button() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon-button";
  return button;
}

/** @param {HTMLButtonElement} button @param {string} sign @param {string} text */
function label(button, sign, text) {
  button.replaceChildren(icon(sign));
  button.setAttribute("aria-label", text);
  button.title = text;
}
