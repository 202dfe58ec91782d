// Elements made by script: tag, attributes, children.

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
