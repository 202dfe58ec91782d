// The patient's camera. Its picture goes into a <video> for this page and nowhere else by itself.

import { reasonOf } from "../devices.js";

/** What keeps the camera from opening: `reason` is "refused", "none", "busy" or "insecure". */
export class CameraError extends Error {
  constructor(reason, cause) {
    super(`camera: ${reason}`, { cause });
    this.reason = reason;
  }
}

/**
 * Cameras to choose from. Their labels are empty until the person has allowed one.
 * @returns {Promise<{deviceId: string, label: string}[]>}
 */
export async function listCameras() {
  if (!navigator.mediaDevices) throw new CameraError("insecure");
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === "videoinput")
    .map(({ deviceId, label }) => ({ deviceId, label }));
}

/** An open camera. Event "lost": unplugged, or taken away by the person or the system. */
export class Camera extends EventTarget {
  #track = null;
  #turn = 0;

  /** @type {HTMLVideoElement} plays the picture; put it on the page to check the framing */
  video = document.createElement("video");

  constructor() {
    super();
    this.video.muted = true;
    this.video.playsInline = true;
  }

  get label() {
    return this.#track?.label ?? "";
  }

  get live() {
    return this.#track?.readyState === "live";
  }

  /** @param {{deviceId?: string, height?: number}} wish */
  async open({ deviceId = "", height = 480 } = {}) {
    if (!navigator.mediaDevices) throw new CameraError("insecure");
    this.close();
    const turn = this.#turn;
    const size = { width: { ideal: Math.round((height * 4) / 3) }, height: { ideal: height }, frameRate: { ideal: 30, max: 30 } };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: deviceId ? { ...size, deviceId: { exact: deviceId } } : size,
      });
      if (turn !== this.#turn) {
        for (const track of stream.getTracks()) track.stop();
        throw new DOMException("closed, or opened again, in the meantime", "AbortError");
      }
      this.#track = stream.getVideoTracks()[0];
      this.#track.addEventListener("ended", () => this.dispatchEvent(new Event("lost")));
      this.video.srcObject = stream;
      await this.video.play();
    } catch (error) {
      if (turn === this.#turn) this.close();
      throw new CameraError(reasonOf(error), error);
    }
  }

  /** Let go of the camera, also of one that is just being opened. */
  close() {
    this.#turn += 1;
    this.#track?.stop();
    this.#track = null;
    this.video.srcObject = null;
  }
}
