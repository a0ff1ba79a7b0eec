"use strict";
(() => {
  const all = [...document.querySelectorAll("details.clause")];
  const words = new Map(all.map((clause) => [clause, clause.textContent.toLowerCase()]));
  const chips = [...document.querySelectorAll(".chip")];
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");

  const fits = (clause, name) => !form[name].value || clause.dataset[name].split(" ").includes(form[name].value);

  const filter = () => {
    const asked = form.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const out = new Set();
    for (const clause of all) {
      const fit = ["state", "level", "area"].every((name) => fits(clause, name)) && asked.every((word) => words.get(clause).includes(word));
      clause.classList.toggle("out", !fit);
      if (!fit) out.add(clause.id);
    }
    for (const chip of chips) chip.classList.toggle("out", out.has(chip.hash.slice(1)));
    shown.textContent = `${all.length - out.size} of ${all.length} clauses`;
  };

  const follow = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.classList.contains("out")) {
      form.reset();
      filter();
    }
    for (let part = target; part; part = part.parentElement) if (part.matches("details")) part.open = true;
    target.scrollIntoView();
  };

  for (const kind of ["input", "change"]) form.addEventListener(kind, filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) follow();
  });
  window.addEventListener("hashchange", follow);

  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const part of opened) part.open = true;
  });
  window.addEventListener("afterprint", () => { for (const part of opened) part.open = false; });

  filter();
  follow();
})();
