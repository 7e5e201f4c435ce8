// The same classes for `import`: those of the CommonJS file, so that `instanceof` holds across both.
import taskd from "./index.cjs";

export const { BackgroundTaskManager, TaskdError, TaskdSocket } = taskd;
export default taskd;
