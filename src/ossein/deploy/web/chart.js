// The course of class probabilities over a recording: one curve for each class on a canvas, with a cursor at the moment.

const PAD = { left: 46, right: 10, top: 8, bottom: 20 };

export class Chart {
  /**
   * @param {HTMLCanvasElement} canvas
   */
  constructor(canvas) {
    this.canvas = canvas;
    this.curves = [];
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /**
   * @param {{colour: string, points: [number, number][]}[]} curves points are (frame, probability); a colour is a CSS variable
   * @param {number} frames of the recording
   * @param {number} rate frames per second
   */
  show(curves, frames, rate) {
    Object.assign(this, { curves, frames, rate });
    this.draw();
  }

  seek(frame) {
    this.frame = frame;
    this.draw();
  }

  draw() {
    if (!this.frames) return;
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name);
    const x = (frame) => PAD.left + (frame / Math.max(1, this.frames - 1)) * (canvas.clientWidth - PAD.left - PAD.right);
    const y = (p) => PAD.top + (1 - p) * (canvas.clientHeight - PAD.top - PAD.bottom);
    this.grid(pen, x, y, colour);
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    for (const { colour: name, points } of this.curves) line(pen, points.map(([frame, p]) => [x(frame), y(p)]), colour(name));
    pen.lineWidth = 1;
    line(pen, [[x(this.frame), y(0)], [x(this.frame), y(1)]], colour("--text"));
  }

  grid(pen, x, y, colour) {
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = colour("--dim");
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    pen.lineWidth = 1;
    for (const p of [0, 0.5, 1]) {
      pen.fillText(`${100 * p} %`, PAD.left - 4, y(p));
      line(pen, [[x(0), y(p)], [x(this.frames - 1), y(p)]], colour("--line"));
    }
    pen.textBaseline = "alphabetic";
    pen.textAlign = "left";
    pen.fillText("0 s", x(0), y(0) + 15);
    pen.textAlign = "right";
    pen.fillText(`${(this.frames / this.rate).toFixed(1)} s`, x(this.frames - 1), y(0) + 15);
  }
}

function line(pen, points, colour) {
  pen.strokeStyle = colour;
  pen.beginPath();
  points.forEach((point, i) => (i ? pen.lineTo(...point) : pen.moveTo(...point)));
  pen.stroke();
}
