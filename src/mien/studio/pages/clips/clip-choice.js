/** The clip to work on: chosen or dropped, shown by this page alone. */

import { takeDrops } from "../drops.js";
import { clock, language, t } from "../text.js";

/** Event "change" when another clip is there, or none. */
export class ClipChoice extends EventTarget {
  #root;
  #address = "";
  /** @type {File | null} */
  file = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    super();
    this.#root = root;
    const input = /** @type {HTMLInputElement} */ (this.#part("clip-file"));
    input.addEventListener("change", () => {
      if (input.files?.[0]) this.choose(input.files[0]);
      input.value = "";
    });
    this.#part("clip-another").addEventListener("click", () => input.click());
    takeDrops(/** @type {HTMLElement} */ (root.querySelector(".clip")), (file) => this.choose(file));
  }

  /** @param {File | null} file */
  choose(file) {
    URL.revokeObjectURL(this.#address);
    this.file = file;
    this.#part("drop").hidden = file !== null;
    this.#part("chosen").hidden = file === null;
    this.#part("chosen-view").replaceChildren();
    if (file) this.#show(file);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {File} file */
  #show(file) {
    this.#address = URL.createObjectURL(file);
    const video = document.createElement("video");
    Object.assign(video, { src: this.#address, muted: true, playsInline: true, controls: true, preload: "metadata" });
    video.setAttribute("aria-label", t("clips.preview"));
    video.addEventListener("loadedmetadata", () => this.#tell(file, video));
    video.addEventListener("error", () => {
      const note = Object.assign(document.createElement("p"), { textContent: t("clips.unplayable") });
      this.#part("chosen-view").replaceChildren(note);
    });
    this.#part("chosen-view").replaceChildren(video);
    this.#part("chosen-name").textContent = file.name;
    this.#part("chosen-facts").textContent = megabytes(file.size);
  }

  /** @param {File} file @param {HTMLVideoElement} video */
  #tell(file, video) {
    const length = Number.isFinite(video.duration) ? clock(video.duration) : "–";
    this.#part("chosen-facts").textContent = t("clips.facts", {
      width: video.videoWidth,
      height: video.videoHeight,
      length,
      size: megabytes(file.size),
    });
  }

  /** @param {string} id @returns {HTMLElement} */
  #part(id) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(`#${id}`));
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  const value = Math.max(0.1, bytes / 2 ** 20);
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)} MB`;
}
