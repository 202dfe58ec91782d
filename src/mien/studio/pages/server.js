/** Asks the studio's own server, with errors that can be shown as they are. */

import { t } from "./text.js";

/** What the server refused, or that it did not answer; `message` is one readable sentence. */
export class ServerError extends Error {
  /** @param {string} message @param {number} status of HTTP; 0 where there was no answer */
  constructor(message, status) {
    super(message);
    this.name = "ServerError";
    this.status = status;
  }
}

/** @param {string} path @returns {Promise<any>} the JSON there */
export async function get(path) {
  return (await answered(path, {})).json();
}

/** @param {string} path @returns {Promise<Blob>} the file there */
export async function getFile(path) {
  return (await answered(path, {})).blob();
}

/**
 * @param {"POST" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {object | Blob | null} [body] an object goes as JSON, a Blob as its bytes
 * @returns {Promise<any>} the JSON of the answer, null where it has none
 */
export async function send(method, path, body = null) {
  const raw = body instanceof Blob;
  const answer = await answered(path, {
    method,
    headers: body && !raw ? { "content-type": "application/json" } : {},
    body: body && !raw ? JSON.stringify(body) : body,
  });
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

/**
 * Send a file, and hear how far it is: a fetch does not tell.
 * @param {string} path
 * @param {Blob} file
 * @param {{onShare?: (share: number) => void, signal?: AbortSignal}} [options] `onShare`: 0 to 1 of it is sent
 * @returns {Promise<any>} the JSON of the answer; rejects with a ServerError, or an AbortError where `signal` said so
 */
export function upload(path, file, { onShare = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => total && onShare(loaded / total));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(new ServerError(refusal(request.status, request.responseText), request.status));
    });
    request.addEventListener("error", () => reject(new ServerError(t("state.gone.title"), 0)));
    request.addEventListener("abort", () => reject(new DOMException("sending was cancelled", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.open("POST", path);
    request.send(file);
  });
}

/** @param {string} path @param {RequestInit} request @returns {Promise<Response>} */
async function answered(path, request) {
  const answer = await fetch(path, { ...request, cache: "no-store" }).catch(() => null);
  if (answer === null) throw new ServerError(t("state.gone.title"), 0);
  if (!answer.ok) throw new ServerError(refusal(answer.status, await answer.text()), answer.status);
  return answer;
}

/**
 * The server's own sentence for a refusal, ours where it sent none.
 * @param {number} status
 * @param {string} text what came as its body
 */
export function refusal(status, text) {
  try {
    const { error } = JSON.parse(text);
    if (typeof error === "string" && error) return error;
  } catch {
    // not JSON: the guard's plain refusals
  }
  return t(status === 401 || status === 403 ? "state.token" : "state.failed", { status });
}
