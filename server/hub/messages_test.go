package hub

import (
	"bytes"
	"slices"
	"testing"
)

func TestMessagesAreReadAsTheyWereJoined(t *testing.T) {
	t.Parallel()
	var joined Messages
	var texts [][]byte
	for _, length := range []int{0, 1, 125, 126, 127, 65535, 65536, 70000, 2} {
		text := bytes.Repeat([]byte("x"), length)
		texts = append(texts, text)
		message := Message(text)
		if again := inPlace(append(make([]byte, maxHeader), text...)); !bytes.Equal(again, message) {
			t.Fatalf("of %d bytes: in place % x, else % x", length, again[:4], message[:4])
		}
		joined = append(joined, message...)
	}
	if got := slices.Collect(joined.Texts()); !slices.EqualFunc(got, texts, bytes.Equal) {
		t.Fatalf("%d messages, want %d", len(got), len(texts))
	}
	for cut := range 300 {
		for range joined[:len(joined)-cut].Texts() { // it does not panic
			continue
		}
	}
}
