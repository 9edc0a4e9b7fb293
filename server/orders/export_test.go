package orders

import "time"

// SetPatience is how long a call may keep others from a lane; set it before the first order.
func (q *Queue) SetPatience(d time.Duration) { q.patience = d }
