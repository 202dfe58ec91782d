// The patient's side of the connection. It answers for what is sent: the canvas's track, a processed voice, nothing else.

import { LONGEST_SDP, Peer } from "./peer.js";

const VIDEO = { maxBitrate: 1_500_000, maxFramerate: 30 };
const PATIENCE = 15_000; // ms for the first way to be found
const RESTART_AFTER = 2500; // ms without a connection; browsers call it failed much later
const RESTART_AGAIN = 8000;
const ROWS_BUFFERED = 32 * 1024; // beyond it rows are skipped: late ones help nobody

/** Something was about to be sent that must not be. */
export class ForbiddenTrackError extends Error {
  name = "ForbiddenTrackError";
}

/**
 * The track of a canvas.
 * @param {MediaStream} stream of `canvas.captureStream()`
 * @returns {MediaStreamTrack}
 * @throws {ForbiddenTrackError} for anything else, a camera above all
 */
export function canvasTrack(stream) {
  const track = stream.getVideoTracks()[0];
  // Firefox marks the stream instead of the track, and a marked stream could have been given another track.
  const marked = "CanvasCaptureMediaStreamTrack" in globalThis
    ? track instanceof CanvasCaptureMediaStreamTrack
    : "CanvasCaptureMediaStream" in globalThis && stream instanceof CanvasCaptureMediaStream;
  if (!marked || ofDevice(track)) throw new ForbiddenTrackError("Only the avatar's canvas is sent, never a camera.");
  return track;
}

/**
 * A voice that went through WebAudio.
 * @param {MediaStreamTrack} track
 * @returns {MediaStreamTrack}
 * @throws {ForbiddenTrackError} for a microphone's own track and for pictures
 */
export function processedVoice(track) {
  if (track.kind !== "audio" || ofDevice(track)) throw new ForbiddenTrackError("Only a voice that was processed is sent.");
  return track;
}

/** Tracks of cameras, microphones and screens say which device or surface they come from. */
function ofDevice(track) {
  const settings = track.getSettings();
  return ["groupId", "facingMode", "echoCancellation", "displaySurface"].some((name) => settings[name] !== undefined);
}

/** The side that sends the avatar. Events besides: "sound" {stream} of the clinician. */
export class PatientPeer extends Peer {
  #video;
  #voice = null;
  #audio;
  #round = 0;
  #restart = 0;

  /** @param {object} options those of `Peer`, and `picture`: the MediaStream of `canvas.captureStream()` */
  constructor({ picture, ...options }) {
    const video = canvasTrack(picture);
    super(options);
    this.#video = video;
    video.contentHint = "motion";
    const { connection } = this;
    const streams = [new MediaStream()]; // one for both, so that lips and voice are kept together
    connection.addTransceiver(video, { direction: "sendonly", streams, sendEncodings: [VIDEO] });
    this.#audio = connection.addTransceiver("audio", { direction: "sendrecv", streams }).sender;
    connection.ontrack = ({ track }) => {
      if (track.kind === "audio") this.tell("sound", { stream: new MediaStream([track]) });
    };
    connection.addEventListener("connectionstatechange", () => this.#watch());
    this.#offer();
    this.#restart = setTimeout(() => this.restart(), PATIENCE);
  }

  /** What the other page said through the relay. */
  take({ kind, call, round, sdp, list }) {
    if (call !== this.call) return;
    if (kind === "answer" && round === this.#round && typeof sdp === "string" && sdp.length < LONGEST_SDP) {
      this.inTurn(async () => {
        if (this.connection.signalingState !== "have-local-offer" || round !== this.#round) return;
        await this.connection.setRemoteDescription({ type: "answer", sdp });
        await this.addEarly();
      });
    } else if (kind === "candidates") {
      this.inTurn(() => this.addCandidates(list));
    } else if (kind === "restart" && !this.connected) {
      this.restart();
    }
  }

  /** Look for a way to each other again; the call goes on where it was. */
  restart() {
    clearTimeout(this.#restart);
    this.#restart = setTimeout(() => this.restart(), RESTART_AGAIN);
    this.#offer({ iceRestart: true });
  }

  /** @param {MediaStreamTrack | null} track of a `Voice`; null is silence */
  async setVoice(track) {
    this.#voice = track && processedVoice(track);
    await this.#audio.replaceTrack(this.#voice);
  }

  /** No picture and no sound from now on; the channels stay. */
  async endMedia() {
    this.#voice = null;
    await Promise.all(this.connection.getSenders().map((sender) => sender.replaceTrack(null)));
  }

  /** @param {object} row skipped where earlier ones still wait */
  row(row) {
    const { emotions } = this.channels;
    if (emotions.readyState === "open" && emotions.bufferedAmount < ROWS_BUFFERED) emotions.send(JSON.stringify(row));
  }

  close() {
    clearTimeout(this.#restart);
    super.close();
  }

  #offer(options = {}) {
    this.inTurn(async () => {
      this.#refuseOthers();
      const round = ++this.#round;
      await this.connection.setLocalDescription(await this.connection.createOffer(options));
      await this.#preferMotion();
      this.say({ kind: "offer", round, sdp: this.connection.localDescription.sdp });
    });
  }

  /** Nothing but our two tracks may be on its way, whatever happened to the connection. */
  #refuseOthers() {
    for (const sender of this.connection.getSenders()) {
      if (![null, this.#video, this.#voice].includes(sender.track)) {
        this.close();
        throw new ForbiddenTrackError("A track that is not the avatar's was about to be sent; the call was ended.");
      }
    }
  }

  /** A smaller picture rather than a jerky one: motion is what the clinician reads. */
  async #preferMotion() {
    const sender = this.connection.getSenders().find(({ track }) => track === this.#video);
    const parameters = sender?.getParameters();
    if (!parameters?.encodings?.length) return;
    await sender.setParameters({ ...parameters, degradationPreference: "maintain-framerate" }).catch(() => {});
  }

  #watch() {
    const state = this.connection.connectionState;
    if (state === "connected") clearTimeout(this.#restart);
    if (state === "failed") this.restart();
    if (state === "disconnected") this.#restart = setTimeout(() => this.restart(), RESTART_AFTER);
  }
}
