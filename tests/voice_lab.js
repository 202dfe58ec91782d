// The lab's side of the page: what tests and benchmarks call by name. Sounds travel as base64 of 32-bit floats.
import { Mask } from "/voice/mask.js";
const decode = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
function encode(values) {
  const bytes = new Uint8Array(new Float32Array(values).buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}
function run(mask, input) {
  const output = new Float32Array(Math.floor(input.length / 128) * 128), f0 = [];
  const block = new Float32Array(128), made = new Float32Array(128);
  for (let at = 0; at + 128 <= input.length; at += 128) {
    block.set(input.subarray(at, at + 128));
    mask.process(block, made);
    output.set(made, at);
    f0.push(mask.f0);
  }
  return { output, f0 };
}
window.masked = ({ sound, rate, seed }) => {
  const mask = new Mask(rate, seed), input = decode(sound);
  const { output, f0 } = run(mask, input);
  const { pitch, tract, range } = mask.character;
  return {
    sound: encode(output),
    f0: encode(f0),
    latency: mask.latency / rate,
    pitch,
    tract,
    range,
    factor: mask.shape.factor,
    source: encode(mask.shape.source),
    bin: mask.shape.bin,
    known: { pitch: mask.speaker.pitch, tract: mask.speaker.tract },
  };
};
window.cost = ({ sound, rate, seed, rounds }) => {
  const input = decode(sound), mask = new Mask(rate, seed), seconds = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    run(mask, input);
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds;
};
window.rendered = async ({ sound, rate, seed }) => {
  const input = decode(sound), context = new OfflineAudioContext(1, input.length, rate);
  await context.audioWorklet.addModule("/voice/worklet.js");
  const node = new AudioWorkletNode(context, "voice-mask", { processorOptions: { seed }, outputChannelCount: [1] });
  const buffer = new AudioBuffer({ length: input.length, sampleRate: rate });
  buffer.copyToChannel(input, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  source.start();
  return encode((await context.startRendering()).getChannelData(0));
};
const asked = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.microphones = [];
navigator.mediaDevices.getUserMedia = async (wish) => {
  window.wish = wish;
  if (window.slow) await new Promise((done) => setTimeout(done, window.slow));
  if (window.refusal) throw new DOMException("made by the test", window.refusal);
  // As the fake device plays it: no processing, so that the test knows what it hears.
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await asked({ audio: raw });
  window.microphones.push(...stream.getTracks());
  return stream;
};
window.live = () => window.microphones.filter((track) => track.readyState === "live").length;
window.record = async (stream) => {
  const context = new AudioContext(), blocks = [];
  await context.audioWorklet.addModule("/recorder.js");
  const node = new AudioWorkletNode(context, "recorder");
  node.port.onmessage = ({ data }) => blocks.push(data);
  new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(node);
  return {
    rate: context.sampleRate,
    // What is made, not what has got here: messages may queue.
    now: () => context.currentTime - (blocks[0]?.time ?? context.currentTime),
    async end() {
      await context.close();
      await new Promise((done) => setTimeout(done, 50));
      const all = new Float32Array(blocks.length * 128);
      blocks.forEach(({ sound }, i) => all.set(sound, i * 128));
      return encode(all);
    },
  };
};
window.ready = true;
