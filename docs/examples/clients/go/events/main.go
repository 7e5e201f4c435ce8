// One request and one event over the bridge, with the types that @asyncapi/modelina made.
// events URL TOKEN SERVICE
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"example/taskd/models"
)

// What Go has no library of its own for: Socket.IO 5 over Engine.IO 4, by polling.
type line struct{ url string }

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func read(answer *http.Response, err error) []string {
	must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(err)
	if answer.StatusCode != http.StatusOK {
		log.Fatal(answer.Status, " ", string(text))
	}
	return strings.Split(string(text), "\x1e")
}

func (l line) post(packet string) {
	read(http.Post(l.url, "text/plain", strings.NewReader(packet)))
}

func open(url, token string) line {
	l := line{url + "/socket.io/?EIO=4&transport=polling"}
	var hello struct {
		Sid string `json:"sid"`
	}
	must(json.Unmarshal([]byte(read(http.Get(l.url))[0][1:]), &hello))
	l.url += "&sid=" + hello.Sid
	auth, err := json.Marshal(map[string]string{"token": token})
	must(err)
	l.post("40" + string(auth))
	return l
}

func main() {
	l := open(os.Args[1], os.Args[2])
	kind := models.DefinitionTypeReport
	wanted, err := json.Marshal(models.WizardRegistration{ReservedType: &kind, Service: os.Args[3]})
	must(err)
	l.post(`421["task:register",` + string(wanted) + "]")
	var answer *models.WithTask
	var event *models.SyncStartEvent
	for answer == nil || event == nil {
		for _, packet := range read(http.Get(l.url)) {
			switch {
			case packet == "2":
				l.post("3")
			case strings.HasPrefix(packet, "431"):
				found := []*models.WithTask{}
				must(json.Unmarshal([]byte(packet[3:]), &found))
				answer = found[0]
			case strings.HasPrefix(packet, `42["sync:start",`):
				event = &models.SyncStartEvent{}
				must(json.Unmarshal([]byte(packet[len(`42["sync:start",`):len(packet)-1]), event))
			}
		}
	}
	fmt.Println(answer.Task.Id, answer.Task.Status.Value(), "sync:start", event.Attempt)
}
