package hub_test

import (
	"testing"
	"testing/synctest"

	"github.com/pgtape/pgtape/server/hub"
)

// A client that has only just come back is not slow, however near the ring's end its cursor was.
func TestAReplayIsNotOvertakenAtTheRingsEnd(t *testing.T) {
	for _, after := range []int64{1, 300, 600} {
		withHub(t, map[string]int64{"rain": 1}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			w := connect(h)
			w.client.Subscribe("rain", "", hub.Tape)
			synctest.Wait()
			db.set("rain", 1500)
			publish(h, "rain", 2, 1500)
			late := connectStalled(h)
			late.client.Subscribe("rain", cursor("a", "rain", after), hub.Tape)
			synctest.Wait()
			for i := int64(1501); i <= 1900; i++ {
				db.set("rain", i)
				publish(h, "rain", i, i)
				synctest.Wait()
				if late.closeCode() != 0 {
					t.Fatalf("after %d: closed %d when %d events were published since it joined", after, late.closeCode(), i-1500)
				}
			}
		})
	}
}
