/** The way to `mien live` on this computer: pictures of the avatar and its status in, keys out. */

const RETRY = 1000;
const SILENCE = 4000; // mien says something every second, even if nothing changes
const HEADER = 4;

/**
 * Events: "hello" (detail: what does not change), "status", "picture" (detail: ImageBitmap), "up" and "down" as the
 * connection comes and goes, "ended" when mien said so. It tries again by itself until then.
 */
export class PreviewLink extends EventTarget {
  #url;
  #socket = /** @type {WebSocket | null} */ (null);
  #over = false;
  #latest = 0;
  #heard = 0;

  constructor(url = `ws://${location.host}/preview`) {
    super();
    this.#url = url;
    this.#connect();
    setInterval(() => this.#listen(), 500);
  }

  /** Press a key of the table, e.g. "m". @param {string} key */
  press(key) {
    this.#say({ press: key });
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#emit("up"));
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heard = performance.now();
      if (typeof data === "string") this.#hear(JSON.parse(data));
      else this.#show(data);
    });
    socket.addEventListener("close", () => this.#lost(socket));
    this.#socket = socket;
    this.#heard = performance.now();
  }

  /** Try again; whatever an old connection still has to say counts no more. @param {WebSocket} socket */
  #lost(socket) {
    if (this.#over || socket !== this.#socket) return;
    this.#socket = null;
    this.#emit("down");
    setTimeout(() => this.#connect(), RETRY);
  }

  #listen() {
    if (!this.#socket || performance.now() - this.#heard < SILENCE) return;
    this.#socket.close();
    this.#lost(this.#socket);
  }

  /** @param {{is: string}} message */
  #hear({ is, ...detail }) {
    if (is === "ended") this.#over = true;
    this.#emit(is, detail);
  }

  /** Hand on a picture, unless a later one has overtaken it, and say that it is through. @param {ArrayBuffer} data */
  async #show(data) {
    const place = ++this.#latest;
    const shown = new DataView(data).getUint32(0, true);
    try {
      const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, HEADER)], { type: "image/jpeg" }));
      if (place < this.#latest || this.#over) bitmap.close();
      else this.#emit("picture", bitmap);
    } finally {
      this.#say({ shown });
    }
  }

  /** @param {object} message */
  #say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {string} name @param {unknown} [detail] */
  #emit(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
