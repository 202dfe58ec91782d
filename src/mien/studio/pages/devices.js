// Why a browser gave no camera or no microphone.

const REASONS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "busy",
  AbortError: "busy",
};

/**
 * What keeps a device from being had, by the error of `getUserMedia`.
 * @param {Error} error
 * @returns {"refused" | "none" | "busy"}
 */
export function reasonOf(error) {
  return REASONS[error.name] ?? "busy";
}
