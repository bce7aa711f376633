// Plays clips on canvases: see ossein.view.player for what the data mean.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  // Numbers [M T row]: differences from frame to frame, zigzag, in one byte or two.
  const numbers = (text, M, T, row) => {
    const from = bytes(text), out = new Int32Array(M * T * row);
    for (let i = 0, k = 0; i < out.length; i++) {
      let code = from[k++];
      if (code > 127) code = (code & 127) | (from[k++] << 7);
      out[i] = ((code >>> 1) ^ -(code & 1)) + (Math.floor(i / row) % T ? out[i - row] : 0);
    }
    return out;
  };

  const bits = (text, size) => {
    const from = bytes(text);
    return Array.from({ length: size }, (_, i) => (from[i >> 3] >> (7 - (i & 7))) & 1);
  };

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue("--" + name).trim();
    return { sides: [of("grey"), of("blue"), of("orange")], grey: of("grey"), pale: of("pale"), ink: of("ink"),
      blue: of("blue"), orange: of("orange"), persons: [1, 2, 3, 4].map((i) => of("person-" + i)) };
  };
  let colour = colours();

  class Panel {
    constructor(film, data, canvas) {
      const { M, T, V, C } = film;
      Object.assign(this, { film, canvas, look: data.look });
      this.q = numbers(data.x, M, T, V * C);
      this.seen = bits(data.seen, M * T * V);
      this.level = data.level ? numbers(data.level, M, T, V) : null;
    }

    // The first frame in which somebody is seen: a small player may stand still, and an empty one looks broken.
    begin() {
      const { T, V } = this.film;
      return Math.floor(Math.max(0, this.seen.indexOf(1)) / V) % T;
    }

    // Where joint v of person m is in frame t: from the middle, and how far away. What is near follows the pointer.
    place(m, t, v, turn) {
      const { T, V, C, low, step, middle, axes } = this.film;
      const at = ((m * T + t) * V + v) * C;
      const p = low.map((least, c) => least + step * this.q[at + c] - middle[c]);
      if (C === 2) return [p[0], p[1], 0];
      const [x, y, z] = axes.map((axis) => axis[0] * p[0] + axis[1] * p[1] + axis[2] * p[2]);
      const [cy, sy, cp, sp] = [Math.cos(turn[0]), Math.sin(turn[0]), Math.cos(turn[1]), Math.sin(turn[1])];
      const far = z * cy + x * sy;
      return [x * cy - z * sy, y * cp - far * sp, y * sp + far * cp];
    }

    draw(t, turn) {
      const { canvas, film } = this, ratio = window.devicePixelRatio || 1;
      const width = canvas.clientWidth;
      if (!width) return;
      const shape = Math.max(0.7, Math.min(1.25, film.half[1] / film.half[0]));
      const height = Math.min(460, shape * width);
      canvas.style.height = height + "px";
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const pen = canvas.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, (width / 2) * ratio, (height / 2) * ratio);
      pen.lineCap = "round";
      const scale = 0.44 * Math.min(width / film.half[0], height / film.half[1]);
      const thick = Math.max(1.6, Math.min(width, height) / 90);
      for (let m = 0; m < film.M; m++) this.body(pen, m, t, turn, scale, thick);
    }

    body(pen, m, t, turn, scale, thick) {
      const { film, look } = this, { V, T, bones } = film, first = (m * T + t) * V;
      const joints = Array.from({ length: V }, (_, v) => this.place(m, t, v, turn).map((c) => c * scale));
      const level = (v) => (this.level ? this.level[first + v] : 0);
      const there = (v) => this.seen[first + v] && !(look === "given" && level(v));
      const lines = bones.filter(([a, b]) => there(a) && there(b)).sort((one, other) => depth(other) - depth(one));
      function depth([a, b]) { return joints[a][2] + joints[b][2]; }
      const stroke = ([a, b], style, width) => {
        pen.strokeStyle = style;
        pen.lineWidth = width;
        pen.beginPath();
        pen.moveTo(joints[a][0], joints[a][1]);
        pen.lineTo(joints[b][0], joints[b][1]);
        pen.stroke();
      };
      const dot = (v, style, radius) => {
        pen.fillStyle = style;
        pen.beginPath();
        pen.arc(joints[v][0], joints[v][1], radius, 0, 7);
        pen.fill();
      };
      if (film.M > 1) {
        pen.globalAlpha = 0.35;
        for (const bone of lines) stroke(bone, colour.persons[m % 4], 4.5 * thick);
        pen.globalAlpha = 1;
      }
      const { side } = film, mark = look === "rebuilt" ? colour.orange : colour.blue;
      const boneColour = ([a, b]) => {
        if (look === "sides") return colour.sides[side[a] === side[b] ? side[a] : 0];
        if (look === "heat") return colour.pale;
        if (look === "given") return colour.grey;
        return level(a) || level(b) ? mark : colour.pale;
      };
      for (const bone of lines) stroke(bone, boneColour(bone), 1.6 * thick);
      for (let v = 0; v < V; v++) {
        if (!this.seen[first + v]) continue;
        if (look === "sides") dot(v, colour.sides[side[v]], 1.3 * thick);
        else if (look === "heat") {
          const share = level(v) / 127;
          dot(v, colour.pale, 1.2 * thick);
          pen.globalAlpha = 0.25 + 0.75 * Math.abs(share);
          if (Math.abs(share) > 0.02) dot(v, share > 0 ? colour.orange : colour.blue, thick * (1.2 + 4 * Math.abs(share)));
          pen.globalAlpha = 1;
        } else if (look === "given" && level(v)) {
          pen.strokeStyle = colour.pale;
          pen.lineWidth = 0.7 * thick;
          pen.beginPath();
          pen.arc(joints[v][0], joints[v][1], 1.3 * thick, 0, 7);
          pen.stroke();
        } else dot(v, level(v) ? mark : look === "given" ? colour.grey : colour.pale, 1.3 * thick);
      }
      if (film.M > 1) this.number(pen, m, joints.filter((_, v) => this.seen[first + v]), thick);
    }

    number(pen, m, joints, thick) {
      if (!joints.length) return;
      const top = joints.reduce((best, joint) => (joint[1] < best[1] ? joint : best));
      pen.fillStyle = colour.persons[m % 4];
      pen.font = `600 ${Math.max(10, 5 * thick)}px system-ui, sans-serif`;
      pen.textAlign = "center";
      pen.fillText(String(m + 1), top[0], top[1] - 4 * thick);
    }
  }

  class Player {
    constructor(root, film) {
      Object.assign(this, { root, film, at: 0, turn: [0, 0], speed: 1, visible: false });
      this.small = root.classList.contains("small");
      this.playing = film.T > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches;
      const canvases = root.querySelectorAll("canvas");
      this.panels = film.panels.map((panel, i) => new Panel(film, panel, canvases[i]));
      if (this.small) this.at = this.panels[0].begin();
      if (film.C === 3) root.classList.add("solid");
      for (const canvas of canvases) this.listen(canvas);
      if (!this.small) this.control();
      new IntersectionObserver((seen) => {
        this.visible = seen[seen.length - 1].isIntersecting;
        if (this.visible) this.draw();
      }, { rootMargin: "80px" }).observe(root);
      new ResizeObserver(() => this.draw()).observe(root);
      this.draw();
    }

    listen(canvas) {
      let start = null, moved = false;
      canvas.addEventListener("pointerdown", (event) => {
        start = [event.clientX, event.clientY, ...this.turn];
        moved = false;
        canvas.setPointerCapture(event.pointerId);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!start) return;
        const [dx, dy] = [event.clientX - start[0], event.clientY - start[1]];
        moved = moved || Math.hypot(dx, dy) > 5;
        if (this.film.C < 3 || !moved) return;
        this.turn = [start[2] + dx / 80, Math.max(-1.5, Math.min(1.5, start[3] + dy / 80))];
        this.draw();
      });
      canvas.addEventListener("pointerup", () => {
        if (start && !moved) this.toggle();
        start = null;
      });
      canvas.addEventListener("pointercancel", () => (start = null));
      canvas.addEventListener("dblclick", () => {
        this.turn = [0, 0];
        this.draw();
      });
    }

    control() {
      const find = (name) => this.root.querySelector(".controls " + name);
      this.button = find("button");
      this.range = find("input");
      this.label = find(".at");
      this.button.addEventListener("click", () => this.toggle());
      this.range.max = this.film.T - 1;
      this.range.addEventListener("input", () => {
        this.playing = false;
        this.at = Number(this.range.value);
        this.draw();
      });
      find("select").addEventListener("change", (event) => (this.speed = Number(event.target.value)));
    }

    toggle() {
      this.playing = !this.playing && this.film.T > 1;
      this.draw();
    }

    advance(seconds) {
      if (!this.playing || !this.visible) return;
      const before = Math.floor(this.at);
      this.at = (this.at + seconds * this.speed * this.film.rate) % this.film.T;
      if (Math.floor(this.at) !== before) this.draw();
    }

    draw() {
      const t = Math.floor(this.at);
      for (const panel of this.panels) panel.draw(t, this.turn);
      if (this.small) return;
      this.button.textContent = this.playing ? "\u275A\u275A" : "\u25B6";
      this.button.setAttribute("aria-label", this.playing ? "pause" : "play");
      this.range.value = t;
      this.label.textContent = `frame ${this.film.at ? this.film.at[t] : t} of ${this.film.whole}`;
    }
  }

  const reel = JSON.parse(document.querySelector("script.reel").textContent);
  const players = [...document.querySelectorAll("[data-film]")].map(
    (root) => new Player(root, { ...reel.skeleton, ...reel.films[Number(root.dataset.film)] })
  );
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    colour = colours();
    for (const player of players) player.draw();
  });
  let last = performance.now();
  const tick = (now) => {
    const passed = Math.min(0.25, (now - last) / 1000);
    last = now;
    for (const player of players) player.advance(passed);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})();
