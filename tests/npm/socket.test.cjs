// TaskdSocket against a scripted daemon on a real socket: what Node's sockets do, and what is made of it.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { once } = require("node:events");
const { test } = require("node:test");
const { TaskdError, TaskdSocket } = require(process.env.PACKAGE);
const { Daemon, no, place } = require("./scripted.cjs");
const { until } = require("./until.cjs");

const gap = (data = {}) => no(-32007, "gap", { reason: "gap", oldest: 1, seq: 9, ...data });

async function with_(answers, run, options = {}) {
  const daemon = await new Daemon(answers).start();
  const taskd = new TaskdSocket({ path: daemon.path, ...options });
  try {
    return await run(taskd, daemon);
  } finally {
    taskd.close();
    daemon.stop();
  }
}

const events = (taskd) => {
  const told = [];
  taskd.on("event", ({ seq, event }) => told.push(`${seq} ${event}`));
  return told;
};

test("a result is returned, a refusal has its reason, its data and a cure", () =>
  with_({ getTask: no(-32001, "There is no task a.", { reason: "not-found", taskId: "a" }) }, async (taskd) => {
    assert.deepEqual(await taskd.call("ping"), { pong: true });
    const error = await taskd.call("getTask", { taskId: "a" }).catch((no) => no);
    assert.ok(error instanceof TaskdError);
    assert.deepEqual([error.code, error.reason, error.data.taskId], [-32001, "not-found", "a"]);
    assert.equal(error.text, "There is no task a. kaspad-taskctl list --ids");
  }));

test("a daemon without the method is too old, and the text says so", () =>
  with_({}, async (taskd) => {
    const error = await taskd.call("newest").catch((no) => no);
    assert.equal(error.reason, "no-such-method");
    assert.match(error.text, /does not know newest: it is older than this client \(\d+\.\d+\.\d+\)/);
  }));

test("answers of many packets, with letters of several bytes cut in two, come whole", () =>
  with_({ getAllTasks: () => Array.from({ length: 5_000 }, (_, n) => ({ id: `${n}`, note: "ä€😀".repeat(20) })) }, async (taskd) => {
    const tasks = await taskd.call("getAllTasks");
    assert.equal(tasks.length, 5_000);
    assert.equal(tasks.at(-1).note, "ä€😀".repeat(20));
  }));

test("calls made together are written together, and no more than 64 are asked at once", () => {
  const open = [];
  const slow = (_params, line) => void open.push(line);
  return with_({ slow }, async (taskd, daemon) => {
    await taskd.call("ping");
    daemon.chunks = 0;
    const calls = Array.from({ length: 100 }, () => taskd.call("slow", {}, { deadline: 60_000 }).catch((no) => no.reason));
    await until(() => open.length === 64);
    assert.ok(daemon.chunks < 10, `${daemon.chunks} packets`);
    assert.equal(daemon.asked.filter(({ method }) => method === "slow").length, 64);
    daemon.drop();
    const how = await Promise.all(calls.slice(0, 64));
    assert.deepEqual(new Set(how), new Set(["closed"])); // whether those were done is not known
    await until(() => open.length === 100); // what had not been sent is sent
    daemon.drop();
    await Promise.all(calls);
  });
});

test("a path over 107 bytes is refused: Node itself would reach another socket in silence", async () => {
  const daemon = await new Daemon().start();
  const long = path.join(place, "x".repeat(107 - place.length));
  const error = await new TaskdSocket({ path: long }).call("ping").catch((no) => no);
  assert.equal(error.reason, "bad-path");
  assert.match(error.text, /it has 108 bytes, and a socket's path at most 107/);
  daemon.stop();
});

test("no socket, nobody on it, no permission: each has its reason, its sentence and its cure", async (t) => {
  const of = (where) => new TaskdSocket({ path: where, patience: 30 }).call("ping").catch((no) => no);
  const missing = await of(path.join(place, "none.sock"));
  assert.equal(missing.reason, "missing");
  assert.match(missing.text, /^cannot reach kaspad-taskd: it has no socket at .*none.sock\. Start it: kaspad-taskd --runtime-dir /);
  fs.writeFileSync(path.join(place, "file.sock"), "");
  const refused = await of(path.join(place, "file.sock"));
  assert.equal(refused.reason, "refused");
  assert.match(refused.text, /nobody listens on .*\. It has ended\. Start it: /);
  if (process.getuid() === 0) return t.diagnostic("root may open any socket");
  const daemon = await new Daemon().start();
  fs.chmodSync(daemon.path, 0);
  assert.equal((await of(daemon.path)).reason, "forbidden");
  return daemon.stop();
});

test("a call waits for a daemon that restarts", async () => {
  const daemon = new Daemon();
  const taskd = new TaskdSocket({ path: daemon.path, patience: 60_000 });
  const answer = taskd.call("ping");
  await once(taskd, "disconnect");
  await daemon.start();
  assert.deepEqual(await answer, { pong: true });
  taskd.close();
  daemon.stop();
});

test("a restart between two calls is not noticed; a read under way is asked again, a change is not", () => {
  let times = 0;
  const hangUp = (_params, line) => {
    times += 1;
    if (times > 1) return { times };
    return void line.destroy();
  };
  return with_({ getTask: hangUp, cancelTask: (_params, line) => void line.destroy() }, async (taskd, daemon) => {
    await taskd.call("ping");
    daemon.stop();
    await daemon.start();
    assert.deepEqual(await taskd.call("ping"), { pong: true });
    assert.deepEqual(await taskd.call("getTask"), { times: 2 });
    await assert.rejects(taskd.call("cancelTask"), { reason: "closed" });
    assert.equal(daemon.asked.filter(({ method }) => method === "cancelTask").length, 1);
  }, { patience: 60_000 });
});

test("an answer that does not come is an error after the deadline, and the line serves on", () =>
  with_({ getTask: () => undefined }, async (taskd) => {
    await assert.rejects(taskd.call("getTask", {}, { deadline: 30 }), { reason: "timeout" });
    assert.deepEqual(await taskd.call("ping"), { pong: true });
  }));

test("a daemon that takes nothing any more is let go of, and the next one is found", async () => {
  const daemon = await new Daemon().start();
  const serve = daemon.serve;
  daemon.serve = function (line) {
    daemon.lines.add(line.on("error", () => {}).pause());
  };
  const taskd = new TaskdSocket({ path: daemon.path, stuck: 50, patience: 60_000 });
  const text = "x".repeat(500_000);
  const calls = Array.from({ length: 10 }, () => taskd.call("put", { text }).catch((no) => no.reason));
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(["timeout"]));
  daemon.serve = serve;
  assert.deepEqual(await taskd.call("ping"), { pong: true });
  taskd.close();
  daemon.stop();
});

test("what answers with something else is no daemon", async () => {
  const server = net.createServer((line) => line.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const where = path.join(place, "http.sock");
  await once(server.listen(where), "listening");
  await assert.rejects(new TaskdSocket({ path: where }).call("ping"), { reason: "not-taskd" });
  server.close();
});

test("each event is told once and in order, over restarts, from where it was", () => {
  const told = [];
  const answers = {
    subscribe: ({ after, journal }) => ({ seq: after ?? 4, journal: journal ?? "j", ...(after ? {} : { tasks: [] }) }),
    getEvents: ({ after }) => ({ events: told.filter((one) => one.seq === after + 1), seq: 9, oldest: 1 }),
  };
  return with_(answers, async (taskd, daemon) => {
    const heard = events(taskd);
    const tell = (seq, event) => {
      told.push({ seq, event, data: { timestamp: `t${seq}` } });
      daemon.tell(seq, event);
    };
    const first = await taskd.subscribe();
    assert.deepEqual([first.seq, first.journal, first.tasks], [4, "j", []]);
    tell(5, "sync:start");
    daemon.tell(5, "sync:progress");
    await until(() => heard.length === 2);
    daemon.stop();
    await daemon.start();
    await once(taskd, "resume");
    assert.deepEqual(daemon.asked.filter(({ method }) => method === "subscribe").at(-1).params, { after: 5, journal: "j" });
    daemon.tell(5, "sync:start"); // a second time
    tell(6, "sync:complete");
    await until(() => heard.length === 3);
    assert.deepEqual(heard, ["5 sync:start", "5 sync:progress", "6 sync:complete"]);
    assert.deepEqual([taskd.seq, taskd.journal], [6, "j"]);
  });
});

for (const [why, again] of [
  ["is not kept any more", { subscribe: gap() }],
  ["is of another journal", { getEvents: () => ({ events: [{ seq: 5, event: "sync:start", data: { timestamp: "else" } }], seq: 9, oldest: 1 }) }],
  ["is beyond the last, though the journal has its name", { getEvents: gap({ seq: 3 }) }],
]) {
  test(`where what it knows ${why} it starts over, and says so`, () => {
    const begin = { subscribe: ({ after }) => ({ seq: after ?? 4, journal: "j", ...(after ? {} : { tasks: [] }) }) };
    return with_({ ...begin }, async (taskd, daemon) => {
      const gaps = [];
      taskd.on("gap", (error) => gaps.push(error.reason));
      taskd.on("resume", () => assert.fail("it has not gone on"));
      const heard = events(taskd);
      await taskd.subscribe();
      daemon.tell(5, "sync:start");
      await until(() => heard.length === 1);
      const fresh = () => ({ seq: 20, journal: "other", tasks: [{ id: "a" }] });
      Object.assign(daemon.answers, { getEvents: () => assert.fail(), ...again });
      const refuse = daemon.answers.subscribe;
      daemon.answers.subscribe = (params) => (params.after === undefined ? fresh() : refuse(params));
      daemon.drop();
      const [snapshot] = await once(taskd, "snapshot");
      assert.deepEqual([snapshot.seq, snapshot.journal, snapshot.tasks], [20, "other", [{ id: "a" }]]);
      assert.deepEqual(gaps, ["gap"]);
      daemon.tell(21, "sync:start");
      await until(() => heard.length === 2);
    });
  });
}

test("a reader that was too slow is told so, and starts over", () =>
  with_({ subscribe: ({ after }) => ({ seq: after ?? 4, journal: "j", tasks: [] }) }, async (taskd, daemon) => {
    await taskd.subscribe();
    const gaps = once(taskd, "gap"), snapshot = once(taskd, "snapshot");
    const error = { code: -32007, message: "gap", data: { reason: "gap" } };
    for (const line of daemon.lines) line.write(`${JSON.stringify({ id: null, error })}\n`);
    assert.equal((await gaps)[0].reason, "gap");
    assert.equal((await snapshot)[0].seq, 4);
  }));

test("it tries for ever, more and more rarely, and holds no process that has nothing else to do", async () => {
  const script = `
    const { TaskdSocket } = require(process.env.PACKAGE);
    const taskd = new TaskdSocket({ path: "/nowhere/rpc.sock" }).unref();
    const at = [];
    taskd.on("disconnect", () => at.push(Date.now()) === 5 && console.log(JSON.stringify(at)));
    taskd.subscribe();
    setTimeout(() => {}, Number(process.argv[1]));`;
  const run = (ms) => require("node:child_process").execFileSync(process.execPath, ["-e", script, `${ms}`]).toString();
  const at = JSON.parse(run(4_000) || "[]");
  const pauses = at.slice(1).map((one, n) => one - at[n]);
  assert.ok(pauses.every((pause, n) => pause >= 37 * 2 ** n), `${pauses}`);
  assert.equal(run(0), "");
});

test("after close nothing is asked, and what was asked is answered", () =>
  with_({ getTask: () => undefined }, async (taskd) => {
    await taskd.call("ping");
    const call = taskd.call("getTask");
    await new Promise(setImmediate);
    taskd.close();
    await assert.rejects(call, { reason: "closed" });
    await assert.rejects(taskd.call("ping"), { reason: "closed" });
    await assert.rejects(taskd.subscribe(), { reason: "closed" });
  }));
