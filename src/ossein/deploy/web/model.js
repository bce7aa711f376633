// A model that `ossein export` wrote, run by onnxruntime-web.

import * as ort from "./ort/ort.wasm.bundle.min.mjs";
import { readMetadata } from "./metadata.js";
import { resample, testWindows } from "./resample.js";

ort.env.wasm.numThreads = 1;
// The script that loads it is part of the bundle.
ort.env.wasm.wasmPaths = { wasm: new URL("./ort/ort-wasm-simd-threaded.wasm", import.meta.url).href };

/** Windows in one run of the model; more would need more memory, not less time. */
const BATCH = 16;

export class Model {
  /**
   * @param {ort.InferenceSession} session
   * @param {object} said the metadata
   */
  constructor(session, said) {
    this.session = session;
    this.said = said;
    this.classes = said.classes;
  }

  /**
   * @param {ArrayBuffer} file an `.onnx` file
   * @returns {Promise<Model>}
   */
  static async load(file) {
    const bytes = new Uint8Array(file);
    const text = readMetadata(bytes).get("ossein");
    if (text === undefined) throw new Error("This file was not written by 'ossein export'.");
    const said = JSON.parse(text);
    if (said.format !== "ossein-graph" || said.version !== 1) {
      throw new Error(`This page reads version 1 of ossein's models, not ${said.version}. Use the page of your ossein.`);
    }
    return new Model(await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] }), said);
  }

  /** Why a recording cannot be given to the model, or null where it can. */
  problem(recording) {
    const { skeleton, dims, inputs } = this.said;
    if (recording.joints !== skeleton.joints.length || recording.dims !== dims) {
      return (
        `The recording has ${recording.joints} joints in ${recording.dims}-D; ` +
        `the model knows ${skeleton.joints.length} (${skeleton.name}) in ${dims}-D.`
      );
    }
    return inputs.includes("size") && !recording.size
      ? "The recording does not say the size of its image, which this model needs: add width and height."
      : null;
  }

  /**
   * Class probabilities of a whole recording, as `ossein predict` gives them.
   *
   * @returns {Promise<number[]>}
   */
  async whole(recording) {
    const rows = await this.run(recording, testWindows(recording.frames, this.said.input));
    return this.classes.map((_, k) => rows.reduce((sum, row) => sum + row[k], 0) / rows.length);
  }

  /**
   * Class probabilities of windows of a recording.
   *
   * @param {object} recording see recording.js
   * @param {{start: number, width: number}[]} windows
   * @returns {Promise<Float32Array[]>} one row of K for each
   */
  async run(recording, windows) {
    const rows = [];
    for (let first = 0; first < windows.length; first += BATCH) {
      const some = windows.slice(first, first + BATCH);
      const { probability } = await this.session.run(this.inputs(recording, some));
      const K = this.classes.length;
      some.forEach((_, n) => rows.push(probability.data.slice(n * K, (n + 1) * K)));
    }
    return rows;
  }

  inputs(recording, windows) {
    const { frames: T, persons: M } = this.said.input;
    const { x, score } = resample(recording, windows, this.said.input);
    const shape = [windows.length, M, T, recording.joints];
    const given = { x: new ort.Tensor("float32", x, [...shape, recording.dims]), score: new ort.Tensor("float32", score, shape) };
    if (this.said.inputs.includes("size")) {
      const sizes = new Float32Array(windows.flatMap(() => recording.size));
      given.size = new ort.Tensor("float32", sizes, [windows.length, 2]);
    }
    return given;
  }
}
