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
	results map[bench.Key]*bench.Result
	earlier map[bench.Key]bool // what was measured in an earlier round and not yet in this one
}

// nextRound starts a round in which a benchmark may be measured again.
func (s *store) nextRound() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.earlier = make(map[bench.Key]bool, len(s.results))
	for key := range s.results {
		s.earlier[key] = true
	}
}

// add adds a result, or replaces that of an earlier round. Two results of one key in one
// round are an error: the second would hide the first in the results file.
func (s *store) add(r *bench.Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.Key()
	if before, taken := s.results[key]; taken {
		if s.earlier[key] {
			delete(s.earlier, key)
			s.order[slices.Index(s.order, before)], s.results[key] = r, r
			return nil
		}
		return fmt.Errorf("two benchmarks of this run are called %q: give one of them a tag %s:NAME", key, benchmarkTag)
	}
	if s.results == nil {
		s.results = make(map[bench.Key]*bench.Result)
	}
	s.results[key] = r
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
func (s *store) measurement(key bench.Key) *bench.Measurement {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.results[key]; ok {
		return r.Measurement
	}
	return nil
}

// names returns the names of all benchmarks of a loader, in the order of measuring.
func (s *store) names(loader string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, r := range s.order {
		if r.Loader == loader {
			names = append(names, r.Name)
		}
	}
	return names
}

func (s *store) all() []*bench.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}
