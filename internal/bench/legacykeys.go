package bench

import (
	"cmp"
	"encoding/json"
)

// Keys that earlier versions wrote, in results files and in what a sampling process
// answers. They are read where the present key is missing, and never written.

// legacyEnvironment gives the earlier name of a key of an environment.
var legacyEnvironment = map[string]string{LinkOrderKey: "layout"}

// renameEnvironment moves the values of earlier keys to the present ones.
func renameEnvironment(environment map[string]any) {
	for key, earlier := range legacyEnvironment {
		value, ok := environment[earlier]
		if _, present := environment[key]; ok && !present {
			environment[key] = value
			delete(environment, earlier)
		}
	}
}

// processEntry is a Process as it is read, with the present and the earlier keys.
type processEntry struct {
	LinkSeed          int       `json:"link_seed"`
	EarlierLinkSeed   int       `json:"layout_seed"`
	BatchCalls        int       `json:"batch_n"`
	RoundMin          []float64 `json:"round_min_ns"`
	Contention        []float64 `json:"contention_ns"`
	EarlierContention []float64 `json:"weather_ns"`
	Yardstick         float64   `json:"yardstick_ns"`
}

func (e *processEntry) process() Process {
	p := Process{
		LinkSeed: cmp.Or(e.LinkSeed, e.EarlierLinkSeed), BatchCalls: e.BatchCalls, RoundMin: e.RoundMin,
		Contention: e.Contention, Yardstick: e.Yardstick,
	}
	if p.Contention == nil {
		p.Contention = e.EarlierContention
	}
	return p
}

// UnmarshalJSON reads a process with the present or the earlier keys.
func (p *Process) UnmarshalJSON(data []byte) error {
	var e processEntry
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	*p = e.process()
	return nil
}
