// How components look: tokens of ours, each of which the page may set as `--kaspad-...`.

const CSS = `
:host {
  --_font: var(--kaspad-font, system-ui, sans-serif);
  --_text: var(--kaspad-text, #16202A); --_muted: var(--kaspad-muted, #52606D);
  --_surface: var(--kaspad-surface, #FFFFFF); --_line: var(--kaspad-line, #D5DBE1);
  --_track: var(--kaspad-track, #E3E8ED); --_moving: var(--kaspad-moving, #2451C4);
  --_done: var(--kaspad-done, #117A68); --_attention: var(--kaspad-attention, #704500);
  --_failure: var(--kaspad-failure, #C4123F); --_quiet: var(--kaspad-quiet, #414B55);
  --_edge: #6F7B87; --_warm: #FFF1D6; --_red: #FDEBEC;
  --_radius: var(--kaspad-radius, 8px); --_space: var(--kaspad-space, 16px);
  display: block; font: 400 16px/24px var(--_font); color: var(--_text);
  font-variant-numeric: tabular-nums; text-align: start;
}
@supports (color: light-dark(#000, #fff)) {
  :host {
    --_text: var(--kaspad-text, light-dark(#16202A, #E8EDF2));
    --_muted: var(--kaspad-muted, light-dark(#52606D, #A3AFBB));
    --_surface: var(--kaspad-surface, light-dark(#FFFFFF, #171E25));
    --_line: var(--kaspad-line, light-dark(#D5DBE1, #2C3742));
    --_track: var(--kaspad-track, light-dark(#E3E8ED, #2C3742));
    --_moving: var(--kaspad-moving, light-dark(#2451C4, #6C9BF5));
    --_done: var(--kaspad-done, light-dark(#117A68, #A3F0C8));
    --_attention: var(--kaspad-attention, light-dark(#704500, #F7C532));
    --_failure: var(--kaspad-failure, light-dark(#C4123F, #F9586E));
    --_quiet: var(--kaspad-quiet, light-dark(#414B55, #A0A8B0));
    --_edge: light-dark(#6F7B87, #76848F);
    --_warm: light-dark(#FFF1D6, #33270F); --_red: light-dark(#FDEBEC, #3D1A20);
  }
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
p, ul, fieldset { margin: 0; padding: 0; border: 0; }
ul { list-style: none; }
.box { background: var(--_surface); border: 1px solid var(--_line); border-radius: var(--_radius);
  padding: var(--_space); }
.stack { display: flex; flex-direction: column; gap: calc(var(--_space) / 2); }
.head { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: baseline; }
.head svg { align-self: center; flex: none; }
.grow { flex: 1 1 auto; }
.name { font-weight: 650; font-size: 18px; overflow-wrap: anywhere; min-width: 0; }
.name a { color: var(--_moving); }
.muted, .facts { color: var(--_muted); font-size: 14px; line-height: 20px; }
.line { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 16px; }
.line:not(:has(> :not([hidden]))) { display: none; }
.number { font-size: 20px; line-height: 28px; }
.facts .number { font-size: inherit; line-height: inherit; color: var(--_text); }
.moving { color: var(--_moving); } .done { color: var(--_done); }
.attention { color: var(--_attention); } .failure { color: var(--_failure); }
.quiet { color: var(--_quiet); }
.state { font-weight: 650; }
.banner { border-inline-start: 3px solid currentColor; padding: 6px 12px; border-radius: 4px;
  font-size: 14px; line-height: 20px; overflow-wrap: anywhere; }
.banner.attention { background: var(--_warm); } .banner.failure { background: var(--_red); }
.banner.quiet, .banner.done, .banner.moving { border: 0; padding: 0; color: var(--_text); }
code { font: 400 13px/20px ui-monospace, monospace; overflow-wrap: anywhere; }
.bar { display: block; width: 100%; height: 10px; overflow: visible; }
.bar .next { fill: var(--_track); stroke: var(--_edge); stroke-width: 0.5; }
.bar .past { fill: var(--_tone); stroke: var(--_edge); stroke-width: 0.5; }
.bar:not(.creep) .past { transition: width 200ms; }
.bar .half { fill: none; stroke: var(--_tone); stroke-width: 2.4; }
.bar.moving { --_tone: var(--_moving); } .bar.done { --_tone: var(--_done); }
.bar.attention, .bar.quiet { --_tone: var(--_edge); } .bar.failure { --_tone: var(--_failure); }
.strip { display: block; width: 100%; height: 28px; fill: var(--_moving); }
.strip { touch-action: pan-y; }
.strip .none { fill: var(--_edge); } .strip .cursor { fill: none; stroke: var(--_text); vector-effect: non-scaling-stroke; }
.past { display: block; width: 100%; height: 40px; touch-action: pan-y; overflow: visible;
  border-block-end: 1px solid var(--_line); }
.past .ok { fill: var(--_done); } .past .unknown { fill: var(--_edge); }
.past .behind, .past .stalled { fill: var(--_attention); } .past .unreachable { fill: var(--_failure); }
.past .cursor { fill: none; stroke: var(--_text); vector-effect: non-scaling-stroke; }
.value { min-height: 16px; margin-top: 4px; font-size: 12px; line-height: 16px; color: var(--_muted); }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; }
button { font: inherit; min-height: 36px; padding: 4px 12px; border-radius: 6px; cursor: pointer;
  border: 1px solid var(--_edge); background: transparent; color: var(--_text); }
button:hover { border-color: var(--_text); }
button[aria-disabled="true"] { color: var(--_muted); cursor: default; }
button.main { background: var(--_moving); border-color: var(--_moving); color: var(--_surface); }
:focus-visible { outline: 2px solid var(--_moving); outline-offset: 2px; }
.option { display: flex; gap: 10px; padding: 8px; border-radius: 6px; cursor: pointer; }
.option:has(:checked) { box-shadow: inset 0 0 0 1px var(--_moving); }
.option input, .check input { accent-color: var(--_moving); flex: none; margin: 4px 0 0; width: 16px;
  height: 16px; }
.option b { font-weight: 650; display: block; }
.option .because { display: block; color: var(--_done); font-size: 14px; line-height: 20px; }
.check { display: flex; gap: 10px; cursor: pointer; }
.rows > * { padding-block: 8px; content-visibility: auto; contain-intrinsic-size: auto 3rem; }
.rows > * + * { border-block-start: 1px solid var(--_line); }
.row { display: grid; align-items: center; gap: 2px 12px; grid-template-columns: 20px 1fr auto; }
.row .name { font-size: 16px; }
.row .wide { grid-column: 2 / -1; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
dialog { font: inherit; color: var(--_text); background: var(--_surface); max-width: min(420px, 100vw - 32px);
  border: 1px solid var(--_edge); border-radius: var(--_radius); padding: 20px; }
dialog::backdrop { background: rgb(0 0 0 / 0.45); }
@media (prefers-reduced-motion: reduce) { .bar:not(.creep) .past { transition: none; } }
@media (forced-colors: active) {
  .bar .next { fill: Canvas; stroke: CanvasText; } .bar .past { fill: Highlight; }
  .bar .half { stroke: Highlight; } .strip { fill: CanvasText; }
  .past path { forced-color-adjust: none; fill: CanvasText; }
  .past .behind, .past .stalled, .past .unreachable { fill: Highlight; }
}
`;

let sheet = null;

/** Gives a shadow root its looks; a constructed sheet passes any content security policy. */
export function dress(root) {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  root.adoptedStyleSheets = [sheet];
}
