// The size of the text, as the chat page keeps it, and live charts. Everything else works without a script.
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
  const live = async (given) => {
    const place = document.createElement("div"), picture = given.parentElement.querySelector("picture");
    place.className = "hx-live";
    place.setAttribute("aria-hidden", "true"); // the table says it all
    picture.before(place);
    try {
      await hongxinLive.show(place, JSON.parse(given.textContent));
      picture.hidden = true;
    } catch (error) { place.remove(); } // a browser that is too old keeps the picture
  };
  root.classList.add("hx-scripted");
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-size]").forEach((one) => one.addEventListener("click", () => set(Number(one.dataset.size))));
    set([18, 24, 30].includes(kept()) ? kept() : 18);
  });
  addEventListener("load", () => { // after everything else; and never where people pay for every byte
    if (navigator.connection && navigator.connection.saveData) return;
    document.querySelectorAll(".hx-option").forEach(live);
  });
})();
