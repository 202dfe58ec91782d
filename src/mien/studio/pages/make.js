// Elements made by script: tag, attributes, children; what is in a place exchanged without losing the keyboard's; texts.

/**
 * @param {string} tag
 * @param {Record<string, string | boolean | EventListener>} [attributes] `onclick` and the like listen; true sets an
 *   attribute without a value, false leaves it out
 * @param {...(Node | string)} children strings become text, never markup
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/**
 * Put other content in a place. If the keyboard was in there, it goes on at a heading and not at the top of the page.
 * @param {HTMLElement} place
 * @param {Node[]} parts
 * @param {ParentNode} [next] where that heading is
 */
export function exchange(place, parts, next = place) {
  const inside = place.contains(document.activeElement);
  place.replaceChildren(...parts);
  const heading = next.querySelector("h1, h2");
  if (!inside || !heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/**
 * Change a text where it is another. The same text written again would have the page laid out and painted anew.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
