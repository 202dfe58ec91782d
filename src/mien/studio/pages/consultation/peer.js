// The connection of the two browsers, as far as both sides share it: three channels, and negotiation through the relay.

const CHANNELS = Object.freeze({ control: 0, emotions: 1, report: 2 }); // both sides make them, by these numbers
const CANDIDATES_TOGETHER = 50; // ms for which addresses found are collected into one message
const MOST_CANDIDATES = 100;
const TURN = /^turns?:/i;
/** Characters of a session description; more is refused. */
export const LONGEST_SDP = 32 * 1024;

/** Whether a TURN server is among them, in whatever shape a relay says it. @param {unknown[]} ice @returns {boolean} */
export function hasTurn(ice) {
  return ice.some((server) => [server?.urls].flat().some((url) => typeof url === "string" && TURN.test(url)));
}

/**
 * One RTCPeerConnection. Events: "state" when `connected` may have changed, "control" {text}, "gone" when the other side has closed,
 * "forbidden" {error}.
 */
export class Peer extends EventTarget {
  connection;
  channels = {};
  #say;
  #found = [];
  #flush = 0;
  #early = [];
  #work = Promise.resolve();

  /**
   * @param {object} options
   * @param {RTCIceServer[]} options.ice
   * @param {RTCIceTransportPolicy} options.policy
   * @param {number} options.call number of this connection within the room
   * @param {(message: object) => void} options.say sends through the relay, sealed
   * @throws {Error} where the browser cannot use those servers
   */
  constructor({ ice, policy, call, say }) {
    super();
    this.call = call;
    this.#say = say;
    this.connection = new RTCPeerConnection({ iceServers: ice, iceTransportPolicy: policy, bundlePolicy: "max-bundle" });
    for (const [label, id] of Object.entries(CHANNELS)) {
      const channel = this.connection.createDataChannel(label, { negotiated: true, id });
      channel.binaryType = "arraybuffer";
      this.channels[label] = channel;
    }
    this.channels.control.onmessage = (event) => this.tell("control", { text: event.data });
    this.channels.control.onopen = () => this.tell("state");
    this.channels.control.onclose = () => this.tell("gone"); // a drop alone does not close it: the other page did
    this.connection.onicecandidate = ({ candidate }) => this.#collect(candidate);
    this.connection.onconnectionstatechange = () => this.tell("state");
  }

  /** Whether picture, sound and words get through just now. */
  get connected() {
    return this.connection.connectionState === "connected" && this.channels.control.readyState === "open";
  }

  /** Say something on the control channel; lost while there is none. @param {{kind: string}} message */
  control(message) {
    if (this.channels.control.readyState === "open") this.channels.control.send(JSON.stringify(message));
  }

  close() {
    clearTimeout(this.#flush);
    this.connection.onconnectionstatechange = this.channels.control.onclose = null;
    this.connection.close();
  }

  /** Say something through the relay. */
  say(message) {
    this.#say({ ...message, call: this.call });
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** One step of negotiation after the other. What fails is tried again by the restart that follows. */
  inTurn(step) {
    this.#work = this.#work.then(step).catch((error) => {
      if (error.name === "ForbiddenTrackError") this.tell("forbidden", { error });
    });
    return this.#work;
  }

  async addCandidates(list) {
    if (!Array.isArray(list)) return;
    this.#early.push(...list.slice(0, MOST_CANDIDATES - this.#early.length));
    await this.addEarly();
  }

  async addEarly() {
    if (!this.connection.remoteDescription) return;
    for (const candidate of this.#early.splice(0)) {
      await this.connection.addIceCandidate(candidate).catch(() => {}); // one of before a restart, or nonsense
    }
  }

  #collect(candidate) {
    if (candidate) this.#found.push(candidate.toJSON());
    clearTimeout(this.#flush);
    const flush = () => {
      if (this.#found.length) this.say({ kind: "candidates", list: this.#found.splice(0) });
    };
    if (candidate) this.#flush = setTimeout(flush, CANDIDATES_TOGETHER);
    else flush();
  }
}
