// What the other browser says, checked before anything is done with it: kinds, sizes, types, ranges. Anything else is null.

import { EMOTIONS } from "./emotion-record.js";

const LONGEST_MESSAGE = 2048;
const LONGEST_NAME = 60;
const LATEST = 1e6; // seconds: eleven days
const VOICES = ["natural", "masked", "off"];

/**
 * A name as it may be shown: one line, without characters that are invisible or change the direction of what follows.
 * @param {unknown} text
 * @returns {string} "" if nothing is left
 */
export function cleanName(text) {
  if (typeof text !== "string") return "";
  const plain = text.slice(0, 400).normalize("NFC").replace(/\s+/gu, " ").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").trim();
  return [...plain].slice(0, LONGEST_NAME).join("").trim();
}

/**
 * @typedef {object} Sharing what the patient says is shared
 * @property {"natural" | "masked" | "off"} voice
 * @property {boolean} emotions
 * @property {boolean} hidden the patient's page is in the background
 */

/**
 * A message of the control channel of either side.
 * @param {unknown} text
 * @returns {{kind: "sharing", sharing: Sharing, time: number | null} | {kind: "alive", time: number | null}
 *   | {kind: "microphone", on: boolean} | {kind: "ended"} | {kind: "bye"} | null}
 */
export function readControl(text) {
  const message = parsed(text);
  if (message?.kind === "ended" || message?.kind === "bye") return { kind: message.kind };
  if (message?.kind === "microphone" && typeof message.on === "boolean") return { kind: "microphone", on: message.on };
  const time = within(message?.time, 0, LATEST) ? message.time : null;
  if (message?.kind === "alive") return { kind: "alive", time };
  if (message?.kind !== "sharing") return null;
  const { voice, emotions, hidden } = message;
  if (!VOICES.includes(voice) || typeof emotions !== "boolean" || typeof hidden !== "boolean") return null;
  return { kind: "sharing", sharing: { voice, emotions, hidden }, time };
}

/**
 * A row of the emotion channel.
 * @param {unknown} text
 * @returns {{time: number, seen: boolean, confidence: number, emotions: Record<string, number> | null} | null}
 *   time in seconds of the patient's session; the emotions' probabilities, null where there is no estimate
 */
export function readRow(text) {
  const row = parsed(text);
  if (!row || !within(row.time, 0, LATEST) || typeof row.seen !== "boolean" || !within(row.confidence, 0, 1)) return null;
  const { time, seen, confidence } = row;
  if (row.emotions === null) return { time, seen, confidence, emotions: null };
  if (typeof row.emotions !== "object") return null;
  const values = EMOTIONS.map((name) => (Object.hasOwn(row.emotions, name) ? row.emotions[name] : NaN));
  const sum = values.reduce((total, value) => total + (within(value, 0, 1) ? value : NaN), 0);
  if (!within(sum, 0.97, 1.03)) return null;
  return { time, seen, confidence, emotions: Object.fromEntries(EMOTIONS.map((name, i) => [name, values[i]])) };
}

function parsed(text) {
  if (typeof text !== "string" || text.length > LONGEST_MESSAGE) return null;
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

function within(value, least, most) {
  return typeof value === "number" && value >= least && value <= most;
}

/** Lets so many messages a second through; the rest is not even looked at. */
export class Gate {
  #rate;
  #left;
  #then = performance.now();

  /** @param {number} rate per second, also at once */
  constructor(rate) {
    this.#rate = this.#left = rate;
  }

  /** @returns {boolean} whether this one may pass */
  pass() {
    const now = performance.now();
    this.#left = Math.min(this.#rate, this.#left + ((now - this.#then) / 1000) * this.#rate);
    this.#then = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
