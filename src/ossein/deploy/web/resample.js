// Windows of a recording at the length a model takes, as ossein's `sample_test` makes them.
//
// A recording is { frames, persons, joints, dims, x, score, size }: x is a Float32Array [M T V C], score one of [M T V].

/** Where two positions are this near they are the same, so that rounding never mixes in a neighbour. */
const SNAP = 1e-6;

/**
 * The test windows of a whole recording: one in its middle, or several spread evenly from start to end.
 *
 * @param {number} length frames of the recording, L
 * @param {{share: number, views: number}} input of the model's metadata
 * @returns {{start: number, width: number}[]} in frames, which may be fractions
 */
export function testWindows(length, { share, views }) {
  const width = Math.max(1, share * length);
  const places = views > 1 ? Array.from({ length: views }, (_, i) => i / (views - 1)) : [0.5];
  return places.map((place) => ({ start: place * (length - width), width }));
}

/**
 * Windows of one width that slide over a recording, each around a frame and within the recording.
 *
 * @param {number} length frames of the recording
 * @param {number} width frames of a window
 * @param {number} most how many windows at most
 * @returns {{start: number, width: number, middle: number}[]}
 */
export function slidingWindows(length, width, most) {
  const wide = Math.min(Math.max(1, width), length);
  const count = Math.max(1, Math.min(most, length));
  return Array.from({ length: count }, (_, i) => {
    const middle = count > 1 ? (i * (length - 1)) / (count - 1) : (length - 1) / 2;
    const start = Math.min(Math.max(0, middle - (wide - 1) / 2), length - wide);
    return { start, width: wide, middle };
  });
}

/**
 * Windows as one batch for the model: T positions lie evenly over each window, joints between two frames are interpolated
 * where both are there, and the other one is taken where one is absent.
 *
 * @param {object} recording see above
 * @param {{start: number, width: number}[]} windows N of them
 * @param {{frames: number, persons: number}} input of the model's metadata; persons beyond those of the recording are absent
 * @returns {{x: Float32Array, score: Float32Array}} [N M T V C] and [N M T V]
 */
export function resample(recording, windows, { frames, persons }) {
  const { joints: V, dims: C } = recording;
  const x = new Float32Array(windows.length * persons * frames * V * C);
  const score = new Float32Array(windows.length * persons * frames * V);
  windows.forEach((window, n) => {
    const places = positions(window, frames, recording.frames);
    for (let m = 0; m < Math.min(persons, recording.persons); m++) {
      places.forEach((place, t) => between(recording, m, place, x, score, ((n * persons + m) * frames + t) * V));
    }
  });
  return { x, score };
}

/** For each of T positions the frame before it, the frame after it, and how far it is on the way. */
function positions({ start, width }, frames, length) {
  return Array.from({ length: frames }, (_, t) => {
    const step = frames > 1 ? t / (frames - 1) : 0.5;
    let place = start + step * (width - 1);
    if (Math.abs(place - Math.round(place)) < SNAP) place = Math.round(place);
    const low = Math.min(Math.max(Math.floor(place), 0), length - 1);
    return { low, high: Math.min(low + 1, length - 1), share: Math.fround(place - low) };
  });
}

/** All joints of a person at one position, written from joint `to` on. */
function between(recording, person, { low, high, share }, x, score, to) {
  const { frames: L, joints: V, dims: C } = recording;
  for (let v = 0; v < V; v++) {
    const before = (person * L + low) * V + v;
    const after = (person * L + high) * V + v;
    const [here, next] = [recording.score[before], recording.score[after]];
    const a = next <= 0 || share <= 0 ? 0 : here > 0 ? share : 1;
    score[to + v] = here + a * (next - here);
    for (let c = 0; c < C; c++) {
      const [from, until] = [recording.x[before * C + c], recording.x[after * C + c]];
      x[(to + v) * C + c] = from + a * (until - from);
    }
  }
}
