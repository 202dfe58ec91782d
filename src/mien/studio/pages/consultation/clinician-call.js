// The clinician's side of a consultation, without its looks: ask to join, see and hear, record what is shared, leave.

import { ClinicianPeer } from "./clinician-peer.js";
import { EmotionRecord } from "./emotion-record.js";
import { hasTurn } from "./peer.js";
import { Gate, readControl, readRow } from "./received.js";
import { ReportInbox } from "./report-transfer.js";
import { Room } from "./room.js";

const MESSAGES = 40; // controls and rows a second that are looked at
const SILENT = 6000; // ms without a word, after which the connection is not believed in any more
const CHECK = 1000;

/**
 * @typedef {"none" | "entering" | "waiting" | "declined" | "connecting" | "connected" | "lost" | "ended" | "refused"} Stage
 *   entering: on the way to the relay; waiting: the patient is being asked; ended: `why` says by what; refused: `why`
 */

/**
 * Fires "change" when something it tells has changed, "picture" {stream}, "sound" {stream}, "row" {row} for each row
 * kept, "report" {blob}.
 */
export class ClinicianCall extends EventTarget {
  /** @type {Stage} */
  stage = "none";
  /** "unknown" | "full" | "busy" | "bad" | "expired" | "servers" of a refusal; "patient" | "gone" | "left" of an end */
  why = "";
  offline = false;
  /** Whether the patient's page is known to be in the room. */
  met = false;
  /** What the patient shares, as it says. @type {import("./received.js").Sharing} */
  sharing = { voice: "off", emotions: false, hidden: false };
  /** Whether emotions were ever shared. */
  shared = false;
  record = new EmotionRecord();
  microphone = false;
  /** "refused" | "none" | "failed"; "" */
  microphoneTrouble = "";
  /** Milliseconds on this page's clock when the call began; null before. */
  began = null;
  /** Seconds it had lasted when it ended. */
  length = 0;
  /** The clinician, as shown to the patient. */
  name = "";
  /** 0 to 1 while a report is coming; null otherwise. */
  reportShare = null;

  #room = null;
  #peer = null;
  #patient = null; // id of the patient's page
  #admitted = false;
  #ice = { ice: [], policy: "all" };
  #inbox = new ReportInbox();
  #gate = new Gate(MESSAGES);
  #stream = null;
  #heardAt = 0;
  #check = 0;
  #offset = null; // seconds from the session's clock to the call's
  #rowTime = -Infinity;

  /** Seconds since the call began; 0 before. */
  get clock() {
    return this.began === null ? 0 : (performance.now() - this.began) / 1000;
  }

  /** Seconds of the patient's own session now, as in its report; null if unknown. */
  get sessionClock() {
    return this.#offset === null ? null : Math.max(0, this.clock - this.#offset);
  }

  /**
   * @param {object} options
   * @param {string} options.url of the relay's socket
   * @param {string} options.code
   * @param {string} options.name to show to the patient
   */
  join({ url, code, name }) {
    this.#room?.leave();
    this.name = name;
    this.#admitted = false;
    this.#patient = null;
    const room = new Room({ url, role: "clinician", code });
    this.#room = room;
    const on = (type, listener) => room.addEventListener(type, (event) => this.#room === room && listener(event.detail));
    on("open", ({ ice, policy }) => {
      this.#ice = { ice, policy };
      this.#set({ offline: false, ...(this.stage === "entering" ? { stage: "waiting" } : {}) });
    });
    on("down", () => this.#set({ offline: true }));
    on("peer", (detail) => this.#met(detail));
    on("message", (message) => this.#heard(message));
    on("refused", ({ why }) => this.#refused(why));
    this.#set({ stage: "entering", why: "", met: false });
    room.enter();
  }

  /** Ask no longer; back to the beginning. */
  giveUp() {
    this.#say({ kind: "bye" });
    this.#room?.leave();
    this.#room = null;
    this.#peer?.close();
    this.#peer = null;
    this.#set({ stage: "none", why: "", offline: false });
  }

  /** Leave the call; the patient is told. */
  leave() {
    this.#peer?.control({ kind: "bye" });
    this.#say({ kind: "bye" });
    this.#end("left");
  }

  /** @param {boolean} on */
  async setMicrophone(on) {
    this.#set({ microphoneTrouble: "" });
    if (!on) {
      this.#releaseMicrophone();
    } else if (!this.#stream) {
      try {
        const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
        const stream = await navigator.mediaDevices.getUserMedia({ audio });
        if (this.stage !== "connected" && this.stage !== "lost") return stopTracks(stream);
        stream.getAudioTracks()[0].onended = () => this.setMicrophone(false); // unplugged
        this.#stream = stream;
      } catch (error) {
        const why = { NotAllowedError: "refused", NotFoundError: "none" }[error.name] ?? "failed";
        return this.#set({ microphoneTrouble: why });
      }
    }
    await this.#peer?.setMicrophone(this.#stream?.getAudioTracks()[0] ?? null).catch(() => {});
    this.#set({ microphone: this.#stream !== null });
    this.#tellMicrophone();
  }

  #met({ here, from }) {
    this.#patient = from ?? this.#patient;
    if (here) this.#say({ kind: "hello", name: this.name });
    this.#set({ met: here });
  }

  #say(message) {
    this.#room?.send(message, this.#patient);
  }

  #heard(message) {
    const { kind, call } = message;
    if (kind === "admit") this.#admit();
    else if (kind === "decline" && !this.#admitted) this.#declined();
    else if (kind === "bye") this.#end("patient");
    else if (kind === "offer" && this.#admitted && Number.isInteger(call) && call !== this.#peer?.call) this.#connect(call);
    this.#peer?.take(message);
  }

  #admit() {
    this.#admitted = true;
    if (this.stage === "waiting") this.#set({ stage: "connecting" });
  }

  #declined() {
    this.#room.leave();
    this.#room = null;
    this.#set({ stage: "declined" });
  }

  #refused(why) {
    this.#room = null;
    if (this.#peer?.connected) return; // the call goes on without its room
    if (this.began !== null) this.#end("gone");
    else this.#set({ stage: "refused", why, offline: false });
  }

  /** The relay's servers are of no use. */
  #giveUp() {
    this.#say({ kind: "bye" });
    this.#room.leave();
    this.#refused("servers");
  }

  #connect(call) {
    this.#peer?.close();
    this.#peer = null;
    const { ice, policy } = this.#ice;
    if (policy === "relay" && !hasTurn(ice)) return this.#giveUp();
    let peer;
    try {
      peer = new ClinicianPeer({ ice, policy, call, say: (message) => this.#say(message) });
    } catch {
      return this.#giveUp();
    }
    this.#peer = peer;
    this.#inbox = new ReportInbox();
    if (this.#stream) peer.setMicrophone(this.#stream.getAudioTracks()[0]);
    const on = (type, listener) => peer.addEventListener(type, (event) => this.#peer === peer && listener(event.detail));
    on("state", () => this.#connection());
    on("gone", () => this.#end("gone"));
    on("control", ({ text }) => this.#gate.pass() && this.#control(readControl(text)));
    on("row", ({ text }) => this.#gate.pass() && this.#row(readRow(text)));
    on("report", ({ data }) => this.#reportPiece(data));
    on("picture", ({ stream }) => this.dispatchEvent(new CustomEvent("picture", { detail: { stream } })));
    on("sound", ({ stream }) => this.dispatchEvent(new CustomEvent("sound", { detail: { stream } })));
    clearInterval(this.#check);
    this.#check = setInterval(() => this.#connection(), CHECK);
  }

  #connection() {
    if (this.stage === "ended") return;
    const { connected } = this.#peer;
    if (connected && this.stage !== "connected" && this.stage !== "lost") this.#heardAt = performance.now();
    const alive = connected && performance.now() - this.#heardAt < SILENT;
    if (alive && this.stage !== "connected") {
      this.began ??= performance.now();
      this.#tellMicrophone();
      this.#set({ stage: "connected" });
    } else if (!alive && this.began !== null && !this.#room) {
      this.#end("gone"); // nobody is left to find a new way with
    } else if (!alive && this.stage === "connected") {
      this.#set({ stage: "lost" });
    }
  }

  #control(message) {
    if (!message) return;
    this.#heardAt = performance.now();
    if (message.kind === "bye" || message.kind === "ended") return this.#ended(message.kind);
    if (message.kind === "sharing") {
      this.#set({ sharing: message.sharing, shared: this.shared || message.sharing.emotions });
    }
    if (typeof message.time === "number") this.#follow(message.time);
    this.#connection();
  }

  #ended(kind) {
    if (kind === "bye") return this.#end("patient");
    this.#releaseMicrophone();
    this.#over("patient");
  }

  #row(row) {
    if (!row || !this.sharing.emotions || this.began === null) return;
    this.#follow(row.time);
    const last = this.record.length ? this.record.row(this.record.length - 1).at : 0;
    const at = Math.min(this.clock, Math.max(last, row.time + this.#offset));
    if (this.record.add(at, row)) this.dispatchEvent(new CustomEvent("row", { detail: { row: { at, ...row } } }));
  }

  /** Keep the two clocks together: the shortest way seen tells the difference, a clock that went back a new session. */
  #follow(time) {
    const offset = this.clock - time;
    if (this.#offset === null || offset < this.#offset || time < this.#rowTime - 1) this.#offset = offset;
    this.#rowTime = time;
  }

  #reportPiece(data) {
    const blob = this.#inbox.take(data);
    if (blob) {
      this.#peer.thank();
      this.dispatchEvent(new CustomEvent("report", { detail: { blob } }));
    }
    this.#set({ reportShare: this.#inbox.share });
  }

  #tellMicrophone() {
    this.#peer?.control({ kind: "microphone", on: this.#stream !== null });
  }

  #releaseMicrophone() {
    if (this.#stream) stopTracks(this.#stream);
    this.#stream = null;
  }

  #end(why) {
    clearInterval(this.#check);
    this.#releaseMicrophone();
    this.#room?.leave();
    this.#room = null;
    this.#peer?.close();
    this.#peer = null;
    this.reportShare = null;
    this.#over(why);
  }

  /** The first reason is the true one: whoever says goodbye closes the connection next. */
  #over(why) {
    const first = this.stage !== "ended";
    this.#set({ stage: "ended", microphone: false, ...(first ? { why, length: this.clock } : {}) });
  }

  #set(changes) {
    Object.assign(this, changes);
    this.dispatchEvent(new Event("change"));
  }
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}
