// One silhouette for each state, on a grid of 16.
import { draw } from "./dom.js";

const PATHS = {
  dashed: ["M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12", { "stroke-dasharray": "2.6 2.1" }],
  ring: ["M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12"],
  arrow: ["M2 8h8M7 4.5L10.5 8L7 11.5M14 3v10"],
  arrows: ["M1.5 5.5h12M10.5 2.5l3 3l-3 3M14.5 11h-12M5.5 8l-3 3l3 3"],
  tick: ["M2.5 8.5l3.5 3.5l7.5-8"],
  hourglass: ["M4 2h8M4 14h8M5 2v2.5L8 8L11 4.5V2M5 14v-2.5L8 8L11 11.5V14"],
  plug: ["M2 14l3-3M5 7l4 4l-1 1a2.8 2.8 0 1 1-4-4zM14 2l-3 3M7 5l4 4l1-1a2.8 2.8 0 1 0-4-4z"],
  bars: ["M5.5 3v10M10.5 3v10"],
  octagon: ["M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM6 6l4 4M10 6l-4 4"],
  barred: ["M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12M4 12l8-8"],
};

/** An empty picture for `icon`; decoration, for the word beside it says the same. */
export function iconPlace() {
  return draw("svg", {
    width: 16, height: 16, viewBox: "0 0 16 16", fill: "none", stroke: "currentColor",
    "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round",
    "aria-hidden": "true",
  });
}

/** Puts the picture `name` in its place. */
export function icon(place, name, tone) {
  if (place.dataset.icon !== name) {
    const [d, more] = PATHS[name];
    place.replaceChildren(draw("path", { d, ...more }));
    place.dataset.icon = name;
  }
  if (place.getAttribute("class") !== tone) place.setAttribute("class", tone);
}
