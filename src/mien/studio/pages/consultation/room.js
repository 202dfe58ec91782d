// A place in a room of the relay: opens or joins it, finds the other page, carries sealed messages, comes back after drops.

import { Seal, makeKey, roomNumber } from "./sealing.js";

const FIRST_PAUSE = 400; // ms before trying again; doubles each time
const LONGEST_PAUSE = 8000;
const CONNECT_TIMEOUT = 8000;
const PATIENCE = 90_000; // ms for which a page that was in the room keeps trying, whatever the relay answers
const LINGER = 300; // ms: a server that sees the end of a line may not read the last words before it
const LONGEST_LIFE = 86_400; // s; a relay that promises more is not one of ours
const MOST_SERVERS = 8;
const REFUSALS = ["unknown", "full", "busy", "bad", "expired"];
const MOST_WAITING = 64; // messages not opened yet; a relay that sends more is not one of ours

/**
 * Events, each with its `detail`:
 * - "open" {ice, policy, expires}: in the room; also after each return to it. `ice` is as the relay gave it, `expires` in
 *   seconds or null
 * - "peer" {here, from}: the other page has introduced itself, or has gone
 * - "message": the body of what the other page said, and `from`, which tells pages apart
 * - "down" {tries}: the relay cannot be reached; it is tried again and again
 * - "refused" {why}: "unknown" | "full" | "busy" | "bad" | "expired"; the end of this room
 * - "altered": something came that the other page did not seal; it was thrown away
 */
export class Room extends EventTarget {
  #url;
  #role;
  #code;
  #key = makeKey();
  #socket = null;
  #seal = null;
  #number = "";
  #peer = null; // the other page's id
  #outbox = Promise.resolve();
  #inbox = Promise.resolve();
  #waiting = 0;
  #tries = 0;
  #timer = 0;
  #left = false;
  #abandoned = false; // the other page was seen to go
  #inside = false; // this socket has been let in
  #lastInside = -Infinity;
  #online = () => this.#again(0);

  /**
   * @param {object} options
   * @param {string} options.url of the relay's socket: absolute, or a path on this page's own server
   * @param {"patient" | "clinician"} options.role the patient opens the room, the clinician joins it
   * @param {string} options.code as `makeCode` writes it
   */
  constructor({ url, role, code }) {
    super();
    const address = new URL(url, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.hash = "";
    this.#url = address.href;
    this.#role = role;
    this.#code = code;
  }

  /** Goes in, and stays until `leave` or a refusal. */
  async enter() {
    this.#number = await roomNumber(this.#code);
    this.#seal = await Seal.from(this.#code, this.#role);
    addEventListener("online", this.#online);
    if (!this.#left) this.#connect();
  }

  /** True while the relay can be spoken to. */
  get inside() {
    return this.#inside;
  }

  /**
   * Says something to a page. Lost unless that page is the one in the room just now: whoever speaks must be ready to say
   * it again after "peer", and nothing meant for one page is ever carried to the next.
   * @param {{kind: string}} body
   * @param {string} to the `from` of its messages
   */
  send(body, to) {
    if (to !== null && to === this.#peer) this.#post(body, to);
  }

  /**
   * Leaves for good, after what was said last. The patient's leaving ends the room.
   * @param {{now?: boolean}} [options] now: without waiting for words that are still being sealed, as the page goes
   */
  leave({ now = false } = {}) {
    this.#left = true;
    removeEventListener("online", this.#online);
    clearTimeout(this.#timer);
    const socket = this.#socket;
    const closes = this.#inside && this.#role === "patient";
    this.#socket = null;
    this.#inside = false;
    const go = () => {
      if (closes && socket?.readyState === WebSocket.OPEN) {
        socket.send(JSON.stringify({ do: "close" }));
        setTimeout(() => socket.close(), LINGER);
      } else {
        socket?.close();
      }
    };
    if (now) go();
    else this.#outbox.finally(go);
  }

  #connect() {
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.#url);
    const timeout = setTimeout(() => this.#drop(socket), CONNECT_TIMEOUT);
    this.#socket = socket;
    socket.onopen = () => {
      clearTimeout(timeout);
      const request = this.#role === "patient"
        ? { do: "open", room: this.#number, key: this.#key }
        : { do: "join", room: this.#number };
      socket.send(JSON.stringify(request));
    };
    socket.onmessage = (event) => this.#socket === socket && this.#take(event.data);
    socket.onclose = () => {
      clearTimeout(timeout);
      this.#drop(socket);
    };
  }

  #take(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message?.is === "open" || message?.is === "joined") this.#enterRoom(message);
    else if (message?.is === "peer") this.#meet(message.here === true);
    else if (message?.is === "signal") this.#openLater(message.data);
    else if (message?.is === "refused") this.#refuse(REFUSALS.includes(message.why) ? message.why : "bad");
  }

  #enterRoom({ ice, policy, expires }) {
    this.#inside = true;
    this.#tries = 0;
    this.#lastInside = performance.now();
    this.#tell("open", {
      ice: Array.isArray(ice) ? ice.slice(0, MOST_SERVERS) : [],
      policy: policy === "relay" ? "relay" : "all",
      expires: Number.isFinite(expires) && expires >= 0 && expires <= LONGEST_LIFE ? expires : null,
    });
  }

  #meet(here) {
    this.#abandoned = !here;
    if (!here) {
      this.#peer = null;
      this.#tell("peer", { here: false });
    }
    // The patient's page speaks first: the clinician's answers are then bound to this very meeting.
    if (here && this.#role === "patient") this.#post({ kind: "welcome" }, null);
  }

  #openLater(data) {
    if (this.#waiting >= MOST_WAITING) return;
    this.#waiting += 1;
    this.#inbox = this.#inbox.then(() => this.#open(data)).catch(() => this.#tell("altered")).finally(() => {
      this.#waiting -= 1;
    });
  }

  async #open(data) {
    const { from, to, body } = await this.#seal.open(data);
    const opening = this.#role === "patient" ? "hello" : "welcome";
    if (body.kind === opening && (this.#role === "clinician" || to !== null)) {
      this.#peer = from;
      this.#tell("peer", { here: true, from });
      if (this.#role === "clinician") return;
    } else if (from !== this.#peer || to === null) {
      return; // a page that has been replaced, or one that has not introduced itself
    }
    this.#tell("message", { ...body, from });
  }

  #post(body, to) {
    const socket = this.#socket;
    this.#outbox = this.#outbox.then(async () => {
      const data = await this.#seal.seal(body, to);
      if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ do: "signal", data }));
    });
  }

  #refuse(why) {
    // After a drop the relay may not have noticed yet that our old socket is dead, or not have seen the patient return.
    const returning = !this.#inside && performance.now() - this.#lastInside < PATIENCE;
    const gone = why === "unknown" && this.#abandoned;
    if ((returning && !gone) || why === "busy") return;
    this.leave();
    this.#tell("refused", { why });
  }

  #drop(socket) {
    if (this.#socket !== socket) return;
    socket.onclose = null;
    socket.close();
    this.#socket = null;
    if (this.#inside) this.#lastInside = performance.now();
    this.#inside = false;
    if (this.#left) return;
    this.#tell("down", { tries: ++this.#tries });
    this.#again(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (this.#tries - 1)) * (0.8 + 0.4 * Math.random()));
  }

  #again(pause) {
    if (this.#left || this.#socket) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
