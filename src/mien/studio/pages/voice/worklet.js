// The mask where the audio thread runs it. Anything that goes wrong in here makes the node silent for good.
import { Mask } from "./mask.js";

const TAIL = 96; // blocks without input until all has sounded

class VoiceMask extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.mask = new Mask(sampleRate, processorOptions.seed);
    this.nothing = new Float32Array(128);
    this.idle = TAIL;
  }

  process(inputs, outputs) {
    const input = inputs[0][0], output = outputs[0][0];
    this.idle = input ? 0 : this.idle + 1;
    if (this.idle < TAIL) this.mask.process(input ?? this.nothing, output);
    return true;
  }
}

registerProcessor("voice-mask", VoiceMask);
