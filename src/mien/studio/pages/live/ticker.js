// A worker that keeps time: browsers slow the timers of a page in the background down, but not those of its workers.

let timer = 0;

self.addEventListener("message", ({ data: milliseconds }) => {
  clearInterval(timer);
  if (milliseconds > 0) timer = setInterval(() => self.postMessage(0), milliseconds);
});
