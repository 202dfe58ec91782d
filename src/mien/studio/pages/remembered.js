/** Small choices that outlive a visit: in this browser alone, and nowhere if it keeps nothing. */

/** @param {string} name @returns {string | null} */
export function remembered(name) {
  try {
    return localStorage.getItem(`mien.${name}`);
  } catch {
    return null; // a browser told to keep nothing refuses even to look
  }
}

/** @param {string} name @param {string} value */
export function remember(name, value) {
  try {
    localStorage.setItem(`mien.${name}`, value);
  } catch {
    // then the choice lasts as long as the page
  }
}
