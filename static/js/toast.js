// Toasts: from the page's own messages and from the `toast` event of an HTMX answer. They stay while looked at.
(() => {
  const SECONDS = 6;
  const MOST = 3;

  function arm(toast) {
    let timer = null;
    const start = () => {
      timer = setTimeout(() => toast.remove(), SECONDS * 1000);
    };
    const stop = () => clearTimeout(timer);
    toast.addEventListener("mouseenter", stop);
    toast.addEventListener("mouseleave", start);
    toast.addEventListener("focusin", stop);
    toast.addEventListener("focusout", start);
    start();
  }

  function show({ level, text }) {
    const toast = document.createElement("div");
    toast.className = `xu-toast xu-toast--${level}`;
    toast.textContent = text;
    const pile = document.querySelector(".xu-toasts");
    pile.append(toast);
    while (pile.children.length > MOST) pile.firstElementChild.remove();
    arm(toast);
  }
  document.addEventListener("toast", (event) => event.detail.items.forEach(show));
  document.querySelectorAll(".xu-toasts .xu-toast").forEach(arm);
  // A request that did not get through must not look as if nothing happened. In a dialog it is said there, since
  // toasts lie under its scrim; once, however many requests failed.
  const words = (status) => {
    const { failed, refused, broken } = document.querySelector(".xu-toasts").dataset;
    if (!status || status === 408) return failed;
    return status >= 500 ? broken : refused;
  };

  function failed(event) {
    const status = event.detail.xhr?.status || 0;
    if (status === 422) return;
    const { elt, target } = event.detail;
    const dialog = elt.closest?.("dialog");
    if (target?.closest("dialog") && target !== elt.closest("form")) target.dataset.stale = "true";
    if (!dialog) {
      show({ level: "error", text: words(status) });
      return;
    }
    dialog.querySelector("[data-failure]")?.remove();
    const note = document.createElement("p");
    note.className = "xu-error";
    note.dataset.failure = "true";
    note.setAttribute("role", "alert");
    note.append(words(status));
    if (status && status < 500) {
      const reload = document.createElement("button");
      reload.type = "button";
      reload.className = "xu-link";
      reload.textContent = document.querySelector(".xu-toasts").dataset.reload;
      reload.addEventListener("click", () => location.reload());
      note.append(" ", reload);
    }
    const foot = dialog.querySelector(".xu-dialog-foot");
    if (foot) foot.before(note);
    else dialog.querySelector(".xu-dialog-body")?.prepend(note);
  }
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
  document.addEventListener("htmx:responseError", failed);
  // What is asked anew is not failed any more.
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.failed) return;
    event.detail.elt.closest?.("dialog")?.querySelector("[data-failure]")?.remove();
    delete event.detail.target?.dataset.stale;
  });
})();
