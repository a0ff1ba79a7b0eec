{% include "page.js" %}

(() => {
  const asked = document.getElementById("rows"), shown = document.getElementById("shown-rows");
  const rows = [...document.querySelectorAll(".matrix tr.row-of")];
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const filter = () => {
    const wanted = asked.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.classList.toggle("out", !wanted.every((word) => words.get(row).includes(word)));
    shown.textContent = `${rows.filter((row) => !row.classList.contains("out")).length} of ${rows.length} rows`;
  };
  asked.addEventListener("input", filter);
  filter();
})();
