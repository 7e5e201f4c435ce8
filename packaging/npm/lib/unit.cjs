// Who starts the daemon of a socket, so that a cure can name the command: the system's systemd, this
// user's own, or somebody by hand. The same rules as kaspad_taskd/client/unit.py.
"use strict";

const { existsSync } = require("node:fs");
const { candidates, READERS, SYSTEM } = require("./places.cjs");

const UNIT = "kaspad-taskd.service";
const RUNNING = "/run/systemd/system"; // is there while systemd runs
const PLACES = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];

/** "system", "user" or "hand". */
function startedBy(path) {
  const first = beside(path);
  if (first === SYSTEM && systemHasIt()) return "system";
  return candidates().includes(first) && process.env.XDG_RUNTIME_DIR && userHasIt() ? "user" : "hand";
}

/** The daemon's first socket, where this is the one of who only reads. */
function beside(path) {
  return path.endsWith(`/${READERS}`) ? path.slice(0, -READERS.length) + "rpc.sock" : path;
}

function systemHasIt() {
  const places = [...PLACES.map((place) => `${place}/system`), "/lib/systemd/system"];
  return existsSync(RUNNING) && places.some(hasUnit);
}

function userHasIt() {
  const home = process.env.HOME || "/";
  const config = process.env.XDG_CONFIG_HOME || `${home}/.config`;
  const data = process.env.XDG_DATA_HOME || `${home}/.local/share`;
  const own = [`${config}/systemd/user`, `${data}/systemd/user`];
  return [...own, ...PLACES.map((place) => `${place}/user`)].some(hasUnit);
}

function hasUnit(directory) {
  return existsSync(`${directory}/${UNIT}`);
}

exports.beside = beside;
exports.startedBy = startedBy;
