// The bell: a popover with the newest notices, asked for when it is opened. Opening it marks nothing as read, leaving
// it does. How many are new comes with every answer that a part of the page gets (noticesUnread).
(() => {
  const list = () => document.getElementById("bell");
  const bells = () => [...document.querySelectorAll("[data-bell]")];
  const seen = () => list().querySelector("form[data-seen]");
  let opener = null;

  for (const bell of bells()) {
    bell.setAttribute("role", "button");
    bell.setAttribute("aria-haspopup", "dialog");
    bell.setAttribute("aria-expanded", "false");
    bell.setAttribute("aria-controls", "bell");
  }

  function count(number) {
    for (const bell of bells()) {
      const shown = number > 9 ? "9+" : String(number);
      const badge = bell.querySelector(".xu-bell-count");
      badge.textContent = shown;
      badge.hidden = !number;
      bell.setAttribute("aria-label", number ? bell.dataset.nameNew.replace("%s", shown) : bell.dataset.name);
    }
  }
  document.addEventListener("noticesUnread", (event) => count(event.detail.count));

  async function open(bell) {
    opener = bell;
    bell.setAttribute("aria-busy", "true");
    await htmx.ajax("GET", bell.dataset.bell, { source: bell, target: "#bell", swap: "innerHTML" });
    bell.removeAttribute("aria-busy");
    if (opener !== bell || !list().firstElementChild) return;
    list().hidden = false;
    bell.setAttribute("aria-expanded", "true");
    list().querySelector("[data-first]")?.focus();
  }

  function close({ back = false } = {}) {
    if (!opener) return;
    const bell = opener;
    opener = null;
    list().hidden = true;
    bell.setAttribute("aria-expanded", "false");
    if (back) bell.focus();
    const form = seen();
    if (form) htmx.ajax("POST", form.action, { source: bell, values: values(form), swap: "none" });
    list().replaceChildren();
  }

  const values = (form) => Object.fromEntries(new FormData(form));

  // Whoever follows a link out of it leaves it too; the browser sends this while the page goes.
  addEventListener("pagehide", () => {
    const form = opener && seen();
    if (form) navigator.sendBeacon(form.action, new FormData(form));
  });
  document.addEventListener("click", (event) => {
    const bell = event.target.closest("[data-bell]");
    if (bell) {
      // A new tab or window gets the page of notices.
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (opener === bell) return close({ back: true });
      close();
      return open(bell);
    }
    if (!opener) return;
    const isInside = list().contains(event.target);
    if (!isInside || event.target.closest("[data-leaves]")) close();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-mark]") || !list().contains(event.target)) return;
    event.preventDefault();
    htmx.ajax("POST", event.target.action, {
      source: opener,
      values: values(event.target),
      swap: "none",
    }).then(() => close({ back: true }));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !opener) return;
    event.preventDefault();
    close({ back: true });
  });
  // Tab past its end leaves it.
  document.addEventListener("focusin", (event) => {
    if (opener && !list().contains(event.target) && event.target !== opener) close();
  });
})();
