// Lists of operators: on a phone each cell says its column; figures' heads stand over them; a filter closes when
// somebody presses elsewhere.
(() => {
  const table = document.getElementById("result_list");
  if (table) {
    const heads = [...table.tHead.rows[0].cells];
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, place) => {
        cell.dataset.label = heads[place].textContent.trim();
        if (cell.querySelector(".op-num")) heads[place].classList.add("xu-right");
        if (["", "–"].includes(cell.textContent.trim())) cell.classList.add("op-nothing");
      });
    }
  }
  // Rows below a row scroll sideways on a phone: by keyboard too.
  for (const group of document.querySelectorAll(".inline-group")) {
    if (group.scrollWidth > group.clientWidth) group.tabIndex = 0;
  }
  const close = (but) =>
    document
    .querySelectorAll("details.op-filter[open]")
    .forEach((one) => one !== but && one.removeAttribute("open"));
  document.addEventListener("click", (event) => close(event.target.closest("details.op-filter")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelector("details.op-filter[open] summary")?.focus();
    close(null);
  });
})();
