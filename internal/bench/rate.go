package bench

// SetRate writes into the metadata how much work is done a second: the work of one call
// by the median time of a call. Where either is zero, it writes nothing.
func (r *Result) SetRate(key string, work float64) {
	if work > 0 && r.MedianTime > 0 {
		r.Metadata[key] = work / r.MedianTime
	}
}
