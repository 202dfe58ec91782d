/** Files dropped on a page. */

/**
 * Let files be dropped on an element, which gets data-dropping while one hovers.
 * @param {HTMLElement} place
 * @param {(file: File) => unknown} take
 */
export function takeDrops(place, take) {
  const hover = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    place.dataset.dropping = "";
  };
  place.addEventListener("dragenter", hover);
  place.addEventListener("dragover", hover);
  place.addEventListener("dragleave", (event) => {
    if (!place.contains(/** @type {Node | null} */ (event.relatedTarget))) delete place.dataset.dropping;
  });
  place.addEventListener("drop", (event) => {
    delete place.dataset.dropping;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    take(file);
  });
}

/** A file dropped beside its place would be opened instead of the page, and end what goes on there. */
export function keepStrayFilesOut() {
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
}
