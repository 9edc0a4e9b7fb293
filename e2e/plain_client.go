//go:build ignore

// What anybody writes who has read the README: go run e2e/plain_client.go ws://HOST/ws MARKET EVENTS. It
// ends when it has heard so many, each a message of its own.
package main

import (
	"encoding/json"
	"log"
	"os"
	"strconv"

	"github.com/gorilla/websocket"
)

func main() {
	conn, _, err := websocket.DefaultDialer.Dial(os.Args[1], nil)
	if err == nil {
		err = conn.WriteJSON(map[string]string{"op": "subscribe", "market": os.Args[2]})
	}
	events, _ := strconv.Atoi(os.Args[3])
	for heard := 0; err == nil && heard < events; {
		var message []byte
		var frame struct{ Op string }
		if _, message, err = conn.ReadMessage(); err == nil {
			err = json.Unmarshal(message, &frame)
		}
		if frame.Op == "event" {
			heard++
		}
	}
	if err != nil {
		log.Fatal(err)
	}
}
