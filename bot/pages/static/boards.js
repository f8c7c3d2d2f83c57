// The size of the text, as the chat page keeps it. Everything else on the page works without a script.
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
  root.classList.add("hx-scripted");
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-size]").forEach((one) => one.addEventListener("click", () => set(Number(one.dataset.size))));
    set([18, 24, 30].includes(kept()) ? kept() : 18);
  });
})();
