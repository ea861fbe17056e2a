package bench

// SetRate notes in the metadata how much of something a call gets done in a second,
// at the median of the calls. Zero work, or calls too short to be timed, have no
// rate.
func (r *Result) SetRate(key string, work float64) {
	if work > 0 && r.MedianTime > 0 {
		r.Metadata[key] = work / r.MedianTime
	}
}
