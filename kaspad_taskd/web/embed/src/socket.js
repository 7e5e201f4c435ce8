// The line to the bridge: Socket.IO at `socket.io/` below the bridge's address.
import { Fetch, io } from "../../static/vendor/socket.io-client-4.8.4/socket.io.esm.min.js";

const HERE = "/embed/kaspad-taskd.js";
const PATIENCE_MS = 5000;
const LOCAL = "http://127.0.0.1:3080";

/** The bridge that served this file, else the page's own origin, else this host's. */
export function usualBridge(file = import.meta.url) {
  const served = /^https?:/.test(file) && new URL(file).pathname.endsWith(HERE);
  if (served) return file.slice(0, file.lastIndexOf(HERE));
  return globalThis.location?.origin?.startsWith("http") ? globalThis.location.origin : LOCAL;
}

/** A socket to the bridge at `url`; `ws:` and `wss:` mean websocket only. */
export function openSocket(url, auth) {
  const at = new URL(url, globalThis.document?.baseURI ?? LOCAL);
  const only = at.protocol.startsWith("ws");
  return io(`${at.protocol}//${at.host}`, {
    path: `${at.pathname.replace(/\/+$/, "")}/socket.io/`,
    auth,
    transports: transports(only),
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    forceNew: true,
  });
}

/** This page's origin, where the bridge runs but does not let it in; null: it would, or does not run. */
export async function shutOut(url) {
  const origin = globalThis.location?.origin;
  const at = new URL(url, globalThis.document?.baseURI ?? LOCAL);
  at.protocol = at.protocol.replace("ws", "http");
  if (!origin) return null;
  const health = `${at.href.replace(/\/+$/, "")}/healthz`;
  if (at.origin === origin) return (await isForeign(health)) ? origin : null;
  const asked = (mode) =>
    fetch(health, { mode, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) })
      .then(() => true, () => false);
  // An answer that no page may read is an answer all the same.
  return !(await asked("cors")) && (await asked("no-cors")) ? origin : null;
}

/** Whether a proxy of this page's origin passes on what makes the bridge take the page for a foreign one. */
async function isForeign(health) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(health, { method: "POST", cache: "no-store", credentials: "omit", signal }); // with its origin
    return answer.status === 403 && Boolean((await answer.json()).setting);
  } catch {
    return false;
  }
}

function transports(only) {
  if (typeof WebSocket === "undefined") return [Fetch]; // Node 20
  return only ? ["websocket"] : ["websocket", "polling"];
}
