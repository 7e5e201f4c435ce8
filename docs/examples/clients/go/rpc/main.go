// One call and one event over the Unix socket, with the types that quicktype made.
// rpc SOCKET SERVICE
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"

	"example/taskd/taskd"
)

type message struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func send(line net.Conn, id int, method string, params interface{}) {
	request := map[string]interface{}{"jsonrpc": "2.0", "id": id, "method": method, "params": params}
	must(json.NewEncoder(line).Encode(request)) // ends with a newline
}

func main() {
	line, err := net.Dial("unix", os.Args[1])
	must(err)
	patience := "1h"
	wanted := taskd.Registration{
		Type: taskd.Report, Service: os.Args[2], StallAfter: &taskd.TimeSpan{String: &patience},
	}
	send(line, 1, "subscribe", []int{})
	send(line, 2, "registerTask", wanted)
	var answer *taskd.Registered
	var event *taskd.Event
	reader := bufio.NewReader(line)
	for answer == nil || event == nil {
		text, err := reader.ReadBytes('\n')
		must(err)
		var came message
		must(json.Unmarshal(text, &came))
		if came.ID == 2 {
			found, err := taskd.UnmarshalRegistered(came.Result)
			must(err)
			answer = &found
		} else if came.Method == "event" {
			found, err := taskd.UnmarshalEvent(came.Params)
			must(err)
			if found.Event == "sync:start" {
				event = &found
			}
		}
	}
	data, err := json.Marshal(event.Data)
	must(err)
	start, err := taskd.UnmarshalSyncStartEvent(data)
	must(err)
	fmt.Println(answer.Task.ID, answer.Task.Status, event.Event, start.Attempt)
}
