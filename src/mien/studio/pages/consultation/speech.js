// The patient's voice in a call: the microphone is open only while it is wanted, whatever order the wishes come in.

/** Fires "trouble" {why} when a voice that was on falls silent: "lost" (microphone unplugged), "mask", "failed". */
export class Speech extends EventTarget {
  /** The `Voice` that is running; null if the microphone is off. */
  voice = null;
  #make;
  #wish = 0;

  /** @param {() => Promise<object>} make gives a `Voice` */
  constructor(make) {
    super();
    this.#make = make;
  }

  /**
   * @param {"natural" | "masked" | "off"} mode
   * @param {(track: MediaStreamTrack | null) => Promise<void>} send takes the track, or null for silence
   * @returns {Promise<string>} why it did not work: "refused" | "none" | "busy" | "insecure" | "mask" | "failed"; "" if
   *   it did, or if something else was wished meanwhile
   */
  async set(mode, send) {
    if (mode === "off" || !this.voice) this.stop();
    const wish = ++this.#wish;
    try {
      if (mode === "off") await send(null);
      else if (this.voice) await this.#change(mode, send);
      else await this.#start(mode, send, () => wish === this.#wish);
      return "";
    } catch (error) {
      if (wish !== this.#wish) return "";
      this.stop();
      await send(null);
      return error?.reason ?? "failed";
    }
  }

  /** Let the microphone go. */
  stop() {
    this.#wish += 1;
    this.voice?.stop();
    this.voice = null;
  }

  async #start(mode, send, wanted) {
    const voice = await this.#make();
    if (!wanted()) return;
    voice.addEventListener("lost", () => this.#fail(voice, "lost"));
    voice.addEventListener("trouble", ({ detail }) => this.#fail(voice, detail?.reason ?? "failed"));
    this.voice = voice;
    const stream = await voice.start({ mode });
    if (wanted()) await send(stream.getAudioTracks()[0]);
  }

  /** Also while it is starting: the track is the same in every mode, and the first wish no longer sends it. */
  async #change(mode, send) {
    const { voice } = this;
    await voice.change(mode);
    if (this.voice === voice) await send(voice.stream.getAudioTracks()[0]);
  }

  #fail(voice, why) {
    if (this.voice !== voice) return;
    this.stop();
    this.dispatchEvent(new CustomEvent("trouble", { detail: { why } }));
  }
}
