import { TaskdSocket } from "kaspad-taskd";
const taskd = new TaskdSocket({ file: "x" });
taskd.on("events", () => {});
taskd.call("getTask", "x");
taskd.seq = 4;
taskd.on("event", ({ number }) => number);
