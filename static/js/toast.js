// Toasts: from the page's own messages and from the `toast` event of an HTMX answer. They stay while looked at,
// longer where something can be undone; the same is said once; an open dialog holds them, since its scrim would
// cover them and nothing outside of it can be pressed.
(() => {
  const SECONDS = 6;
  const UNDO_SECONDS = 10;
  const MOST = 3;
  const pile = document.querySelector(".xu-toasts");
  const home = pile.parentElement;

  function arm(toast) {
    let timer = null;
    const seconds = toast.querySelector("form") ? UNDO_SECONDS : SECONDS;
    const stop = () => clearTimeout(timer);
    const start = () => {
      stop();
      timer = setTimeout(() => toast.remove(), seconds * 1000);
    };
    toast.addEventListener("mouseenter", stop);
    toast.addEventListener("mouseleave", start);
    toast.addEventListener("focusin", stop);
    toast.addEventListener("focusout", start);
    // Pressed once; what became of it is said by a toast of its own.
    toast.addEventListener("htmx:afterRequest", (event) => {
      if (event.detail.successful) toast.remove();
    });
    start();
  }

  function place() {
    const holder = document.querySelector("dialog[open]") ?? home;
    if (pile.parentElement !== holder) holder.append(pile);
  }
  const goHome = () => pile.parentElement !== home && home.append(pile);
  document.addEventListener("close", goHome, true);
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.contains(pile)) goHome();
  });
  document.addEventListener("htmx:afterSettle", () => pile.childElementCount && place());

  function make({ level, text, undo }) {
    const looks = document.getElementById("toasts").content.children;
    const toast = looks[level === "success" || level === "info" ? 0 : 1].cloneNode(true);
    toast.className = `xu-toast xu-toast--${level}`;
    toast.querySelector("[data-toast-text]").textContent = text;
    const form = toast.querySelector("form");
    if (undo) {
      form.setAttribute("action", undo);
      form.setAttribute("hx-post", undo);
    } else form.remove();
    return toast;
  }

  function show(message) {
    const toast = make(message);
    for (const other of [...pile.children])
      if (other.textContent === toast.textContent) other.remove();
    place();
    pile.append(toast);
    while (pile.children.length > MOST) pile.firstElementChild.remove();
    if (message.undo) htmx.process(toast);
    arm(toast);
  }
  document.addEventListener("toast", (event) => event.detail.items.forEach(show));
  document.querySelectorAll(".xu-toasts .xu-toast").forEach(arm);
  // A request that did not get through must not look as if nothing happened. In a dialog it is said there, since
  // toasts lie under its scrim; once, however many requests failed.
  const words = (status) => {
    const { failed, refused, broken } = pile.dataset;
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
      reload.textContent = pile.dataset.reload;
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
