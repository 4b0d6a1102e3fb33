"use strict";
// Everything can be read without this script: it only searches and filters.
const tools = document.getElementById("tools");
const box = document.getElementById("search");
const filter = document.getElementById("status");
const count = document.getElementById("count");
const groups = [...document.querySelectorAll("#matrix tbody")].map((element) => ({
  element,
  rows: [...element.querySelectorAll("tr[data-statuses]")].map((row) => ({
    row,
    statuses: row.dataset.statuses.split(" "),
    text: row.textContent.toLowerCase(),
  })),
}));
const all = groups.reduce((sum, group) => sum + group.rows.length, 0);
const kinds = {
  all: () => true,
  broken: (statuses) => statuses.some((each) => ["fail", "error", "warn"].includes(each)),
  open: (statuses) => statuses.some((each) => each !== "pass" && each !== "changed"),
};
function search() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = kinds[filter.value] ?? ((statuses) => statuses.includes(filter.value));
  let shown = 0;
  for (const { element, rows } of groups) {
    let here = 0;
    for (const { row, statuses, text } of rows) {
      const hit = fits(statuses) && words.every((word) => text.includes(word));
      row.hidden = !hit;
      here += hit;
    }
    element.hidden = here === 0;
    shown += here;
  }
  count.textContent = shown === all ? `${all} checks` : `${shown} of ${all} checks`;
}
box.addEventListener("input", search);
filter.addEventListener("change", search);
document.addEventListener("keydown", (event) => {
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement?.tagName);
  if (event.key === "/" && !typing) { event.preventDefault(); box.focus(); }
  if (event.key === "Escape" && document.activeElement === box) { box.value = ""; search(); }
});
tools.hidden = false;
search();
