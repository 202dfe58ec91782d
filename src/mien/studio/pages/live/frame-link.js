// The way to Python and back, on this computer: camera frames out, avatar pictures in, at most two under way.

import { FrameClock, FrameEncoder } from "./frame-source.js";

const IN_FLIGHT = 2;
const SLOW = 150; // milliseconds to an answer from which on a second frame would only wait behind the first
const QUICK = 80; // and below which it no longer does
const LOST_AFTER = 1000; // milliseconds after which an unanswered frame no longer counts
const RETRY = [300, 600, 1200, 2500, 5000];
const HEADER = 8;

/**
 * Events: "avatar" (detail {bitmap, delay: ms}), "state" (Python's LiveState), "pace" ({size, capture}), "trouble"
 * ({kind, text}), "down" ({tries, seconds}) and "up" as the connection goes and comes, "ended".
 */
export class FrameLink extends EventTarget {
  #url;
  #socket = null;
  #camera = null;
  #avatar = "";
  #session = null;
  #clock = null;
  #encoder = new FrameEncoder();
  #height = 480;
  #began = performance.now();
  #number = 0;
  #sent = new Map();
  #usual = 0;
  #limit = IN_FLIGHT;
  #shown = 0;
  #tries = 0;
  #downSince = 0;
  #key = null;
  #nonce = "";
  #retry = 0;
  #over = false;
  #started = null;
  #ending = null;

  /** The newest state Python told. */
  state = null;

  constructor(url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`) {
    super();
    this.#url = url;
  }

  get session() {
    return this.#session;
  }

  /**
   * Begin a session with an open camera.
   * @param {{camera: import("./camera.js").Camera, avatar: string}} what
   * @returns {Promise<string>} the session's id; rejects with an Error that has Python's `kind` and `text`
   */
  async start({ camera, avatar }) {
    this.#camera = camera;
    this.#avatar = avatar;
    this.#key ??= await studioKey();
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      this.#connect();
    });
  }

  /** Go on with another camera, or the same one opened anew. */
  use(camera) {
    this.#camera = camera;
    if (this.#clock) this.#roll();
  }

  /** Tell Python to do something, e.g. {do: "calibrate"}. */
  command(message) {
    if (message.do === "wear") this.#avatar = message.avatar;
    this.#say(message);
  }

  /** End the session. @returns {Promise<object | null>} what Python says of it; null where it is out of reach */
  end() {
    this.#halt();
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      this.close();
      return Promise.resolve(null);
    }
    return new Promise((resolve) => {
      this.#ending = resolve;
      this.#say({ do: "end" });
    });
  }

  /** Let go of everything. */
  close() {
    this.#over = true;
    this.#halt();
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#ending?.(null);
    this.#ending = null;
  }

  #say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#nonce = crypto.randomUUID();
      this.#say({ do: "start", session: this.#session, avatar: this.#avatar, nonce: this.#nonce });
    });
    socket.addEventListener("message", ({ data }) => (typeof data === "string" ? this.#hear(socket, JSON.parse(data)) : this.#receive(data)));
    socket.addEventListener("close", () => this.#dropped(socket));
  }

  #dropped(socket) {
    if (socket !== this.#socket || this.#over) return;
    this.#halt();
    if (this.#ending) return this.close();
    this.#downSince ||= performance.now();
    this.#emit("down", { tries: this.#tries, seconds: (performance.now() - this.#downSince) / 1000 });
    this.#retry = setTimeout(() => this.#connect(), RETRY[Math.min(this.#tries++, RETRY.length - 1)]);
  }

  async #hear(socket, message) {
    const { is, ...detail } = message;
    if (is === "started") {
      // Whoever has taken the port since is not the studio this page came from, and gets no picture.
      if (!(await proven(this.#key, this.#nonce, detail.proof)) || socket !== this.#socket) return socket.close();
      this.#session = detail.session;
      this.#tries = this.#downSince = 0;
      this.#roll();
      this.#started?.resolve(detail.session);
      this.#started = null;
      this.#emit("up");
    } else if (is === "state") {
      this.state = detail;
      this.#emit("state", detail);
    } else if (is === "pace") {
      this.#height = detail.capture;
      this.#emit("pace", detail);
    } else if (is === "ended") {
      this.#ending?.(detail);
      this.#ending = null;
      this.close();
      this.#emit("ended", detail);
    } else if (is === "trouble") {
      if (this.#started) {
        const error = Object.assign(new Error(detail.text), detail);
        this.#started.reject(error);
        this.#started = null;
        this.close();
      } else if (detail.kind === "busy") {
        return socket.close(); // the connection before is not yet given up: try again
      }
      this.#emit("trouble", detail);
    }
  }

  #roll() {
    this.#halt();
    this.#clock = new FrameClock(this.#camera.video, () => this.#take());
  }

  #halt() {
    this.#clock?.stop();
    this.#clock = null;
    this.#sent.clear();
  }

  /** Send the camera's picture of this moment, unless enough are under way. */
  #take() {
    const now = performance.now();
    for (const [number, at] of this.#sent) if (now - at > LOST_AFTER) this.#sent.delete(number);
    const socket = this.#socket;
    if (this.#sent.size >= this.#limit || socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > 0) return;
    const message = this.#camera.live ? this.#encoder.encode(this.#camera.video, this.#height, HEADER) : null;
    if (!message) return;
    const header = new DataView(message.buffer);
    header.setUint32(0, ++this.#number, true);
    header.setUint32(4, Math.round(now - this.#began), true);
    this.#sent.set(this.#number, now);
    socket.send(message);
  }

  async #receive(data) {
    const number = new DataView(data).getUint32(0, true);
    const sentAt = this.#sent.get(number);
    if (sentAt !== undefined) this.#answered(performance.now() - sentAt);
    for (const older of this.#sent.keys()) if (older <= number) this.#sent.delete(older);
    const bitmap = await decoded(new Uint8Array(data, 4));
    if (number < this.#shown || this.#over) return bitmap.close();
    this.#shown = number;
    this.#emit("avatar", { bitmap, delay: sentAt === undefined ? null : performance.now() - sentAt });
  }

  #answered(milliseconds) {
    this.#usual += (milliseconds - this.#usual) / 8;
    if (this.#usual > SLOW) this.#limit = 1;
    else if (this.#usual < QUICK) this.#limit = IN_FLIGHT;
  }

  #emit(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/**
 * The picture in a JPEG. A Blob of it would travel through two more processes, so none is made where the browser can decode
 * bytes.
 * @param {Uint8Array} data
 * @returns {Promise<ImageBitmap>}
 */
async function decoded(data) {
  const type = "image/jpeg";
  if (!("ImageDecoder" in globalThis)) return createImageBitmap(new Blob([data], { type }));
  const decoder = new ImageDecoder({ data, type });
  try {
    const { image } = await decoder.decode();
    return await createImageBitmap(image).finally(() => image.close());
  } finally {
    decoder.close();
  }
}

/** What only the studio that this page came from knows. It lives as long as the page and is never sent. */
async function studioKey() {
  const { key } = await (await fetch("/api/state")).json();
  return crypto.subtle.importKey("raw", fromHex(key), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function proven(key, nonce, proof) {
  return crypto.subtle.verify("HMAC", key, fromHex(proof), new TextEncoder().encode(nonce));
}

function fromHex(text) {
  return Uint8Array.from(String(text).match(/[0-9a-f]{2}/g) ?? [], (pair) => parseInt(pair, 16));
}
