// Toasts: from the page's own messages and from the `toast` event of an HTMX answer. They stay while looked at.
(() => {
  const SECONDS = 6;

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
    document.querySelector(".xu-toasts").append(toast);
    arm(toast);
  }
  document.addEventListener("toast", (event) => event.detail.items.forEach(show));
  document.querySelectorAll(".xu-toasts .xu-toast").forEach(arm);
  // A request that did not get through must not look as if nothing happened.
  const words = () => document.querySelector(".xu-toasts").dataset.failed;
  document.addEventListener("htmx:sendError", () => show({ level: "error", text: words() }));
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 422) show({ level: "error", text: words() });
  });
})();
