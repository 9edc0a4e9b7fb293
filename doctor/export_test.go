package doctor

// Judge judges a report again.
func (r *Report) Judge(o Options) []Finding { return r.judge(o) }
