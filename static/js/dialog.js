// Native dialogs swapped into #modal by HTMX: opened, focused, closed, and the focus given back to what opened them.
(() => {
  const host = () => document.getElementById("modal");
  const current = () => host()?.querySelector("dialog");
  let opener = null;

  // Whatever fills #modal is the opener's answer; a row may have been drawn anew, so it is found again by its id.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const source = event.detail.elt;
    if (event.detail.target === host() && !host().contains(source)) opener = source;
  });
  // What opens a dialog without being its own opener, as the search does, says who it is.
  document.addEventListener("opensdialog", (event) => (opener = event.target));

  function focusFirst(dialog) {
    // In this order, whatever comes first in the page: the head's Close button is the last thing a person came for.
    const wanted = [
      "[aria-invalid='true']",
      "[autofocus]",
      "input:not([type=hidden]), select, textarea",
      "button",
    ];
    const field = wanted.map((one) => dialog.querySelector(one)).find(Boolean);
    field?.focus();
    if (field?.select && field.type === "text") field.select();
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== host()) return;
    const dialog = current();
    if (!dialog) return;
    if (!dialog.open) dialog.showModal();
    dialog.addEventListener("close", finish, { once: true });
    focusFirst(dialog);
  });

  // What is swapped inside a dialog may say where the person goes on: the field just opened,
  // the next row after a decision.
  document.addEventListener("htmx:afterSwap", (event) => {
    const isInside = host()?.contains(event.target) && event.target !== host();
    const place = isInside ? event.target.querySelector("[data-focus]") : null;
    place?.focus();
    if (place?.select && place.type === "text") place.select();
  });

  // What is typed anew is not refused yet.
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.getAttribute("aria-invalid") !== "true") return;
    field.removeAttribute("aria-invalid");
    const ids = (field.getAttribute("aria-describedby") || "").split(" ");
    for (const id of ids) {
      const note = document.getElementById(id);
      if (note?.matches(".xu-error, .errorlist")) note.remove();
    }
  });

  function finish() {
    host().replaceChildren();
    const drawnAnew = opener?.id ? document.getElementById(opener.id) : null;
    const back = opener?.isConnected ? opener : drawnAnew;
    opener = null;
    // An entry of a “…” menu is hidden by now; its button is where the person was.
    (back?.closest(".xu-menu")?.querySelector("[data-menu]") ?? back)?.focus();
    // What opened it is gone, or was nothing: the page's content, never nothing at all.
    const isNowhere = document.activeElement === document.body;
    if (isNowhere) document.getElementById("content")?.focus({ preventScroll: true });
  }

  document.addEventListener("closeModal", () => current()?.close());
  // Parts refetched after a save replace the opener; look for it again once they are in place.
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("dialog");
    if (!dialog) return;
    if (event.target.closest("[data-close]")) {
      event.preventDefault();
      dialog.close();
      return;
    }
    const box = dialog.getBoundingClientRect();
    const outside =
      event.clientX < box.left ||
      event.clientX > box.right ||
      event.clientY < box.top ||
      event.clientY > box.bottom;
    if (event.target === dialog && outside && event.detail) dialog.close();
  });
})();
