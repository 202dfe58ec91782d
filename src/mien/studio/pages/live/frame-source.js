// Camera frames as JPEG, each taken the moment it is there, in the background too.

const QUALITY = 0.85;
const PREFIX = "data:image/jpeg;base64,".length;
const BACKGROUND_STEP = 40; // milliseconds between frames while the page is hidden

/** Calls `take()` for every new picture of a playing video, until stopped. */
export class FrameClock {
  #video;
  #take;
  #callback = 0;
  #ticker = new Worker(new URL("./ticker.js", import.meta.url));
  #turn = () => this.#schedule();

  constructor(video, take) {
    this.#video = video;
    this.#take = take;
    this.#ticker.addEventListener("message", () => this.#take());
    document.addEventListener("visibilitychange", this.#turn);
    this.#schedule();
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#turn);
    this.#video.cancelVideoFrameCallback?.(this.#callback);
    this.#ticker.terminate();
  }

  #schedule() {
    this.#video.cancelVideoFrameCallback?.(this.#callback);
    const byPicture = !document.hidden && "requestVideoFrameCallback" in this.#video;
    this.#ticker.postMessage(byPicture ? 0 : BACKGROUND_STEP);
    if (byPicture) this.#next();
  }

  #next() {
    this.#callback = this.#video.requestVideoFrameCallback(() => {
      this.#next();
      this.#take();
    });
  }
}

/**
 * Draws a video into a JPEG of at most `height` rows. The canvas is this class's own and never shown. No Blob is made of a
 * camera's picture: browsers move old ones to the disk when they have many.
 */
export class FrameEncoder {
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d", { alpha: false });

  /**
   * @param {HTMLVideoElement} video
   * @param {number} room bytes to leave free at the beginning
   * @returns {Uint8Array | null} null where there is no picture yet
   */
  encode(video, height, room) {
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) return null;
    const scale = Math.min(1, height / video.videoHeight);
    const size = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
    if (this.#canvas.width !== size[0] || this.#canvas.height !== size[1]) [this.#canvas.width, this.#canvas.height] = size;
    this.#context.drawImage(video, 0, 0, ...size);
    const text = atob(this.#canvas.toDataURL("image/jpeg", QUALITY).slice(PREFIX));
    const bytes = new Uint8Array(room + text.length);
    for (let at = 0; at < text.length; at++) bytes[room + at] = text.charCodeAt(at);
    return bytes;
  }
}
