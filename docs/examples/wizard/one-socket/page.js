// A wizard's page as it was written for the manager of old: one socket, the task list keyed by what
// events bring, numbers that are formatted without a look at them, texts put into innerHTML.
const socket = io();
const at = (id) => document.getElementById(id);
const tasks = new Map();

at("install").addEventListener("submit", (event) => {
  event.preventDefault();
  const port = Number(new FormData(event.target).get("port"));
  socket.emit("install:start", { profiles: ["core", "indexer"] });
  socket.emit("task:register", {
    type: "node-sync", service: "kaspa-node",
    config: { host: "localhost", port, autoSwitch: true, useHttps: false, timeout: 5000, checkInterval: 1000 },
  });
});

socket.on("install:progress", ({ stage, progress }) => (at("installed").innerHTML = `${stage}: ${progress.toFixed(0)} %`));
socket.on("install:complete", () => (at("installed").innerHTML = "Installed"));

// The dialog: what to do while the node syncs.
socket.on("sync:required", ({ nodeKey, syncStatus, estimatedTime, options }) => {
  const choices = options.map(({ id, label, description, recommended }) =>
    `<label><input type="radio" name="choice" value="${id}" ${recommended ? "checked" : ""}>${label}</label><p>${description}</p>`);
  at("dialog").innerHTML = `<p>${syncStatus.percentage.toFixed(1)} % of ${nodeKey}, ${estimatedTime}</p>${choices.join("")}
    <button id="choose">Continue</button><button id="pause">Pause</button><button id="resume">Resume</button>`;
  at("choose").onclick = () => {
    socket.emit("sync:strategy-chosen", { choice: document.querySelector("[name=choice]:checked").value, nodeKey });
    at("choose").remove();
  };
  at("pause").onclick = () => socket.emit("sync:pause");
  at("resume").onclick = () => socket.emit("sync:resume");
});

socket.on("sync:progress", (data) => update({ status: "in-progress", progress: 0, ...data }));
socket.on("sync:complete", (data) => update(data));
socket.on("sync:error", ({ service, error }) => (at("help").innerHTML = `<b>${service}</b>: ${error}`));
socket.on("node:ready", ({ service }) => (at("ready").innerHTML = `${service} is ready`));
socket.on("task:error", ({ error }) => (at("help").innerHTML = error));

function update(data) {
  const { taskId: id } = data;
  tasks.set(id, { ...tasks.get(id), id, ...data });
  at("tasks").innerHTML = [...tasks.values()].map(line).join("");
}

function line({ id, service, status, progress, syncRate, formattedTimeRemaining, message }) {
  const mark = { complete: "✓", error: "✗" }[status] ?? "⚙";
  const rate = syncRate === undefined ? "" : `${syncRate.toFixed(1)} blocks/s`;
  const shown = progress ? `${progress.toFixed(1)} %` : status;
  return `<li id="${id}">${mark} ${service}: ${shown} ${rate} ${formattedTimeRemaining ?? ""} <i>${message ?? ""}</i></li>`;
}
