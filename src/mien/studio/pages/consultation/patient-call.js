// The patient's side of a consultation, without its looks: invite, let in, share what was agreed and no more, end.

import { PatientPeer } from "./patient-peer.js";
import { hasTurn } from "./peer.js";
import { Gate, cleanName, readControl } from "./received.js";
import { sendReport } from "./report-transfer.js";
import { Room } from "./room.js";
import { makeCode } from "./sealing.js";
import { Speech } from "./speech.js";

const HEARTBEAT = 2000; // ms; tells a still picture from a lost connection
const ROW_STEP = 190; // ms between rows at least
const GIVE_UP = 90_000; // ms without a connection after which the microphone is let go
const CONTROLS = 30; // messages a second that are looked at

/**
 * @typedef {"none" | "opening" | "waiting" | "connecting" | "connected" | "lost" | "left" | "ended" | "over" | "refused"} Stage
 *   none: nothing open; waiting: the link can be used; left: somebody was here and has gone, the link still works; ended:
 *   picture and sound have stopped, a report may follow; over: all is closed; refused: `why` says why
 */

/** Fires "change" whenever something it tells has changed, "sound" {stream} with the clinician's voice. */
export class PatientCall extends EventTarget {
  /** @type {Stage} */
  stage = "none";
  code = "";
  /** Who wants to be let in: {name}; null if nobody. */
  asking = null;
  /** Who is in the call. */
  name = "";
  /** When they came, as a Date. */
  since = null;
  /** When the link ends, as a Date. */
  expires = null;
  /** What is shared besides the avatar's picture. */
  sharing = { voice: "masked", emotions: false };
  /** Why there is no voice: "refused" | "none" | "busy" | "insecure" | "mask" | "lost" | "failed"; "" if it is as wished. */
  voiceTrouble = "";
  /** Whether the clinician's microphone is on. */
  heard = false;
  /** Whether the relay cannot be reached just now. */
  offline = false;
  /** Of a refusal: "unknown" | "full" | "busy" | "bad" | "expired" | "turn" | "servers" | "picture". */
  why = "";
  /** "none" | "making" | "sending" | "sent" | "failed" */
  report = "none";
  reportShare = 0;

  #stream;
  #url;
  #relayOnly;
  #speech;
  #room = null;
  #peer = null;
  #guest = null;
  #askingFrom = null;
  #calls = 0;
  #ice = { ice: [], policy: "all" };
  #rowAt = -Infinity;
  #time = null;
  #heartbeat = 0;
  #lostSince = 0;
  #gate = new Gate(CONTROLS);
  #onVisibility = () => this.#tellSharing();

  /**
   * @param {object} options
   * @param {MediaStream} options.stream of the avatar's canvas
   * @param {string} options.url of the relay's socket
   * @param {boolean} [options.relayOnly] nobody may learn this computer's address: a TURN server or no call
   * @param {() => Promise<object>} options.makeVoice a `Voice`, when it is first needed
   */
  constructor({ stream, url, relayOnly = false, makeVoice }) {
    super();
    this.#stream = stream;
    this.#url = url;
    this.#relayOnly = relayOnly;
    this.#speech = new Speech(makeVoice);
    this.#speech.addEventListener("trouble", ({ detail }) => this.#fallSilent(detail.why));
  }

  /** The voice while it is running, for its level. */
  get voice() {
    return this.#speech.voice;
  }

  /** Make a code and open its room. */
  open() {
    this.code = makeCode();
    this.report = "none";
    this.why = "";
    this.expires = null;
    const room = new Room({ url: this.#url, role: "patient", code: this.code });
    this.#room = room;
    const on = (type, listener) => room.addEventListener(type, (event) => this.#room === room && listener(event.detail));
    on("open", (detail) => this.#opened(detail));
    on("down", () => this.#set({ offline: true }));
    on("refused", ({ why }) => this.#refused(why));
    on("peer", ({ here }) => this.#met(here));
    on("message", (message) => this.#heard(message));
    this.#set({ stage: "opening" });
    room.enter();
  }

  /** Let in whoever is asking. Until now nothing has been sent to them but that they are to wait. */
  admit() {
    if (!this.asking) return;
    this.#hangUp();
    this.#guest = this.#askingFrom;
    this.name = this.asking.name;
    this.since = null;
    this.report = "none";
    if (!this.#connect()) return;
    this.#set({ asking: null, stage: "connecting", heard: false });
    this.setVoice(this.sharing.voice);
  }

  decline() {
    if (!this.asking) return;
    this.#room.send({ kind: "decline" }, this.#askingFrom);
    this.#askingFrom = null;
    this.#set({ asking: null });
  }

  /** @param {"natural" | "masked" | "off"} mode natural is for this person alone; the others are kept for whoever comes */
  async setVoice(mode) {
    this.#share({ voice: mode });
    this.#set({ voiceTrouble: "" });
    const peer = this.#peer;
    if (!peer) return;
    const trouble = await this.#speech.set(mode, (track) => peer.setVoice(track));
    if (trouble && this.#peer === peer) this.#fallSilent(trouble);
  }

  /** @param {boolean} on */
  shareEmotions(on) {
    this.#share({ emotions: on && this.#peer !== null });
  }

  /** @param {{time: number, seen: boolean, confidence: number, emotions: Record<string, number> | null}} row */
  row({ time, seen, confidence, emotions }) {
    this.#time = time;
    const now = performance.now();
    if (!this.sharing.emotions || !this.#peer?.connected || now - this.#rowAt < ROW_STEP) return;
    this.#rowAt = now;
    const rounded = emotions && Object.fromEntries(Object.entries(emotions).map(([name, p]) => [name, round(p, 4)]));
    this.#peer.row({ time: round(time, 3), seen: Boolean(seen), confidence: round(confidence ?? 0, 3), emotions: rounded });
  }

  /** Stop picture, sound and emotions now. The channels stay, so that a report can be sent; `close` closes them. */
  end() {
    if (this.stage === "ended") return;
    this.#share({ emotions: false });
    this.#speech.stop();
    if (!this.#peer?.connected) return this.close();
    this.#peer.endMedia();
    this.#peer.control({ kind: "ended" });
    this.#set({ stage: "ended", asking: null, report: "none" });
  }

  /** @param {() => Promise<Blob>} provider called now, and never before the patient has agreed */
  async sendReport(provider) {
    const peer = this.#peer;
    this.#set({ report: "making", reportShare: 0 });
    try {
      const blob = await provider();
      this.#set({ report: "sending" });
      await sendReport(peer.channels.report, blob, (share) => this.#set({ reportShare: share }));
      this.#set({ report: "sent" });
      this.close();
    } catch {
      this.#set({ report: "failed" });
    }
  }

  /** Close everything: the call, the room, the link. @param {{now?: boolean}} [options] now: the page is going */
  close({ now = false } = {}) {
    this.#peer?.control({ kind: "bye" });
    for (const page of [this.#guest, this.#askingFrom]) this.#room?.send({ kind: "bye" }, page);
    this.#room?.leave({ now });
    this.#room = null;
    this.#hangUp();
    this.#guest = this.#askingFrom = null;
    const untouched = ["none", "opening", "waiting", "refused"].includes(this.stage);
    this.#set({ stage: untouched ? "none" : "over", asking: null, offline: false });
  }

  #opened({ ice, policy, expires }) {
    this.#ice = { ice, policy: this.#relayOnly ? "relay" : policy };
    if (this.#ice.policy === "relay" && !hasTurn(ice)) return this.#giveUp("turn");
    if (expires !== null) this.expires = new Date(Date.now() + expires * 1000);
    this.#set({ offline: false, ...(this.stage === "opening" ? { stage: "waiting" } : {}) });
  }

  #refused(why) {
    this.#room = null;
    // A call goes on without its room; only its link is gone.
    if (this.#peer?.connected) return this.#set({ expires: new Date(), asking: null, offline: false });
    this.#hangUp();
    this.#set({ stage: "refused", why, asking: null, offline: false });
  }

  /** Nothing can come of this room. A call that is running goes on without it. */
  #giveUp(why) {
    if (!this.#peer?.connected) this.#room.send({ kind: "bye" }, this.#guest);
    this.#room.leave();
    this.#refused(why);
  }

  #met(here) {
    if (here) return;
    if (this.stage === "connecting") this.#left();
    this.#askingFrom = null;
    this.#set({ asking: null });
  }

  #heard(message) {
    const { kind, from } = message;
    if (kind === "hello" && from === this.#guest && this.#peer) this.#welcomeBack();
    else if (kind === "hello") this.#ask(from, cleanName(message.name));
    else if (kind === "bye" && from === this.#askingFrom) this.#set({ asking: null });
    else if (kind === "bye" && from === this.#guest) this.#left();
    else if (from === this.#guest) this.#peer?.take(message);
  }

  #ask(from, name) {
    if (!name || this.stage === "ended" || this.stage === "over") return;
    this.#askingFrom = from;
    this.#set({ asking: { name } });
  }

  /** The same page, over a new line to the relay: it was let in before. */
  #welcomeBack() {
    this.#room.send({ kind: "admit" }, this.#guest);
    if (!this.#peer.connected) this.#peer.restart();
  }

  /** @returns {boolean} whether there is a connection now, and the guest told; without one all is over */
  #connect() {
    this.#calls += 1;
    const say = (message) => this.#room?.send(message, this.#guest);
    let peer;
    try {
      peer = new PatientPeer({ ...this.#ice, picture: this.#stream, call: this.#calls, say });
    } catch (error) {
      this.#giveUp(error.name === "ForbiddenTrackError" ? "picture" : "servers");
      return false;
    }
    this.#room.send({ kind: "admit" }, this.#guest); // before the offer, which is made in a later turn
    this.#peer = peer;
    const on = (type, listener) => peer.addEventListener(type, (event) => this.#peer === peer && listener(event.detail));
    on("state", () => this.#connection());
    on("gone", () => this.#left());
    on("forbidden", () => this.close());
    on("control", ({ text }) => this.#gate.pass() && this.#control(readControl(text)));
    on("sound", ({ stream }) => this.dispatchEvent(new CustomEvent("sound", { detail: { stream } })));
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT);
    document.addEventListener("visibilitychange", this.#onVisibility);
    return true;
  }

  #connection() {
    if (this.stage === "ended") return;
    if (this.#peer.connected) {
      this.#tellSharing();
      this.#set({ stage: "connected", since: this.since ?? new Date() });
    } else if (this.stage === "connected") {
      this.#lostSince = performance.now();
      this.#set({ stage: "lost" });
    }
  }

  #control(message) {
    if (message?.kind === "microphone") this.#set({ heard: message.on });
    else if (message?.kind === "bye") this.#left();
  }

  #left() {
    this.#hangUp();
    this.#guest = null;
    if (this.stage === "ended" || !this.#room) this.close();
    else this.#set({ stage: "left", heard: false });
  }

  #beat() {
    this.#peer.control({ kind: "alive", time: this.#time });
    if (this.stage === "lost" && performance.now() - this.#lostSince > GIVE_UP) this.#left();
  }

  #fallSilent(why) {
    this.#share({ voice: "off" });
    this.#set({ voiceTrouble: why });
  }

  #share(changes) {
    this.sharing = { ...this.sharing, ...changes };
    this.#tellSharing();
    this.#set({});
  }

  #tellSharing() {
    this.#peer?.control({ kind: "sharing", ...this.sharing, hidden: document.hidden, time: this.#time });
  }

  #hangUp() {
    clearInterval(this.#heartbeat);
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#peer?.close();
    this.#peer = null;
    this.#speech.stop();
    // What was given to one person is not given to the next.
    const { voice } = this.sharing;
    this.sharing = { voice: voice === "natural" ? "masked" : voice, emotions: false };
  }

  #set(changes) {
    Object.assign(this, changes);
    this.dispatchEvent(new Event("change"));
  }
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}
