// Says what is under the pointer or finger (data-tip), and lets one class of a map be chosen.
"use strict";
(() => {
  const tip = document.body.appendChild(document.createElement("div"));
  tip.id = "tip";
  const show = (event) => {
    const at = event.target.closest("[data-tip]");
    tip.style.display = at ? "block" : "none";
    if (!at) return;
    tip.textContent = at.dataset.tip;
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = Math.max(4, Math.min(event.pageX + 12, room)) + "px";
    tip.style.top = event.pageY - tip.offsetHeight - 12 + "px";
  };
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
  for (const choice of document.querySelectorAll(".map select"))
    choice.addEventListener("change", () => {
      const svg = choice.closest(".map").querySelector("svg");
      svg.classList.toggle("choosing", choice.value !== "");
      for (const dot of svg.querySelectorAll("circle")) dot.classList.toggle("chosen", dot.dataset.k === choice.value);
    });
})();
