// Keys of every page: what carries data-shortcut="x" is pressed by x, a field is focused; J and K walk the rows of
// the table in sight, and what a row carries comes before what the page does; "?" lists the keys. None while a field
// or a dialog has the focus, nor with Ctrl, Alt or ⌘.
(() => {
  const FIELDS = "input, textarea, select, dialog, [contenteditable], [role=menu]";
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
  const rows = () => [...document.querySelectorAll("main .xu-table tbody tr")].filter(isShown);
  const currentRow = () => document.activeElement?.closest(".xu-table tbody tr");
  const opens = (row) => row.querySelector("[data-row-opens]") || row.querySelector("th a[href], td a[href]");

  function walk(step) {
    const all = rows();
    if (!all.length) return false;
    const at = all.indexOf(currentRow());
    const first = all.findIndex((row) => row.getBoundingClientRect().bottom > 0);
    const next = at < 0 ? Math.max(first, 0) : Math.min(Math.max(at + step, 0), all.length - 1);
    all[next].tabIndex = -1;
    all[next].focus();
    return true;
  }

  function press(key) {
    const name = CSS.escape(key);
    const inRow = currentRow()?.querySelector(`[data-shortcut="${name}"]`);
    const others = [...document.querySelectorAll(`[data-shortcut="${name}"]`)].filter(
      (one) => isShown(one) && !one.closest(".xu-table tbody tr"),
    );
    const found = inRow || others[0];
    if (!found) return false;
    if (found.matches("input, textarea, select")) {
      found.focus();
      found.select?.();
    } else found.click();
    return true;
  }

  function list() {
    const keys = document.getElementById("keys");
    if (!keys) return false;
    keys.showModal();
    return true;
  }

  function act(key) {
    if (key === "?") return list();
    if (key === "j" || key === "k") return walk(key === "j" ? 1 : -1);
    if (key === "/") return press("/") || search();
    return press(key);
  }

  // Where there is no search over the page, "/" goes to the page's own.
  function search() {
    const field = document.querySelector("input[type=search]");
    field?.focus();
    field?.select();
    return Boolean(field);
  }
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    // A dialog just closed may still hold the focus until the page is painted.
    const isInField = event.target.closest(FIELDS) && !event.target.closest("dialog:not([open])");
    if (isInField || document.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && event.target.matches(".xu-table tbody tr")) {
      opens(event.target)?.click();
      return;
    }
    if (event.key.length === 1 && act(event.key.toLowerCase())) event.preventDefault();
  });
})();
