// The most probable classes as bars: how probable at the moment, with a mark for the whole recording.

/** How many classes are shown; `--class-0` to `--class-4` are their colours. */
export const SHOWN = 5;

/**
 * Which classes to show: those that come nearest to certainty at any time.
 *
 * @param {number[]} whole probabilities of the whole recording
 * @param {Float32Array[]} rows probabilities of its windows
 * @returns {number[]} class numbers, the most probable of the whole recording first
 */
export function choose(whole, rows) {
  const most = whole.map((p, k) => Math.max(p, ...rows.map((row) => row[k])));
  const best = whole.map((_, k) => k).sort((a, b) => most[b] - most[a]);
  return best.slice(0, SHOWN).sort((a, b) => whole[b] - whole[a]);
}

export class Bars {
  /**
   * @param {HTMLElement} list
   */
  constructor(list) {
    this.list = list;
  }

  /** One bar for each of some classes. */
  show(classes, names, whole) {
    this.classes = classes;
    this.list.replaceChildren(...classes.map((k, i) => bar(names[k], whole[k], i)));
  }

  /** Set the bars to the probabilities of a moment. */
  set(row) {
    this.classes.forEach((k, i) => {
      const item = this.list.children[i];
      item.style.setProperty("--now", row[k]);
      item.querySelector(".value").textContent = percent(row[k]);
    });
  }
}

export function percent(p) {
  return `${(100 * p).toFixed(p < 0.0995 ? 1 : 0)} %`;
}

function bar(name, whole, i) {
  const item = document.createElement("li");
  item.style.setProperty("--colour", `var(--class-${i})`);
  item.style.setProperty("--whole", whole);
  item.title = `${percent(whole)} over the whole recording`;
  for (const kind of ["name", "value", "track"]) {
    const part = document.createElement("span");
    part.className = kind;
    item.append(part);
  }
  item.querySelector(".name").textContent = name;
  return item;
}
