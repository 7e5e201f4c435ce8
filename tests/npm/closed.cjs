// Asks a daemon whose socket it may not use: node closed.cjs PACKAGE SOCKET.
"use strict";

const [module_, path] = process.argv.slice(2);
const { BackgroundTaskManager, TaskdSocket } = require(module_);
const client = new TaskdSocket({ path });
const manager = new BackgroundTaskManager(null, { path });

(async () => {
  const socket = await client.call("ping").catch(({ reason, text }) => [reason, text]);
  console.log(JSON.stringify({ socket, manager: await manager.registerTask({ id: "a", type: "b", service: "c" }) }));
  client.close();
  manager.shutdown();
})();
