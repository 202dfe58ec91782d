// The code of a room and what follows from it: the room's number for the relay, and the seal on all that is said there.
//
// The code never leaves the two browsers. The relay knows a hash of it and carries messages it can neither read nor forge.

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's base32: no i, l, o, u
const CODE_LENGTH = 20; // 100 random bits
const VERSION = 1;
const ID_BYTES = 16;
const IV_BYTES = 12;
const HEADER_BYTES = 1 + ID_BYTES + ID_BYTES + 4 + IV_BYTES;
const MOST_CHARACTERS = 48 * 1024; // of one sealed message: what the relay carries at most
const MOST_SENDERS = 200; // pages met in the life of a room; each reload of the other page is a new one

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * A fresh code of 100 random bits: "abcde-fghjk-mnpqr-stvwx".
 * @returns {string}
 */
export function makeCode() {
  const values = crypto.getRandomValues(new Uint8Array(CODE_LENGTH));
  return grouped(Array.from(values, (value) => ALPHABET[value & 31]).join(""));
}

/**
 * The code somebody typed or followed, as `makeCode` writes it. Case, spaces and dashes do not matter, nor do the letters
 * people mistake for digits.
 * @param {string} text
 * @returns {string | null} null if it cannot be a code
 */
export function readCode(text) {
  const plain = text.toLowerCase().replace(/[\s\-\u2010-\u2015]/g, "").replace(/o/g, "0").replace(/[il]/g, "1");
  const valid = plain.length === CODE_LENGTH && [...plain].every((letter) => ALPHABET.includes(letter));
  return valid ? grouped(plain) : null;
}

const grouped = (plain) => plain.match(/.{5}/g).join("-");

/**
 * What the relay calls the room: a hash, from which the code cannot be found.
 * @param {string} code
 * @returns {Promise<string>} 43 characters
 */
export async function roomNumber(code) {
  return toBase64url(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(`mien room ${code}`))));
}

/**
 * 43 random characters: what a page proves with that it is the one that opened the room.
 * @returns {string}
 */
export function makeKey() {
  return toBase64url(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Seals what one page says to one other, and opens what it hears. A message is bound to its sender's role, to both pages
 * and to its place in the sequence, so that it cannot be altered, sent back to where it came from, repeated, or
 * carried over from an earlier meeting.
 *
 * On the wire, base64url of: version (1 byte), sender (16), receiver (16, zero: whoever is there), sequence (4, big
 * endian), nonce (12), AES-256-GCM ciphertext and tag of the JSON.
 */
export class Seal {
  #key;
  #role;
  #sequence = 0;
  #heard = new Map(); // sender → last sequence

  /**
   * @param {CryptoKey} key
   * @param {"patient" | "clinician"} role of this page
   */
  constructor(key, role) {
    this.#key = key;
    this.#role = role;
    this.id = toBase64url(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
  }

  /**
   * @param {string} code
   * @param {"patient" | "clinician"} role
   * @returns {Promise<Seal>}
   */
  static async from(code, role) {
    const secret = await crypto.subtle.importKey("raw", encoder.encode(code), "HKDF", false, ["deriveKey"]);
    const key = await crypto.subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode("mien signalling") },
      secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"],
    );
    return new Seal(key, role);
  }

  /**
   * @param {object} body
   * @param {string | null} to the receiver's id; null: whoever is there, before one knows who
   * @returns {Promise<string>}
   */
  async seal(body, to) {
    const header = new Uint8Array(HEADER_BYTES);
    header[0] = VERSION;
    header.set(fromBase64url(this.id), 1);
    if (to) header.set(fromBase64url(to), 1 + ID_BYTES);
    new DataView(header.buffer).setUint32(1 + 2 * ID_BYTES, ++this.#sequence);
    const iv = crypto.getRandomValues(header.subarray(HEADER_BYTES - IV_BYTES));
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: bound(this.#role, header) }, this.#key, encoder.encode(JSON.stringify(body)),
    );
    const message = new Uint8Array(HEADER_BYTES + sealed.byteLength);
    message.set(header);
    message.set(new Uint8Array(sealed), HEADER_BYTES);
    return toBase64url(message);
  }

  /**
   * @param {unknown} data as it came from the relay
   * @returns {Promise<{from: string, to: string | null, body: {kind: string}}>}
   * @throws {Error} if it is not what the other page sealed for this one, or was heard before
   */
  async open(data) {
    if (typeof data !== "string" || data.length > MOST_CHARACTERS) throw new Error("not a sealed message");
    const message = fromBase64url(data);
    if (message.length < HEADER_BYTES || message[0] !== VERSION) throw new Error("not a sealed message");
    const header = message.subarray(0, HEADER_BYTES);
    const other = this.#role === "patient" ? "clinician" : "patient";
    const iv = header.subarray(HEADER_BYTES - IV_BYTES);
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv, additionalData: bound(other, header) }, this.#key, message.subarray(HEADER_BYTES),
    );
    const from = toBase64url(header.subarray(1, 1 + ID_BYTES));
    const receiver = header.subarray(1 + ID_BYTES, 1 + 2 * ID_BYTES);
    const to = receiver.some((byte) => byte !== 0) ? toBase64url(receiver) : null;
    if (to !== null && to !== this.id) throw new Error("sealed for another page");
    this.#refuseRepeats(from, new DataView(header.buffer, header.byteOffset).getUint32(1 + 2 * ID_BYTES));
    const body = JSON.parse(decoder.decode(plain));
    if (typeof body?.kind !== "string") throw new Error("a message without a kind");
    return { from, to, body };
  }

  #refuseRepeats(from, sequence) {
    if (sequence <= (this.#heard.get(from) ?? 0)) throw new Error("heard before");
    if (!this.#heard.has(from) && this.#heard.size >= MOST_SENDERS) throw new Error("too many pages");
    this.#heard.set(from, sequence);
  }
}

/** What the seal vouches for besides the text: whose role, and the header up to the nonce. */
function bound(role, header) {
  const words = encoder.encode(`mien signalling ${role} `);
  const data = new Uint8Array(words.length + HEADER_BYTES - IV_BYTES);
  data.set(words);
  data.set(header.subarray(0, HEADER_BYTES - IV_BYTES), words.length);
  return data;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBase64url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * @param {string} text
 * @returns {Uint8Array}
 * @throws {DOMException} if it is not base64url
 */
export function fromBase64url(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}
