// The size of the text, as the chat page keeps it.
"use strict";
(() => {
  const root = document.documentElement;
  const kept = () => { try { return Number(localStorage.getItem("hongxin:size")); } catch (error) { return 0; } };
  const set = (size) => {
    root.style.setProperty("--text", size + "px");
    root.classList.toggle("hx-large", size >= 24);
    document.querySelectorAll("[data-size]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.size === String(size))));
    try { localStorage.setItem("hongxin:size", String(size)); } catch (error) { /* a private window may refuse to store */ }
  };
  const now = () => ([18, 24, 30].includes(kept()) ? kept() : 18);
  set(now());
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-size]");
    if (button) set(Number(button.dataset.size));
  });
  // The page is drawn anew when its figures change: then the buttons need their mark again.
  new MutationObserver(() => { if (document.querySelector("[data-size]:not([aria-pressed])")) set(now()); })
    .observe(root, { childList: true, subtree: true });
})();
