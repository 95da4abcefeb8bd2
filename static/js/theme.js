// Before the first paint: the theme the person chose, else the system's. Runs blocking in <head>, so it stays tiny.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const apply = () =>
    root.setAttribute("data-bs-theme", chosen() || (system.matches ? "dark" : "light"));
  apply();
  system.addEventListener("change", () => {
    apply();
    document.dispatchEvent(new CustomEvent("themechange"));
  });
  // Paper is white.
  addEventListener("beforeprint", () => root.setAttribute("data-bs-theme", "light"));
  addEventListener("afterprint", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    try {
      localStorage.setItem(
        "theme",
        root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark",
      );
    } catch {
      /* private mode: for this page only */
    }
    apply();
    document.dispatchEvent(new CustomEvent("themechange"));
  });
})();
