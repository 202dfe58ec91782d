// Runs in the live page before its own scripts: notes when each camera frame could first be seen there, and when the
// avatar's picture made from it was on the canvas, by the number that both carry (benchmarks/marker.py).
(() => {
  const SIDE = 4;
  const ROWS = 30;
  const seen = [];
  const drawn = [];
  const eye = new OffscreenCanvas(SIDE * 4, SIDE * 4).getContext("2d", { willReadFrequently: true });

  /** The number in the corner of a picture; -1 where there is none. */
  function read(image, height) {
    const corner = SIDE * Math.round(height / ROWS);
    eye.drawImage(image, 0, 0, corner, corner, 0, 0, SIDE * 4, SIDE * 4);
    const { data } = eye.getImageData(0, 0, SIDE * 4, SIDE * 4);
    let value = 0;
    for (let bit = 0; bit < SIDE * SIDE; bit++) {
      const [x, y] = [(bit % SIDE) * 4 + 1, Math.floor(bit / SIDE) * 4 + 1];
      let light = 0;
      for (const [right, down] of [[0, 0], [1, 0], [0, 1], [1, 1]]) light += data[((y + down) * SIDE * 4 + x + right) * 4 + 1];
      value |= (light > 510) << bit;
    }
    const number = value >> 4;
    return (value & 15) === ((number ^ (number >> 4) ^ (number >> 8) ^ 0b1010) & 15) ? number : -1;
  }

  const { requestVideoFrameCallback } = HTMLVideoElement.prototype;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
    return requestVideoFrameCallback.call(this, (now, metadata) => {
      const at = performance.now();
      callback(now, metadata);
      seen.push([read(this, this.videoHeight), at, metadata.captureTime ?? metadata.presentationTime]);
    });
  };

  const { drawImage } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.drawImage = function (image, ...where) {
    drawImage.call(this, image, ...where);
    if (!(image instanceof ImageBitmap)) return;
    // Taken from the canvas itself, which has to paint it now: a drawing that is only planned does not count.
    const number = read(this.canvas, this.canvas.height);
    drawn.push([number, performance.now()]);
  };

  /** What was noted since the last call. */
  window.takeMarks = () => ({ seen: seen.splice(0), drawn: drawn.splice(0) });
})();
