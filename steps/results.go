package steps

import (
	"fmt"
	"slices"
	"sync"

	"omniloader/internal/bench"
)

// store keeps the results of a run. Its zero value is empty and ready to use.
type store struct {
	mu      sync.Mutex
	order   []*bench.Result
	results map[string]*bench.Result
	earlier map[string]bool // names that were measured in an earlier round and not yet in this one
}

// nextRound starts a round in which a benchmark may be measured again.
func (s *store) nextRound() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.earlier = make(map[string]bool, len(s.results))
	for name := range s.results {
		s.earlier[name] = true
	}
}

// add adds a result, or replaces that of an earlier round. Two results of one name in
// one round are an error: the second would hide the first in the results file.
func (s *store) add(r *bench.Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, taken := s.results[r.Name]; taken {
		if s.earlier[r.Name] {
			delete(s.earlier, r.Name)
			s.order[slices.Index(s.order, before)], s.results[r.Name] = r, r
			return nil
		}
		return fmt.Errorf("two benchmarks of this run are called %q: give one of them a tag %s:NAME", r.Name, benchmarkTag)
	}
	if s.results == nil {
		s.results = make(map[string]*bench.Result)
	}
	s.results[r.Name] = r
	s.order = append(s.order, r)
	return nil
}

// replace replaces a result that was added by that of a better measurement.
func (s *store) replace(r, better *bench.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*r = *better
}

// measurement returns the measurement of a benchmark, or nil.
func (s *store) measurement(name string) *bench.Measurement {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.results[name]; ok {
		return r.Measurement
	}
	return nil
}

// names returns the names of all benchmarks, in the order of measuring.
func (s *store) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, len(s.order))
	for i, r := range s.order {
		names[i] = r.Name
	}
	return names
}

func (s *store) all() []*bench.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}
