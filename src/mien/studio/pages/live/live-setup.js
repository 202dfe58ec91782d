/** The first screen: which camera, which face, and what is in the way of starting. */

import { CameraChoice } from "./camera-choice.js";
import { Gallery, shortTitle } from "../gallery/gallery.js";
import { obstacle } from "./obstacles.js";
import { get } from "../server.js";
import { inEveryLanguage } from "../text.js";

/** Obstacles that are over when a camera can be opened. */
const CAMERA = Object.freeze(["none", "refused", "busy", "insecure"]);

/** Event "start" when the person wants to begin. */
export class Setup extends EventTarget {
  gallery;
  cameras;
  #notice;
  #start;
  #progress;
  #busy = false;
  /** @type {{kind: string, text: string, again: () => unknown} | null} */
  #trouble = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    super();
    const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (root.querySelector(`#${id}`));
    this.gallery = new Gallery(part("gallery"));
    this.cameras = new CameraChoice(root);
    this.#notice = part("setup-notice");
    this.#progress = part("start-progress");
    this.#start = /** @type {HTMLButtonElement} */ (part("start"));
    this.#start.addEventListener("click", () => this.dispatchEvent(new Event("start")));
    this.cameras.addEventListener("trouble", (event) => {
      const { kind, again } = /** @type {CustomEvent} */ (event).detail;
      this.trouble(kind, { again });
    });
    this.cameras.addEventListener("change", () => CAMERA.includes(this.#trouble?.kind ?? "") && this.#clear());
    const showChosen = () =>
      this.#showChosen(part("start-avatar"), /** @type {HTMLImageElement} */ (part("start-thumbnail")));
    this.gallery.addEventListener("change", showChosen);
    inEveryLanguage(() => {
      showChosen();
      this.#draw();
    });
  }

  /** Find out what there is to choose from, and whether everything needed is there. */
  async begin() {
    this.#clear();
    const [, , studio] = await Promise.all([
      this.gallery.load(),
      this.cameras.list(),
      get("/api/state").catch(() => null),
    ]);
    if (studio && !studio.models.face) this.trouble("models", { again: () => this.begin() });
  }

  /** While something takes its time: what. null when it is done. @param {string | null} text */
  busy(text) {
    if (text !== null) this.#clear();
    this.#progress.textContent = text ?? "";
    this.#progress.parentElement?.classList.toggle("waiting", text !== null);
    this.#busy = text !== null;
    this.#start.disabled = this.#busy;
  }

  /**
   * Say what keeps the session from starting.
   * @param {string} kind of obstacles.js
   * @param {{text?: string, again?: () => unknown}} [more] the server's words; what tries once more
   */
  trouble(kind, { text = "", again = () => this.dispatchEvent(new Event("start")) } = {}) {
    this.#trouble = { kind, text, again };
    this.#draw();
    this.#notice.focus({ preventScroll: true });
    this.#notice.scrollIntoView({ block: "center" });
  }

  #clear() {
    this.#trouble = null;
    this.#draw();
  }

  #draw() {
    this.#notice.hidden = this.#trouble === null;
    if (!this.#trouble) return;
    const { kind, text, again } = this.#trouble;
    this.#notice.replaceChildren(obstacle(kind, { text, again }));
  }

  /** @param {HTMLElement} name @param {HTMLImageElement} picture */
  #showChosen(name, picture) {
    const avatar = this.gallery.avatar;
    this.#start.disabled = this.#busy || !avatar;
    picture.hidden = !avatar;
    if (!avatar) return;
    name.textContent = shortTitle(avatar);
    picture.src = `/api/avatars/${encodeURIComponent(avatar.name)}/thumbnail`;
  }
}
