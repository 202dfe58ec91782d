/** A clip in the studio's memory and the work on it. */

import { get, send, upload } from "../server.js";

const LOOK = 400; // milliseconds between two looks at how far it is

/**
 * @typedef {object} Wish
 * @property {string} avatar
 * @property {string | null} engine by name; null for the one that fits the avatar
 * @property {"avatar" | "paste"} scene
 * @property {"keep" | "drop"} audio
 * @property {number} size pixels of the avatar's longer side
 *
 * @typedef {object} Stage
 * @property {"uploading" | "waiting" | "running" | "done" | "failed" | "cancelled"} state
 * @property {number | null} [preparing] 0 to 1 of making the avatar ready; null once it is
 * @property {number} [frames] done
 * @property {number | null} [total]
 * @property {number} [fps]
 * @property {number | null} [seconds_left]
 * @property {string | null} [error]
 * @property {string[]} [warnings]
 * @property {number} [share] 0 to 1 of the clip that is read in, while uploading
 */

/** Event "stage" (detail: Stage) as the work goes on. */
export class ClipJob extends EventTarget {
  #file;
  #id = "";
  #sending = new AbortController();

  /** @param {File} file */
  constructor(file) {
    super();
    this.#file = file;
  }

  /** @param {string} file name of something that was made @returns {string} where it is */
  address(file) {
    return `/api/clips/${this.#id}/${file}`;
  }

  /** Have the work done. @param {Wish} wish @returns {Promise<Stage>} the last stage; rejects with a ServerError */
  async run(wish) {
    try {
      if (!this.#id) await this.#send();
      let stage = await send("POST", `/api/clips/${this.#id}/run`, wish);
      while (["waiting", "running"].includes(stage.state)) {
        this.#tell(stage);
        await new Promise((resolve) => setTimeout(resolve, LOOK));
        stage = await get(`/api/clips/${this.#id}`);
      }
      return stage;
    } catch (error) {
      if (error.name === "AbortError") return { state: "cancelled" };
      throw error;
    }
  }

  cancel() {
    if (this.#id) send("POST", `/api/clips/${this.#id}/cancel`).catch(() => null);
    else this.#sending.abort();
  }

  /** Forget the clip and what was made of it; works while the page is being left. */
  remove() {
    this.#sending.abort();
    if (this.#id) fetch(`/api/clips/${this.#id}`, { method: "DELETE", keepalive: true }).catch(() => null);
    this.#id = "";
  }

  async #send() {
    this.#sending = new AbortController();
    this.#tell({ state: "uploading", share: 0 });
    const onShare = (/** @type {number} */ share) => this.#tell({ state: "uploading", share });
    const { signal } = this.#sending;
    this.#id = (
      await upload(`/api/clips?name=${encodeURIComponent(this.#file.name)}`, this.#file, { onShare, signal })
    ).id;
  }

  /** @param {Stage} detail */
  #tell(detail) {
    this.dispatchEvent(new CustomEvent("stage", { detail }));
  }
}
