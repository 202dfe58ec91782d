// The clinician's side of the connection: answers offers, receives the avatar, sends a microphone if it is on.

import { LONGEST_SDP, Peer } from "./peer.js";

/**
 * The side that sees the avatar. Events besides: "picture" {stream}, "sound" {stream}, "row" {text}, "report" {data} for
 * each piece.
 */
export class ClinicianPeer extends Peer {
  #microphone = null;
  #round = 0;

  constructor(options) {
    super(options);
    this.connection.ontrack = ({ track }) => {
      this.tell(track.kind === "video" ? "picture" : "sound", { stream: new MediaStream([track]) });
    };
    this.channels.emotions.onmessage = ({ data }) => this.tell("row", { text: data });
    this.channels.report.onmessage = ({ data }) => this.tell("report", { data });
    this.connection.addEventListener("connectionstatechange", () => {
      if (this.connection.connectionState === "failed") this.say({ kind: "restart" });
    });
  }

  /** What the other page said through the relay. */
  take({ kind, call, round, sdp, list }) {
    if (call !== this.call) return;
    if (kind === "offer" && Number.isInteger(round) && typeof sdp === "string" && sdp.length < LONGEST_SDP) {
      this.#round = Math.max(this.#round, round);
      this.inTurn(() => this.#answer(round, sdp));
    } else if (kind === "candidates") {
      this.inTurn(() => this.addCandidates(list));
    }
  }

  /** @param {MediaStreamTrack | null} track null is silence */
  async setMicrophone(track) {
    this.#microphone = track;
    await this.#voice()?.sender.replaceTrack(track);
  }

  /** The report has come whole. */
  thank() {
    if (this.channels.report.readyState === "open") this.channels.report.send("received");
  }

  async #answer(round, sdp) {
    if (round < this.#round) return; // a newer offer is waiting
    await this.connection.setRemoteDescription({ type: "offer", sdp });
    const voice = this.#voice();
    if (voice) {
      voice.direction = "sendrecv"; // the microphone can then be turned on without another negotiation
      await voice.sender.replaceTrack(this.#microphone);
    }
    await this.connection.setLocalDescription();
    this.say({ kind: "answer", round, sdp: this.connection.localDescription.sdp });
    await this.addEarly();
  }

  #voice() {
    return this.connection.getTransceivers().find(({ receiver }) => receiver.track.kind === "audio");
  }
}
