// "…" menus: a button with aria-controls, arrow keys, Escape, focus back to the button;
// the phone's navigation likewise.
(() => {
  const listOf = (button) => document.getElementById(button.getAttribute("aria-controls"));
  const openButton = () => document.querySelector("[data-menu][aria-expanded='true']");

  function set(button, open) {
    button.setAttribute("aria-expanded", open);
    listOf(button).hidden = !open;
    if (open) listOf(button).querySelector("[role=menuitem]")?.focus();
  }
  document.addEventListener("click", (event) => {
    const side = event.target.closest("[data-side-toggle]");
    if (side) {
      const open = document.getElementById("side").toggleAttribute("data-open");
      side.setAttribute("aria-expanded", open);
      return;
    }
    const button = event.target.closest("[data-menu]");
    const open = openButton();
    if (open && open !== button) set(open, false);
    if (button) set(button, button.getAttribute("aria-expanded") !== "true");
  });
  // An open menu is not swapped away under the hand of whoever reads it; the next refresh brings what changed.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const button = openButton();
    if (button && event.detail.target.contains(button)) event.detail.shouldSwap = false;
  });
  document.addEventListener("keydown", (event) => {
    const button = openButton();
    if (!button) return;
    const items = [...listOf(button).querySelectorAll("[role=menuitem]")];
    const at = items.indexOf(document.activeElement);
    if (event.key === "Escape" || event.key === "Tab") {
      set(button, false);
      if (event.key === "Escape") button.focus();
    }
    if (event.key === "ArrowDown") {
      items[(at + 1) % items.length].focus();
      event.preventDefault();
    }
    if (event.key === "ArrowUp") {
      items[(at - 1 + items.length) % items.length].focus();
      event.preventDefault();
    }
  });
})();
