// A report on its way over a data channel: its size first, then its bytes in pieces, then the thanks.

const CHUNK = 16 * 1024;
const BUFFERED = 512 * 1024; // bytes under way before we wait
/** Bytes of the largest report that is sent or taken. */
export const LARGEST_REPORT = 20 * 1024 * 1024;

/**
 * Send a file, as fast as it is taken.
 * @param {RTCDataChannel} channel
 * @param {Blob} blob
 * @param {(share: number) => void} progress 0 to 1
 * @returns {Promise<void>} when the other side has all of it; rejects when the channel closes before
 */
export async function sendReport(channel, blob, progress) {
  if (blob.size === 0 || blob.size > LARGEST_REPORT) throw new RangeError("a report of that size cannot be sent");
  const { promise: received, resolve } = withResolver();
  channel.onmessage = ({ data }) => data === "received" && resolve();
  const closed = new Promise((_, reject) => {
    const fail = () => reject(new Error("the connection ended before the report was through"));
    channel.addEventListener("close", fail, { once: true });
    if (channel.readyState !== "open") fail();
  });
  await Promise.race([closed, inPieces(channel, blob, progress, closed).then(() => received)]);
}

async function inPieces(channel, blob, progress, closed) {
  channel.bufferedAmountLowThreshold = BUFFERED / 2;
  if (channel.readyState === "open") channel.send(JSON.stringify({ size: blob.size }));
  for (let at = 0; at < blob.size; at += CHUNK) {
    const piece = await blob.slice(at, at + CHUNK).arrayBuffer();
    if (channel.bufferedAmount > BUFFERED) await Promise.race([drained(channel), closed]);
    if (channel.readyState !== "open") return;
    channel.send(piece);
    progress(Math.min(1, (at + CHUNK) / blob.size));
  }
}

const drained = (channel) =>
  new Promise((resolve) => channel.addEventListener("bufferedamountlow", resolve, { once: true }));

function withResolver() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}

/** Puts a report together again. What does not keep to the rules makes it forget everything. */
export class ReportInbox {
  #size = 0;
  #pieces = [];
  #got = 0;

  /** 0 to 1; null while none is on its way. */
  get share() {
    return this.#size ? this.#got / this.#size : null;
  }

  /**
   * @param {unknown} data one message of the channel
   * @returns {Blob | null} the report when it is whole: of no type that a browser would show
   */
  take(data) {
    if (typeof data === "string") this.#begin(data);
    else if (data instanceof ArrayBuffer && this.#size) return this.#add(data);
    return null;
  }

  #begin(text) {
    this.#forget();
    if (text.length > 100) return;
    try {
      const { size } = JSON.parse(text);
      if (Number.isInteger(size) && size > 0 && size <= LARGEST_REPORT) this.#size = size;
    } catch {
      // not a beginning: nothing is awaited
    }
  }

  #add(piece) {
    this.#got += piece.byteLength;
    if (piece.byteLength === 0 || piece.byteLength > CHUNK || this.#got > this.#size) return this.#forget();
    this.#pieces.push(piece);
    if (this.#got < this.#size) return null;
    const report = new Blob(this.#pieces, { type: "application/octet-stream" });
    this.#forget();
    return report;
  }

  #forget() {
    this.#size = this.#got = 0;
    this.#pieces = [];
    return null;
  }
}
