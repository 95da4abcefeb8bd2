// While something is sent: its button says so and is not pressed twice, and what it will change is dimmed. What one
// sees of it (css/overlays) waits 300 ms, so that a quick answer shows none of it.
(() => {
  const LONGEST = 10_000; // a download leaves the page as it is, so its button is freed
  const isDialog = (target) => target?.id === "modal";
  const SUBMITS = "button:not([type=button])";
  // Enter presses a form's first button, which may be there for that alone, out of sight; the one seen is meant.
  function buttonOf(element, event) {
    if (!element.matches("form")) return element.closest("a, button");
    const pressed = event?.submitter;
    if (pressed && !pressed.matches(".xu-sr")) return pressed;
    const all = [...element.querySelectorAll(SUBMITS)].filter((one) => !one.matches(".xu-sr"));
    return all.find((one) => one.matches(".xu-btn--primary")) || all[0];
  }

  function mark(element, button) {
    element.dataset.busy = "true";
    button?.setAttribute("aria-busy", "true");
    button?.setAttribute("aria-disabled", "true");
  }

  function free(element) {
    delete element.dataset.busy;
    for (const button of [element, ...element.querySelectorAll("[aria-busy]")]) {
      if (!button.matches("a, button")) continue;
      button.removeAttribute("aria-busy");
      button.removeAttribute("aria-disabled");
    }
  }
  const isPressed = ({ elt, target, verb }) => verb !== "get" || (isDialog(target) && !elt.closest("#modal"));

  document.addEventListener("htmx:confirm", (event) => {
    const { elt, target, verb } = event.detail;
    if (isPressed({ elt, target, verb }) && elt.dataset.busy) event.preventDefault();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target, requestConfig } = event.detail;
    const { verb, triggeringEvent } = requestConfig;
    if (isPressed({ elt, target, verb })) {
      if (!isDialog(elt)) mark(elt, buttonOf(elt, triggeringEvent));
    } else if (target !== elt && !isDialog(target)) target.setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    free(event.detail.elt);
    event.detail.target?.removeAttribute("aria-busy");
  });
  // Forms that leave the page.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.busy) {
      event.preventDefault();
      return;
    }
    mark(form, buttonOf(form, event));
    setTimeout(() => free(form), LONGEST);
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-busy]").forEach(free));
})();
