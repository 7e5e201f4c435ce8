// What wizards import: the client, the components, the words of a card.
import { view } from "../../static/view.js";
import { TaskdClient } from "./client.js";
import { TaskdError } from "./errors.js";
import { KaspadFleet } from "./fleet-element.js";
import { KaspadHost } from "./host-element.js";
import { KaspadResume } from "./resume-element.js";
import { KaspadStrategy } from "./strategy-element.js";
import { KaspadTask } from "./task-element.js";
import { KaspadTasks } from "./tasks-element.js";

const ELEMENTS = {
  "kaspad-task": KaspadTask,
  "kaspad-tasks": KaspadTasks,
  "kaspad-strategy": KaspadStrategy,
  "kaspad-resume": KaspadResume,
  "kaspad-host": KaspadHost,
  "kaspad-fleet": KaspadFleet,
};

if (globalThis.customElements) {
  for (const [tag, element] of Object.entries(ELEMENTS)) {
    if (!customElements.get(tag)) customElements.define(tag, element);
  }
}

export {
  KaspadFleet, KaspadHost, KaspadResume, KaspadStrategy, KaspadTask, KaspadTasks, TaskdClient,
  TaskdError, view,
};
