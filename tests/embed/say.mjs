// Reads {script, now, tasks}; tells what a card says of each task.
import { readFileSync } from "node:fs";

const { script, now, tasks } = JSON.parse(readFileSync(0, "utf8"));
const source = readFileSync(new URL(script), "utf8");
const { view } = await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`);
console.log(JSON.stringify(tasks.map((task) => view(task, now))));
