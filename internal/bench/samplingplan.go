package bench

import (
	"fmt"
	"time"
)

// Sampling is how benchmarks are sampled so that two runs of them can be compared.
//
// On a machine that others share, an operation takes its floor or about twice
// that, in phases of 30 µs to half a minute; means, medians and all central
// quantiles jump between the two states, and only the lower edge is stable. So the
// plan looks for the floor: batches short enough to fit into a fast phase, in visits
// spread over seconds. Neighbouring batches are not independent, which is why the
// p-value of a standard test of their distribution would be wrong here.
type Sampling struct {
	Rounds int `json:"rounds"`
	// RoundMS is the least time of a round in milliseconds: the passes over the
	// benchmarks are repeated until then, as a slow phase may last longer than one pass
	// over few of them.
	RoundMS     int    `json:"round_ms"`
	VisitUS     int    `json:"visit_us"` // time of the batches of one benchmark in one pass, together
	BatchUS     int    `json:"batch_us"` // least time of the calls that are timed together
	SingleCalls int    `json:"single_calls"`
	Processes   int    `json:"processes"`
	GC          string `json:"gc"`
	Order       string `json:"order"`
}

// DefaultSampling is the plan that the error rates in the documentation were measured
// with.
func DefaultSampling() Sampling {
	return Sampling{
		Rounds: 40, RoundMS: 60, VisitUS: 1000, BatchUS: 50, SingleCalls: 5, Processes: 2,
		GC: "per-round", Order: "random",
	}
}

// maxRoundsTime bounds the least time that the rounds of a process may take together.
const maxRoundsTime = 10 * time.Minute

// Validate tells whether this program can carry the plan out, in at most maxRoundsTime.
func (s Sampling) Validate() error {
	if err := s.checkRanges(); err != nil {
		return err
	}
	supported := DefaultSampling()
	for _, word := range []struct{ key, value, supported string }{{"gc", s.GC, supported.GC}, {"order", s.Order, supported.Order}} {
		if word.value != word.supported {
			return fmt.Errorf("sampling plan: %s is %q, this program only knows %q", word.key, word.value, word.supported)
		}
	}
	return nil
}

// checkRanges tells whether every number of the plan is in its range.
func (s Sampling) checkRanges() error {
	const second = 1_000_000 // in microseconds
	for _, n := range []struct {
		key                string
		value, least, most int
	}{
		{"rounds", s.Rounds, floorRank, 10_000}, {"round_ms", s.RoundMS, 0, 60_000}, {"visit_us", s.VisitUS, 1, second}, {"batch_us", s.BatchUS, 1, second},
		{"single_calls", s.SingleCalls, 0, 10_000}, {"processes", s.Processes, 1, 1000},
	} {
		if n.value < n.least || n.value > n.most {
			return fmt.Errorf("sampling plan: %s is %d, it must be from %d to %d", n.key, n.value, n.least, n.most)
		}
	}
	least := time.Duration(s.Rounds) * max(time.Duration(s.RoundMS)*time.Millisecond, time.Duration(s.VisitUS)*time.Microsecond)
	if least > maxRoundsTime {
		return fmt.Errorf("sampling plan: %d rounds of %d ms take %s, more than %s", s.Rounds, s.RoundMS, least, maxRoundsTime)
	}
	return nil
}

// missingRounds says why some processes have fewer rounds than the plan; "" where they
// do not. A floor from fewer rounds is higher, and would make the other side look
// faster. An operation so slow that it needs all of slowTimeLimit is sampled in fewer
// rounds on purpose.
func (s *Sampling) missingRounds(processes []Process) string {
	if s == nil {
		return ""
	}
	for _, p := range processes {
		const slack = 4 // calls may have been slower when the number of rounds was chosen
		batch := p.floor() * float64(max(p.BatchCalls, 1))
		visit := max(float64(s.VisitUS)*1e3, 2*batch) + float64(s.SingleCalls+1)*p.floor()
		slow := slack*visit*float64(s.Rounds) > float64(slowTimeLimit)
		if n := len(p.RoundMin); n < floorRank || n < s.Rounds && !slow {
			return fmt.Sprintf("a process has %d rounds, and the plan %d", n, s.Rounds)
		}
	}
	return ""
}
