// Which socket: as kaspad-taskctl finds it, or as KASPAD_TASKD_SOCKET says.
"use strict";

const SYSTEM = "/run/kaspad-taskd/rpc.sock";
const READERS = "watch.sock"; // beside it, for those who only read
const LONGEST = 107; // bytes: beyond, Node before 24 cuts the path in silence, and reaches another

/** The system's socket, then this user's own. */
function candidates() {
  const own = process.env.XDG_RUNTIME_DIR;
  return own ? [SYSTEM, `${own}/kaspad-taskd/rpc.sock`] : [SYSTEM];
}

/** Where to look, the first that answers counts. */
function placesOf(path) {
  const named = path || process.env.KASPAD_TASKD_SOCKET;
  return named ? [named] : candidates();
}

/** Why no socket can have this path, or null. */
function badPath(path) {
  if (typeof path !== "string" || path === "") return "it is no path";
  if (path.includes("\0")) return "it holds a zero byte";
  const bytes = Buffer.byteLength(path);
  return bytes > LONGEST ? `it has ${bytes} bytes, and a socket's path at most ${LONGEST}` : null;
}

/** The socket beside it for who only reads; null where this is it, or none can be there. */
function readersOf(path) {
  const readers = `${path.slice(0, path.lastIndexOf("/") + 1)}${READERS}`;
  return path.endsWith(`/${READERS}`) || badPath(readers) ? null : readers;
}

/** The reason in one word of what connecting or reading ended with. */
function reasonOf(error) {
  const reason = {
    ENOENT: "missing", ENOTDIR: "missing", EACCES: "forbidden", EPERM: "forbidden",
    ECONNREFUSED: "refused", EAGAIN: "refused", EINVAL: "bad-path", ENAMETOOLONG: "bad-path",
  }[error?.code];
  return reason ?? "closed";
}

const TELLING = ["forbidden", "bad-path", "timeout", "refused", "not-taskd", "closed", "missing"];

/** Of several faults the one that says most. */
function mostTelling(faults) {
  const rank = (fault) => TELLING.indexOf(fault.reason);
  return faults.reduce((best, one) => (rank(one) < rank(best) ? one : best));
}

Object.assign(exports, { badPath, candidates, mostTelling, placesOf, READERS, readersOf, reasonOf, SYSTEM });
