// One call and one event over the Unix socket, with the client that @open-rpc/generator made.
// node rpc.js SOCKET SERVICE
import { createConnection, Socket } from "node:net";
import { createInterface } from "node:readline";
import { Client, RequestManager } from "@open-rpc/client-js";
import { JSONRPCRequestData, getNotifications } from "@open-rpc/client-js/build/Request";
import { Transport } from "@open-rpc/client-js/build/transports/Transport";
import KaspadTaskd, { Event, Registration } from "../client/typescript/src/index";

/** What the generator has no transport for: a JSON text a line on a Unix socket. */
class UnixTransport extends Transport {
  private socket: Socket;

  constructor(path: string) {
    super();
    this.socket = createConnection(path);
  }

  public connect(): Promise<void> {
    createInterface({ input: this.socket }).on("line", (line) => this.transportRequestManager.resolveResponse(line));
    return Promise.resolve();
  }

  public sendData(data: JSONRPCRequestData, timeout: number | null = null): Promise<unknown> {
    const answer = this.transportRequestManager.addRequest(data, timeout);
    this.socket.write(`${JSON.stringify(this.parseData(data))}\n`);
    this.transportRequestManager.settlePendingRequest(getNotifications(data));
    return answer;
  }

  public close(): void {
    this.socket.destroy();
  }
}

async function main(path: string, service: string): Promise<void> {
  const taskd = new KaspadTaskd({ transport: { type: "http", host: "localhost", port: 80 } });
  taskd.rpc = new Client(new RequestManager([new UnixTransport(path)]));
  const started = new Promise<Event>((resolve) => {
    taskd.onNotification(({ params }: { params: Event }) => {
      if (params.event === "sync:start") resolve(params);
    });
  });
  await taskd.subscribe();
  const wanted: Registration = { type: "report", service, stallAfter: "1h" };
  const { task } = await taskd.registerTask(wanted);
  const { event, data } = await started;
  console.log(task.id, task.status, event, data.attempt);
  process.exit();
}

void main(process.argv[2], process.argv[3]);
