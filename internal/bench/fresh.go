package bench

import (
	"cmp"
	"fmt"
	"runtime"
	"time"

	"omniloader/internal/quantity"
)

// FreshProcess is what an operation costs in a process that was started for it, where no
// cache is filled. That process calls FirstCall.
type FreshProcess struct {
	StartRSS uint64  `json:"start_rss_bytes"` // peak resident memory before the first call, in bytes; 0 where the system does not give it
	PeakRSS  uint64  `json:"peak_rss_bytes"`  // peak resident memory after the first call, in bytes
	First    Seconds `json:"first_time"`      // the first call
	Warm     Seconds `json:"warm_time"`       // the fastest of the calls after the first

	// Cold is the first call of another process, with the checkpoint's files out of
	// the page cache; nil where that was not asked for or not possible.
	Cold *Seconds `json:"cold_time,omitempty"`
	// NotCold and NoPeak say why a value is missing, for people.
	ColdMissing string `json:"cold_missing,omitempty"`
	PeakMissing string `json:"peak_missing,omitempty"`
}

// Seconds is a time in seconds.
type Seconds float64

const (
	warmCalls  = 5 // after the first call, at most
	warmBudget = 100 * time.Millisecond
)

// FirstCall times the first call of an operation in this process, and a few more calls.
// The operation must not have been called in this process before.
func FirstCall(call func() (any, error)) (*FreshProcess, error) {
	f := &FreshProcess{}
	f.StartRSS, f.PeakMissing = peakRSS()
	start := time.Now()
	answer, err := call()
	f.First = Seconds(time.Since(start).Seconds())
	if err != nil {
		return nil, err
	}
	f.PeakRSS, _ = peakRSS()
	runtime.KeepAlive(answer)
	for i, began := 0, time.Now(); i < warmCalls && (i == 0 || time.Since(began) < warmBudget); i++ {
		start := time.Now()
		if _, err := call(); err != nil {
			return nil, &CallError{Call: i + 2, Phase: "timed", Err: err}
		}
		if t := Seconds(time.Since(start).Seconds()); i == 0 || t < f.Warm {
			f.Warm = t
		}
	}
	return f, nil
}

// missingReason says why a metric was not measured; "" where it was.
func (f *FreshProcess) missingReason(m Metric) string {
	switch {
	case f == nil:
		return "no process of its own was started"
	case m == PeakMemory:
		return f.PeakMissing
	case m == ColdLatency && f.Cold == nil:
		return cmp.Or(f.ColdMissing, "the page cache was left as it was")
	}
	return ""
}

// String reads "a process of its own: first call 12 ms, warm 1.2 ms, peak 31 MB of
// which 14 MB before the call".
func (f *FreshProcess) String() string {
	text := fmt.Sprintf("a process of its own: first call %s, warm %s", quantity.FormatDuration(float64(f.First)), quantity.FormatDuration(float64(f.Warm)))
	if f.Cold != nil {
		text += ", cold " + quantity.FormatDuration(float64(*f.Cold))
	}
	if f.PeakMissing == "" {
		text += fmt.Sprintf(", peak %s of which %s before the call", quantity.FormatSize(float64(f.PeakRSS)), quantity.FormatSize(float64(f.StartRSS)))
	}
	return text
}
