/** Which camera, and a look at its picture before the start: on this page only, off until asked for. */

import { Camera, CameraError, listCameras } from "./camera.js";
import { icon } from "../icons.js";
import { remember, remembered } from "../remembered.js";
import { inEveryLanguage, t } from "../text.js";

/** Events "trouble" (detail {kind, again}: an obstacle, and what tries once more) and "change" when it is over. */
export class CameraChoice extends EventTarget {
  #camera = new Camera();
  #list;
  #toggle;
  #place;
  #empty;
  /** @type {{deviceId: string, label: string}[] | null} */
  #cameras = null;
  /** @type {HTMLVideoElement | null} */
  #view = null;
  #opened = "";

  /** @param {HTMLElement} root */
  constructor(root) {
    super();
    this.#list = /** @type {HTMLSelectElement} */ (root.querySelector("#camera-list"));
    this.#toggle = /** @type {HTMLButtonElement} */ (root.querySelector("#framing-toggle"));
    this.#place = /** @type {HTMLElement} */ (root.querySelector("#framing"));
    this.#empty = /** @type {HTMLElement} */ (root.querySelector("#camera-empty"));
    this.#list.addEventListener("change", () => this.#changed());
    this.#toggle.addEventListener("click", () => (this.#view ? this.close() : this.#frame()));
    this.#camera.addEventListener("lost", () => this.hideFraming());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.list());
    inEveryLanguage(() => this.#draw());
  }

  /** Find the cameras; fires "trouble" where there is none or the browser keeps them from this page. */
  async list() {
    try {
      this.#cameras = await listCameras();
      if (!this.#cameras.length) throw new CameraError("none");
      this.dispatchEvent(new Event("change"));
    } catch (error) {
      this.#cameras = [];
      this.#tell(error, () => this.list());
    }
    this.#draw();
  }

  /** The chosen camera, open. Raises CameraError. @returns {Promise<Camera>} */
  async open() {
    const deviceId = this.#list.value;
    if (!this.#camera.live || this.#opened !== deviceId) await this.#camera.open({ deviceId });
    this.#opened = deviceId;
    if (this.#cameras?.some((camera) => !camera.label)) await this.list(); // names are told once the camera is allowed
    return this.#camera;
  }

  /** Turn the camera off. */
  close() {
    this.hideFraming();
    this.#camera.close();
  }

  /** Take the camera's picture off the page; the camera stays as it is. */
  hideFraming() {
    if (this.#view) this.#view.srcObject = null;
    this.#view = null;
    this.#draw();
  }

  async #frame() {
    this.#toggle.disabled = true;
    try {
      const camera = await this.open();
      this.#view = document.createElement("video");
      Object.assign(this.#view, { muted: true, playsInline: true, autoplay: true, srcObject: camera.video.srcObject });
      this.dispatchEvent(new Event("change"));
    } catch (error) {
      this.#tell(error, () => this.#frame());
    } finally {
      this.#toggle.disabled = false;
    }
    this.#draw();
  }

  async #changed() {
    remember("camera", this.#list.value);
    this.dispatchEvent(new Event("change"));
    if (!this.#view) return this.#camera.close();
    this.hideFraming();
    await this.#frame();
  }

  /** @param {any} error @param {() => unknown} again */
  #tell(error, again) {
    this.dispatchEvent(new CustomEvent("trouble", { detail: { kind: error.reason ?? "failed", again } }));
  }

  #draw() {
    this.#drawList();
    const shown = this.#view !== null;
    const advice = document.createElement("p");
    advice.textContent = t("live.framing.advice");
    this.#place.hidden = !shown;
    this.#empty.hidden = shown;
    this.#view?.setAttribute("aria-label", t("live.framing.view"));
    if (!this.#view) this.#place.replaceChildren();
    else if (this.#view.parentElement !== this.#place) this.#place.replaceChildren(this.#view, advice);
    this.#toggle.setAttribute("aria-pressed", String(shown));
    const title = document.createElement("span");
    title.textContent = t(shown ? "live.framing.hide" : "live.framing.show");
    this.#toggle.replaceChildren(icon(shown ? "camera-off" : "camera"), title);
  }

  #drawList() {
    const chosen = this.#list.value || remembered("camera") || "";
    const cameras = this.#cameras ?? [];
    const options = cameras.map(
      ({ deviceId, label }, index) => new Option(label || t("live.camera.unnamed", { number: index + 1 }), deviceId),
    );
    if (!options.length) options.push(new Option(t(this.#cameras ? "live.camera.none" : "live.camera.looking"), ""));
    this.#list.replaceChildren(...options);
    if (cameras.some((camera) => camera.deviceId === chosen)) this.#list.value = chosen;
    this.#list.disabled = this.#toggle.disabled = !cameras.length;
  }
}
