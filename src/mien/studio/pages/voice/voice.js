// The patient's voice on its way out: as it is, masked, or not at all. The microphone's own track never leaves here:
// what is handed out is the end of a graph, and stays the same track whatever the mode.

import { reasonOf } from "../devices.js";

const MODES = ["natural", "masked", "off"];
const WORKLET = new URL("./worklet.js", import.meta.url);
const FADE_IN = 0.02; // s
const QUIETEST = -60; // dB, level 0 of the meter

/** What keeps a voice from sounding: `reason` is "refused", "none", "busy", "insecure" or "mask". */
export class VoiceError extends Error {
  constructor(reason, cause) {
    super(`voice: ${reason}`, { cause });
    this.reason = reason;
  }
}

/**
 * A voice with a mode that can be changed while it is heard. Whatever fails, the mode is "off" afterwards: silence, and
 * a microphone that is let go. Events: "change" (the mode is in force, or has fallen back to "off"), "lost" (microphone
 * unplugged or taken away), "trouble" (detail: VoiceError; a mode set by assignment failed, or the mask did).
 */
export class Voice extends EventTarget {
  #mode = "off";
  #deviceId = "";
  #turn = 0; // counts changes of mode: whatever ends after the next one began has lost its say
  #context = null;
  #microphone = null;
  #source = null;
  #mask = null;
  #out = null;
  #meter = null;
  #samples = null;
  #destination = null;

  /**
   * Call it from a click, so that the browser lets sound run.
   * @param {{mode?: "natural"|"masked"|"off", deviceId?: string}} wish
   * @returns {Promise<MediaStream>} with one audio track, which is `stream` too
   */
  async start({ mode = "masked", deviceId = "" } = {}) {
    this.#build();
    this.#deviceId = deviceId;
    this.#release();
    await this.change(mode);
    return this.stream;
  }

  /** @returns {MediaStream|null} what may be sent on; silent while the mode is "off" */
  get stream() {
    return this.#destination?.stream ?? null;
  }

  /** The mode wanted; it is in force once `change` has ended. */
  get mode() {
    return this.#mode;
  }

  set mode(mode) {
    this.change(mode).catch((error) => this.#tell("trouble", error));
  }

  /** @returns {number} how loud it is that goes out, 0 to 1 over 60 dB; for a meter, some times a second */
  get level() {
    if (!this.#meter || this.#mode === "off") return 0;
    this.#meter.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const decibels = 10 * Math.log10(sum / this.#samples.length + 1e-12);
    return Math.min(1, Math.max(0, 1 - decibels / QUIETEST));
  }

  /**
   * Nothing at all goes out from the moment of the call until the new mode is in force.
   * @param {"natural"|"masked"|"off"} mode
   * @throws {VoiceError}
   */
  async change(mode) {
    if (!MODES.includes(mode)) throw new TypeError(`no such mode of a voice: ${mode}`);
    if (!this.#context) throw new Error("the voice has not been started");
    const turn = ++this.#turn;
    this.#cut();
    this.#mode = mode;
    try {
      if (mode === "off") this.#release();
      if (mode === "masked") await this.#wear(turn);
      if (mode !== "off") await this.#listen(turn);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#fall();
      throw error;
    }
    if (turn !== this.#turn) return;
    if (mode !== "off") this.#join(mode);
    this.#tell("change");
  }

  /** Ends everything; `start` begins anew, with another mask. */
  stop() {
    this.#turn++;
    this.#mode = "off";
    this.#cut();
    this.#release();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.#context?.close();
    this.#context = this.#mask = this.#out = this.#meter = this.#destination = null;
  }

  #build() {
    if (this.#context) return this.#run();
    const context = new AudioContext({ latencyHint: "interactive" });
    this.#context = context;
    this.#destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    this.#meter = new AnalyserNode(context, { fftSize: 1024 });
    this.#samples = new Float32Array(this.#meter.fftSize);
    this.#out = new GainNode(context, { channelCount: 1, channelCountMode: "explicit" });
    this.#out.connect(this.#destination);
    this.#out.connect(this.#meter);
    this.stream.getAudioTracks()[0].contentHint = "speech";
    context.addEventListener("statechange", () => this.#run());
    this.#run();
  }

  /** A context made without a click waits for one; a telephone's call interrupts it. */
  #run() {
    const context = this.#context;
    if (!context || context.state === "running" || context.state === "closed") return;
    context.resume().catch(() => {}); // refused before a click
    for (const gesture of ["pointerup", "keydown"]) document.addEventListener(gesture, this.#again, { once: true });
  }

  #again = () => this.#run();

  /** Takes both ways out of the graph apart; what was on its way is dropped. */
  #cut() {
    this.#source?.disconnect();
    this.#mask?.disconnect();
    this.#out?.gain.cancelScheduledValues(0);
    if (this.#out) this.#out.gain.value = 0;
  }

  #join(mode) {
    if (mode === "masked") {
      this.#source.connect(this.#mask);
      this.#mask.connect(this.#out);
    } else {
      this.#source.connect(this.#out);
    }
    const now = this.#context.currentTime;
    this.#out.gain.setValueAtTime(0, now);
    this.#out.gain.linearRampToValueAtTime(1, now + FADE_IN);
  }

  /** Loads the mask. One mask serves as long as the voice does: it has come to know the speaker. */
  async #wear(turn) {
    if (this.#mask) return;
    const context = this.#context;
    try {
      await context.audioWorklet.addModule(WORKLET);
      if (turn !== this.#turn || this.#mask) return;
      this.#mask = new AudioWorkletNode(context, "voice-mask", {
        numberOfInputs: 1,
        numberOfOutputs: 1,
        outputChannelCount: [1],
        channelCount: 1,
        channelCountMode: "explicit",
        processorOptions: { seed: crypto.getRandomValues(new Uint32Array(4)) },
      });
    } catch (error) {
      throw new VoiceError("mask", error);
    }
    const mask = this.#mask;
    // Not a listener for "processorerror": Chromium names that event "error", and only the property gets both.
    mask.onprocessorerror = () => this.#unmask(mask);
  }

  #unmask(mask) {
    mask.disconnect();
    if (this.#mask !== mask) return;
    this.#mask = null;
    if (this.#mode !== "masked") return;
    this.#fall();
    this.#tell("trouble", new VoiceError("mask"));
  }

  async #listen(turn) {
    if (this.#source) return;
    if (!navigator.mediaDevices) throw new VoiceError("insecure");
    const device = this.#deviceId ? { deviceId: { exact: this.#deviceId } } : {};
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: false,
        audio: { ...device, channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      const track = stream.getAudioTracks()[0];
      // While the person was asked, the mode may have changed: then this microphone is not wanted, or not twice.
      if (turn !== this.#turn) return track.stop();
      this.#microphone = track;
      this.#source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
      track.addEventListener("ended", () => this.#lose(track));
    } catch (error) {
      throw new VoiceError(reasonOf(error), error);
    }
  }

  #lose(track) {
    if (this.#microphone !== track) return;
    this.#fall();
    this.#tell("lost");
  }

  /** Lets the microphone go: the browser's sign for it goes out. */
  #release() {
    this.#cut();
    this.#microphone?.stop();
    this.#microphone = this.#source = null;
  }

  #fall() {
    this.#turn++;
    this.#mode = "off";
    this.#release();
    this.#tell("change");
  }

  #tell(what, error) {
    this.dispatchEvent(new CustomEvent(what, { detail: error ?? null }));
  }
}
