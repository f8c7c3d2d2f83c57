// The large view of a chart: the live chart, and beside it what the message said about it. Everything in it was sent
// by the server to this page alone; words are only ever set as text.
"use strict";
window.hongxinDialog = (() => {
  const element = (tag, name, words, more) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (words) made.textContent = words;
    Object.assign(made, more || {});
    return made;
  };
  const head = (option, words) => {
    const made = element("header", "hx-live-head"), titles = element("div", "hx-live-title");
    titles.append(element("h2", "", option.title.text, { id: "hx-live-title" }));
    if (option.title.subtext) titles.append(element("p", "", option.title.subtext));
    const tools = element("div", "hx-live-tools"), sizes = document.querySelector(".hx-sizes").cloneNode(true);
    [sizes, ...sizes.querySelectorAll("[id]")].forEach((one) => one.removeAttribute("id"));
    tools.append(sizes, element("button", "hx-live-close", words.live_close, { type: "button", autofocus: true }));
    made.append(tools, titles); // the tools stay in sight on a phone, where the title may be long
    return made;
  };
  const said = (given, words) => {
    const made = element("div", "hx-live-text"), [first, ...lines] = given.text.split("\n");
    made.append(element("p", "hx-live-first", first));
    const list = element("ul");
    list.append(...lines.filter(Boolean).map((line) => element("li", "", line)));
    if (list.children.length) made.append(list);
    made.append(element("a", "hx-live-save", words.live_save, { href: given.url, target: "_blank", rel: "noopener" }));
    return made;
  };

  const open = async (given) => {
    if (document.querySelector(".hx-live-dialog")) return; // a double press
    const { words, data } = given, dialog = element("dialog", "hx-live-dialog"), body = element("div", "hx-live-body");
    dialog.setAttribute("aria-labelledby", "hx-live-title");
    const figure = element("div", "hx-live-figure"), place = element("div", "hx-live");
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", given.alt);
    figure.append(place);
    if (data.option.radar) figure.append(element("p", "hx-live-hint", words.live_legend));
    body.append(figure, said(given, words));
    dialog.append(head(data.option, words), body);
    dialog.lang = document.querySelector(".hx-app").lang;
    document.body.append(dialog);
    // The phone's own way back closes it, as people expect, and does not leave the chat.
    const back = () => dialog.close();
    history.pushState({ hongxinLive: true }, "");
    addEventListener("popstate", back);
    dialog.addEventListener("close", () => {
      removeEventListener("popstate", back);
      if (place.chart) place.chart.dispose();
      dialog.remove();
      if (history.state && history.state.hongxinLive) history.back();
    });
    dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target.closest(".hx-live-close")) dialog.close(); });
    dialog.showModal();
    try { await hongxinLive.show(place, data); } catch (error) { figure.replaceChildren(element("p", "", words.live_failed)); }
  };
  return { open };
})();
