/** Keeps a live session supplied with its camera: when it is lost, says so and takes it back as soon as it is there. */

import { t } from "../text.js";

export class CameraKeeper {
  #camera;
  #link;
  #notices;
  #deviceId;
  #trying = false;
  #closed = false;
  #lost = () => this.#say(true);
  #returned = () => this.#retry();

  /**
   * @param {import("./camera.js").Camera} camera an open one
   * @param {import("./frame-link.js").FrameLink} link
   * @param {import("./stage-notices.js").StageNotices} notices
   */
  constructor(camera, link, notices) {
    this.#camera = camera;
    this.#link = link;
    this.#notices = notices;
    this.#deviceId = camera.video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId ?? "";
    camera.addEventListener("lost", this.#lost);
    navigator.mediaDevices.addEventListener("devicechange", this.#returned);
  }

  close() {
    this.#camera.removeEventListener("lost", this.#lost);
    navigator.mediaDevices.removeEventListener("devicechange", this.#returned);
    this.#closed = true;
  }

  /** Open the camera again if it is lost; another one where the same is no longer there. */
  async #retry() {
    if (this.#camera.live || this.#trying) return;
    this.#trying = true;
    try {
      await this.#reopen();
    } finally {
      this.#trying = false;
    }
  }

  async #reopen() {
    for (const deviceId of [this.#deviceId, ""]) {
      try {
        await this.#camera.open({ deviceId });
        if (this.#closed) return this.#camera.close();
        this.#link.use(this.#camera);
        this.#say(false);
        return;
      } catch {
        // still unplugged: the notice stays
      }
    }
  }

  /** @param {boolean} lost */
  #say(lost) {
    this.#notices.set("unplugged", lost, { action: { text: t("state.unplugged.again"), run: () => this.#retry() } });
  }
}
