// A chart that lives in the page: drawn from the option of its PNG, by the same ECharts, on a canvas as wide as its
// place and in the type that the person chose. Without this script, or without ECharts, the PNG stays.
"use strict";
window.hongxinLive = (() => {
  const SOURCE = "ECHARTS_SOURCE", INTEGRITY = "ECHARTS_INTEGRITY";
  const NAME = 36, LINE = 46, BAR = 24, GAP = 38; // a board on its canvas: type, line, bar, room between places
  const BOARD_LEFT = 88, BOARD_WIDTH_MIN = 480; // a narrower canvas leaves no room for a name
  const AXIS = 38, AXIS_LINE = 50, AXIS_GAP = 34, EDGE = 10; // a radar on its canvas
  const RADIUS_PX_MIN = 72, RADIUS_PX_MAX = 240, TYPE_PX_MIN = 14;
  const BREAK = /[\x21-\x7e]+ *|[^\x21-\x7e]/g; // a word of Latin letters, or any other character

  let loading = null;
  const load = () => loading = loading || new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const failed = () => { loading = null; script.remove(); reject(new Error(SOURCE)); }; // the next chart tries again
    Object.assign(script, { src: SOURCE, integrity: INTEGRITY, onload: resolve, onerror: failed });
    document.head.append(script);
  });

  const root = document.documentElement, ink = document.createElement("canvas").getContext("2d");
  const family = () => getComputedStyle(document.body).fontFamily;
  const chosen = () => parseFloat(getComputedStyle(root).getPropertyValue("--text")) || 18;
  const width = (text, size) => { ink.font = size + "px " + family(); return ink.measureText(text).width; };
  const broken = (text, room, size) => {
    const lines = [""];
    for (const part of text.match(BREAK) || []) {
      const last = lines[lines.length - 1];
      if (last && width(last + part.trimEnd(), size) > room) lines.push(part); else lines[lines.length - 1] += part;
    }
    return lines.map((line) => line.trimEnd());
  };
  const wrapped = (text, room, size) => { // on as few lines as it needs, all about as long: no character stands alone
    let lines = broken(text, room, size);
    for (let less = room - size / 2; lines.length > 1 && less > room / 2; less -= size / 2) {
      const tried = broken(text, less, size);
      if (tried.length > lines.length) break;
      lines = tried;
    }
    return lines;
  };
  const copy = (option) => { // in the page's own type: the font of the PNG is on few phones
    const own = JSON.parse(JSON.stringify(option), (name, value) => name === "fontFamily" ? family() : value);
    delete own.title; // the page has a heading
    own.animation = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    own.animationDuration = 400;
    own.backgroundColor = "transparent";
    return own;
  };

  // ---- a board: every name whole, on as many lines as it needs; the score beside the bar where lines are short ----
  const board = (given, px) => {
    const option = copy(given), [scores, bars] = option.series;
    const scale = Math.min(chosen() / NAME, px / BOARD_WIDTH_MIN), across = px / scale;
    const score = Math.max(...scores.data.map((one) => width(one.label.formatter, one.label.fontSize)));
    const room = across - BOARD_LEFT - EDGE;
    const beside = bars.data.some((one) => width(one.name, NAME) > room - score - BAR);
    const names = bars.data.map((one) => wrapped(one.name, beside ? room : room - score - BAR, NAME));
    const lines = Math.max(...names.map((one) => one.length));
    const row = LINE * lines + BAR + 10 + GAP, top = LINE / 2 * lines + 8;
    bars.data.forEach((one, place) => Object.assign(one.label, {
      formatter: names[place].join("\n"), position: [0, beside ? -14 : -8], verticalAlign: "bottom", lineHeight: LINE,
    }));
    if (beside) scores.data.forEach((one) => Object.assign(one.label, { align: "left", offset: [8, 0], fontSize: NAME }));
    bars.emphasis = { itemStyle: { color: "#9B1C1C" } };
    bars.cursor = "default";
    option.grid = { left: BOARD_LEFT, right: EDGE + (beside ? score + 16 : 0), top, height: row * names.length };
    Object.assign(option.yAxis.axisLabel, { margin: 24, padding: [0, 0, LINE * lines - 2, 0] });
    return { option, scale, across, down: top + row * names.length - LINE / 2 * lines - 4 };
  };

  // ---- a radar: the largest type up to the chosen one with which no name meets another or the edge ----
  const inTwo = (name) => {
    const parts = name.match(BREAK) || [], half = name.length / 2;
    let first = "";
    while (parts.length && first.length + parts[0].length <= half + 1e-9) first += parts.shift();
    if (!first && parts.length > 1) first = parts.shift();
    return first ? [first.trimEnd(), parts.join("")] : [name];
  };
  const labels = (option, split) => option.radar.indicator.map((one, place, all) => {
    const [name, figures] = one.name.split("\n"), turn = 2 * Math.PI * place / all.length;
    const lines = split && width(name, AXIS) > 4 * AXIS ? inTwo(name) : [name];
    const shown = width(figures.replace(/\{\w+\||\}/g, ""), AXIS);
    return {
      text: [...lines, figures].join("\n"), x: Math.sin(turn), y: -Math.cos(turn),
      wide: Math.max(shown, ...lines.map((line) => width(line, AXIS))), high: AXIS_LINE * (lines.length + 1),
    };
  });
  const box = ({ x, y, wide, high }, radius) => { // where ECharts puts the label, seen from the middle
    const [left, top] = [x * (radius + AXIS_GAP), y * (radius + AXIS_GAP)];
    if (Math.abs(x) < 0.01) return { left: -wide / 2, right: wide / 2, top: y < 0 ? top - high : top, bottom: y < 0 ? top : top + high };
    return { left: x < 0 ? left - wide : left, right: x < 0 ? left : left + wide, top: top - high / 2, bottom: top + high / 2 };
  };
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const placed = (option, px, type, split) => {
    const scale = type / AXIS, across = px / scale, all = labels(option, split);
    const widest = Math.min(...all.filter(({ x }) => Math.abs(x) >= 0.01)
      .map(({ x, wide }) => (across / 2 - EDGE - wide) / Math.abs(x) - AXIS_GAP));
    const radius = Math.min(widest, RADIUS_PX_MAX / scale), boxes = all.map((one) => box(one, radius));
    const clash = boxes.some((one, place) => boxes.slice(place + 1).some((other) => meet(one, other)));
    return { scale, across, all, radius, boxes, fits: radius * scale >= RADIUS_PX_MIN && !clash };
  };
  const radar = (given, px) => {
    const option = copy(given);
    let fit = null;
    for (let type = chosen(); type >= TYPE_PX_MIN && !(fit && fit.fits); type -= 1) {
      fit = placed(option, px, type, false);
      if (!fit.fits) fit = placed(option, px, type, true);
    }
    const { scale, across, all, radius, boxes } = fit;
    const middle = EDGE - Math.min(...boxes.map((one) => one.top)), lowest = middle + Math.max(...boxes.map((one) => one.bottom));
    const legend = option.legend, long = legend.data.reduce((sum, { name }) => sum + 48 + width(name, AXIS), 48);
    const stacked = long > across - 2 * EDGE;
    Object.assign(legend, { top: lowest + 28, bottom: null, itemGap: stacked ? 18 : 48, selectedMode: true, orient: stacked ? "vertical" : "horizontal" });
    Object.assign(legend.textStyle, { fontSize: AXIS, padding: [0, 0, 0, 8] });
    Object.assign(option.radar, { axisNameGap: AXIS_GAP, center: [across / 2, middle], radius: Math.max(radius, 40) });
    option.radar.indicator.forEach((one, place) => { one.name = all[place].text; });
    return { option, scale, across, down: lowest + 28 + (stacked ? 116 : 58) + EDGE };
  };

  // ---- drawing ----
  const draw = (place, data) => {
    const px = place.clientWidth;
    if (!px) return;
    const { option, scale, across, down } = (data.option.radar ? radar : board)(data.option, px);
    if (place.chart) place.chart.dispose();
    const paper = place.firstElementChild;
    Object.assign(place.style, { height: down * scale + "px", overflow: "hidden" });
    Object.assign(paper.style, { width: across + "px", height: down + "px", transform: `scale(${scale})`, transformOrigin: "0 0" });
    place.chart = echarts.init(paper, null, { devicePixelRatio: (window.devicePixelRatio || 1) * scale });
    place.chart.on("finished", () => { place.dataset.drawn = chosen(); });
    place.chart.setOption(option);
    place.drawnFor = px + "/" + chosen();
  };

  // Draws into an empty `place`, and again whenever its width or the size of the text changes. Rejects without ECharts.
  const show = async (place, data) => {
    await load();
    place.append(document.createElement("div"));
    const again = () => requestAnimationFrame(() => {
      if (!place.isConnected) { resized.disconnect(); restyled.disconnect(); return; }
      if (place.drawnFor !== place.clientWidth + "/" + chosen()) draw(place, data);
    });
    const resized = new ResizeObserver(again), restyled = new MutationObserver(again);
    draw(place, data);
    resized.observe(place);
    restyled.observe(root, { attributes: true, attributeFilter: ["style"] });
  };
  return { show };
})();
