// Draws a recording on a canvas: one frame at a time, from any side where it is 3-D.

const FAINT = 0.35; // of persons after the first, whom a model of one person does not see
const MARGIN = 0.08; // of the canvas, left free on every side
const TURN = 0.01; // radians for each pixel that is dragged

export class Player {
  /**
   * @param {HTMLCanvasElement} canvas
   */
  constructor(canvas) {
    this.canvas = canvas;
    this.recording = null;
    this.frame = 0;
    this.turn = { yaw: 0, pitch: 0 };
    // A drag goes on where the pointer leaves the canvas.
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => event.buttons && this.drag(event.movementX, event.movementY));
    canvas.addEventListener("dblclick", () => this.face(0, 0));
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /**
   * @param {object} recording see recording.js
   * @param {object} skeleton of the model's metadata: bones, pairs of left and right joints, up
   */
  show(recording, skeleton) {
    this.recording = recording;
    this.bones = skeleton.bones;
    this.side = sides(skeleton, recording.joints);
    this.axes = axes(recording, skeleton);
    this.bounds = bounds(recording);
    this.face(0, 0);
    this.seek(0);
  }

  seek(frame) {
    this.frame = frame;
    this.draw();
  }

  drag(right, down) {
    if (this.recording?.dims === 3) this.face(this.turn.yaw + right * TURN, this.turn.pitch + down * TURN);
  }

  face(yaw, pitch) {
    this.turn = { yaw, pitch: Math.max(-Math.PI / 2, Math.min(Math.PI / 2, pitch)) };
    this.draw();
  }

  draw() {
    if (!this.recording) return;
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.lineCap = "round";
    const style = getComputedStyle(canvas);
    const colours = ["--middle", "--left", "--right"].map((name) => style.getPropertyValue(name));
    for (let m = this.recording.persons - 1; m >= 0; m--) this.person(pen, m, colours, width, height);
  }

  person(pen, m, colours, width, height) {
    const { joints: V, frames: L, score } = this.recording;
    const first = (m * L + this.frame) * V;
    const seen = (v) => score[first + v] > 0;
    const at = Array.from({ length: V }, (_, v) => (seen(v) ? this.project(first + v, width, height) : null));
    const thick = Math.max(2, Math.min(width, height) / 110);
    const strength = m === 0 ? 1 : FAINT;
    for (const [a, b] of this.bones) {
      if (!seen(a) || !seen(b)) continue;
      pen.globalAlpha = strength * sure(score[first + a], score[first + b]);
      pen.strokeStyle = colours[common(this.side[a], this.side[b])];
      pen.lineWidth = thick;
      pen.beginPath();
      pen.moveTo(...at[a]);
      pen.lineTo(...at[b]);
      pen.stroke();
    }
    at.forEach((point, v) => {
      if (!point) return;
      pen.globalAlpha = strength * sure(score[first + v], 1);
      pen.fillStyle = colours[this.side[v]];
      pen.beginPath();
      pen.arc(...point, thick * 1.1, 0, 2 * Math.PI);
      pen.fill();
    });
  }

  /** Where on the canvas a joint lies. */
  project(joint, width, height) {
    const { x, dims: C } = this.recording;
    const { middle, radius, box } = this.bounds;
    const away = middle.map((value, c) => x[joint * C + c] - value);
    const fit = 1 - 2 * MARGIN;
    if (C === 2) {
      const scale = fit * Math.min(width / box[0], height / box[1]);
      return [width / 2 + scale * away[0], height / 2 + scale * away[1]];
    }
    const [right, up, near] = this.axes.map((axis) => axis.reduce((sum, value, c) => sum + value * away[c], 0));
    const { yaw, pitch } = this.turn;
    const turned = [right * Math.cos(yaw) + near * Math.sin(yaw), near * Math.cos(yaw) - right * Math.sin(yaw)];
    const scale = (fit * Math.min(width, height)) / (2 * radius);
    return [width / 2 + scale * turned[0], height / 2 - scale * (up * Math.cos(pitch) - turned[1] * Math.sin(pitch))];
  }
}

function sure(a, b) {
  return 0.25 + 0.75 * Math.min(a, b);
}

/** The side of a bone: that of both ends, or of the one that is on a side; the middle where it leads across. */
function common(a, b) {
  return a && b && a !== b ? 0 : a || b;
}

/** For each joint 1 on the left, 2 on the right, 0 in the middle. */
function sides(skeleton, joints) {
  const side = new Array(joints).fill(0);
  for (const [left, right] of skeleton.pairs ?? []) [side[left], side[right]] = [1, 2];
  return side;
}

/** Right, up and towards the viewer as axes of the data: up is the axis along which bodies stand. */
function axes(recording, skeleton) {
  if (recording.dims === 2) return null;
  const rise = skeleton.up ? standing(recording, skeleton.up) : [0, 1, 0];
  const k = rise.reduce((best, value, c) => (Math.abs(value) > Math.abs(rise[best]) ? c : best), 0);
  const sign = rise[k] < 0 ? -1 : 1;
  const unit = (c, value) => [0, 1, 2].map((i) => (i === c ? value : 0));
  // Right-handed whichever axis is up, so that nobody is seen in a mirror; cameras look along z, and so does the viewer.
  if (k === 1) return [unit(0, -sign), unit(1, sign), unit(2, -1)];
  return [unit(k === 0 ? 1 : 0, 1), unit(k, sign), unit(k === 0 ? 2 : 1, -sign)];
}

/** The mean vector from the lower to the upper joints of all persons and frames. */
function standing({ persons: M, frames: L, joints: V, x, score }, [lower, upper]) {
  const rise = [0, 0, 0];
  for (let row = 0; row < M * L; row++) {
    const here = (joint) => score[row * V + joint] > 0;
    if (!lower.every(here) || !upper.every(here)) continue;
    const mean = (joints, c) => joints.reduce((sum, v) => sum + x[(row * V + v) * 3 + c], 0) / joints.length;
    rise.forEach((_, c) => (rise[c] += mean(upper, c) - mean(lower, c)));
  }
  return rise;
}

/** The middle and the extent of everything that is seen in any frame. */
function bounds({ x, score, dims: C }) {
  const [low, high] = [new Array(C).fill(Infinity), new Array(C).fill(-Infinity)];
  for (let joint = 0; joint < score.length; joint++) {
    if (score[joint] <= 0) continue;
    for (let c = 0; c < C; c++) {
      low[c] = Math.min(low[c], x[joint * C + c]);
      high[c] = Math.max(high[c], x[joint * C + c]);
    }
  }
  const box = low.map((value, c) => high[c] - value || 1);
  return { middle: low.map((value, c) => (value + high[c]) / 2), box, radius: Math.hypot(...box) / 2 };
}
