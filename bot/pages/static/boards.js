// Live charts. Everything else works without a script.
"use strict";
(() => {
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
  document.documentElement.classList.add("hx-scripted");
  addEventListener("load", () => { // after everything else; and never where people pay for every byte
    if (navigator.connection && navigator.connection.saveData) return;
    document.querySelectorAll(".hx-option").forEach(live);
  });
})();
