// The list of months closes by Escape, back to its button, and when something beside it is pressed.
(() => {
  const open = () => document.querySelector("details[data-month-list][open]");
  document.addEventListener("click", (event) => {
    const list = open();
    if (list && !list.contains(event.target)) list.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const list = open();
    if (!list || event.key !== "Escape") return;
    list.open = false;
    list.querySelector("summary").focus();
  });
})();
