// What a wizard registers, as the daemon takes it.
"use strict";

const { TYPE } = require("./shapes.cjs");

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const SHORTEST = 250; // ms between two looks of the daemon's
const FACTS = 60;
const TEXT = 200;
const INTERVAL = 10_000;
const LONGEST = 2 ** 31 - 1; // ms that a timer can wait
const HEADER = ["timeout", "autoSwitch", "confirmations", "stallAfter", "giveUpAfter", "after", "keepWatching"];
const WATCHED = ["node-sync", "indexer-sync", "database-migration", "http-json"]; // the daemon can look itself

/** A "no" of the wizard's own. */
class Plain extends Error {}

/** What this process keeps of a registration; throws Plain. */
function ownOf(config) {
  const { id, type, service } = config ?? {};
  if (!id || !type || !service) throw new Plain("Missing required fields: id, type, service");
  const given = config.statusChecker;
  const statusChecker = typeof given === "function" ? given : null;
  return {
    id: String(id), type: String(type), service: String(service), config: config.config ?? {},
    checkInterval: msOf(config, "checkInterval") ?? INTERVAL,
    timeout: msOf(config, "timeout") ?? (statusChecker ? msOf(config.config ?? {}, "timeout") : null),
    statusChecker, onComplete: typeof config.onComplete === "function" ? config.onComplete : null,
    onRelapse: config.onRelapse === true, waits: false, failing: null, ended: null, rich: null, news: 0,
    reports: statusChecker !== null || !WATCHED.includes(type), header: pick(config, HEADER),
  };
}

/** The registration of a node's sync, in the wizard's words. */
function nodeSync(given = {}) {
  const { service, host = "localhost", port = 16110, useHttps = false, timeout = 5000 } = given;
  const autoSwitch = given.autoSwitch !== false;
  const { network, ...more } = pick(given, ["onComplete", "onRelapse", "statusChecker", "network"]);
  const config = { host, port, useHttps, timeout, autoSwitch, ...(network ? { network } : {}) };
  return { id: service && `node-sync-${service}`, type: "node-sync", service, config, ...more, checkInterval: given.checkInterval };
}

/** That of an indexer's. */
function indexerSync(given = {}) {
  const { service, indexerUrl, flavor, checkInterval } = given;
  const more = pick(given, ["onComplete", "onRelapse", "statusChecker"]);
  const config = { indexerUrl, ...(flavor ? { flavor } : {}) };
  return { id: service && `indexer-sync-${service}`, type: "indexer-sync", service, config, ...more, checkInterval };
}

/** `registerTask`'s argument: watched by the daemon, or, where this process looks, reported. */
function definitionOf(own) {
  const { id, type, checkInterval } = own;
  const head = { id, start: false, checkInterval: Math.max(SHORTEST, checkInterval) };
  if (own.reports) return { ...head, ...pick(own.header, ["after", "stallAfter"]), type: "report", service: nameOf(own.service) };
  const { useHttps: _none, timeout, autoSwitch, indexerUrl, checkInterval: _pace, ...config } = own.config;
  const known = { ...own.header };
  if (timeout) known.timeout ??= timeout;
  if (autoSwitch !== undefined) known.autoSwitch ??= autoSwitch;
  if (indexerUrl) config.url = indexerUrl;
  return { ...head, ...known, type, service: own.service, config };
}

/** Whether the daemon refused what only lacks how to look: a wizard registers it all the same. */
function lacksHow(own, error) {
  const faults = error.data?.faults ?? [];
  const lacks = (one) => ["config", "config.flavor", "config.dsn", "config.tool", "config.url"].includes(one.key);
  const kind = own.type === "indexer-sync" || own.type === "database-migration";
  return kind && error.reason === "invalid-definition" && faults.length > 0 && faults.every(lacks);
}

/** A service's name as the daemon allows it. */
function nameOf(service) {
  if (NAME.test(service) && service.length <= 64) return service;
  return service.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 64) || "service";
}

/** Metadata as the daemon keeps it: numbers, booleans, texts to 200 characters; of a report its own type. */
function factsOf(metadata, own) {
  const facts = own?.reports ? { [TYPE]: own.type.slice(0, TEXT) } : {};
  for (const [key, value] of Object.entries(metadata ?? {}).slice(0, FACTS)) {
    if (typeof value === "boolean" || Number.isFinite(value)) facts[key] = value;
    else if (typeof value === "string") facts[key] = value.slice(0, TEXT);
    else if (value !== null && typeof value === "object") facts[key] = (JSON.stringify(value) ?? "").slice(0, TEXT);
  }
  return facts;
}

/** A time in ms that a registration names, or null; throws Plain: with one that is none a timer never waits. */
function msOf(from, key) {
  const value = from[key] ?? null;
  const ms = typeof value === "string" ? Number(value) : value;
  if (ms === null || (typeof ms === "number" && ms > 0 && ms <= LONGEST)) return ms;
  throw new Plain(`${key} must be a time in ms, from 1 to ${LONGEST}`);
}

/** A checker's progress as a percentage. */
function percentOf(value) {
  const number = Number(value) || 0;
  return Math.min(100, Math.max(0, number));
}

function pick(from, keys) {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]));
}

Object.assign(exports, { definitionOf, factsOf, indexerSync, lacksHow, nodeSync, ownOf, percentOf, Plain });
