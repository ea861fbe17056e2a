package suite

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"omniloader/internal/bench"
	"omniloader/internal/runfile"
)

// What a scenario is taken to last if no earlier run says it. Only their ratio matters.
const (
	usualFunctionalDuration = time.Millisecond
	usualMeasuredDuration   = 50 * time.Millisecond
)

// Shard returns the part of a plan that one of several processes runs. Together the shards
// have each scenario of the plan once, and the problems of each file once. A shard may be
// empty.
//
// The division depends on the identities of the scenarios and on the durations of an
// earlier run, which may be nil, and not on the order of files or on the machine. The
// longest go first, each to the shard that has least to do so far. Scenarios that need
// each other stay together: those of one benchmark name, and those whose bound is
// relative to a benchmark with that benchmark. Rows of an outline may be separated.
func (p *Plan) Shard(shard runfile.Shard, durations *runfile.Durations) *Plan {
	scenarios, problems := map[*Scenario]bool{}, map[*Feature]bool{}
	for _, u := range p.divide(shard.Total, durations)[shard.Index-1] {
		for _, s := range u.scenarios {
			scenarios[s] = true
		}
		if u.file != nil {
			problems[u.file] = true
		}
	}
	part := p.Keep(func(s *Scenario) bool { return scenarios[s] })
	part.leftOut, part.divided, part.problemFiles = p.leftOut, p.undivided(), problems
	return part
}

// divide returns the units of each of so many shards.
func (p *Plan) divide(total int, durations *runfile.Durations) [][]*shardUnit {
	type load struct {
		duration time.Duration
		count    int
	}
	loads, shards := make([]load, total), make([][]*shardUnit, total)
	for _, u := range p.shardUnits(durations) {
		least := 0
		for i, l := range loads {
			if cmp.Or(cmp.Compare(l.duration, loads[least].duration), cmp.Compare(l.count, loads[least].count)) < 0 {
				least = i
			}
		}
		loads[least].duration += u.duration
		loads[least].count += max(1, len(u.scenarios))
		shards[least] = append(shards[least], u)
	}
	return shards
}

// undivided returns the plan of which p is a shard, or p itself.
func (p *Plan) undivided() *Plan {
	if p.divided != nil {
		return p.divided
	}
	return p
}

// shardUnit is what one shard has as a whole: scenarios that need each other, or the
// problems of a file.
type shardUnit struct {
	id        string // the smallest of the ids of its scenarios, or the URI of the file
	scenarios []*Scenario
	file      *Feature
	duration  time.Duration
}

// shardUnits returns the units of a plan, the longest first, those of the same duration by
// their ids.
func (p *Plan) shardUnits(durations *runfile.Durations) []*shardUnit {
	ids := map[*Scenario]string{}
	for s, identity := range p.newRecords(nil).identities {
		ids[s] = identity.ID()
	}
	groups := unionOf{}
	measured := map[*Scenario]bool{}
	for _, s := range p.Scenarios() {
		benchmark := p.benchmark(s)
		if benchmark == "" {
			continue
		}
		measured[s] = true
		for _, name := range append(relativeTo(s), benchmark) {
			groups.join("scenario "+ids[s], "benchmark "+name)
		}
	}
	durationOf := p.expectedDurations(ids, measured, durations)
	byGroup := map[string]*shardUnit{}
	for _, s := range p.Scenarios() {
		group := groups.root("scenario " + ids[s])
		u := byGroup[group]
		if u == nil {
			u = &shardUnit{id: ids[s]}
			byGroup[group] = u
		}
		u.id = min(u.id, ids[s])
		u.scenarios = append(u.scenarios, s)
		u.duration += durationOf(s)
	}
	var units []*shardUnit
	for _, u := range byGroup {
		units = append(units, u)
	}
	for _, f := range p.features {
		if len(p.fileProblems(f)) > 0 {
			units = append(units, &shardUnit{id: f.URI, file: f})
		}
	}
	slices.SortFunc(units, func(a, b *shardUnit) int {
		return cmp.Or(cmp.Compare(b.duration, a.duration), cmp.Compare(a.id, b.id))
	})
	return units
}

// relativeTo returns the names of the benchmarks that bounds of a scenario are relative to.
func relativeTo(s *Scenario) []string {
	var names []string
	for _, step := range s.Steps {
		if !strings.Contains(step.Text, " times that of ") {
			continue
		}
		if b, err := bench.ParseBound(step.Text); err == nil && b.Reference != "" {
			names = append(names, b.Reference)
		}
	}
	return names
}

// expectedDurations returns how long each scenario is expected to last: as in the earlier
// run, else the median of those of its kind, functional or measured, else the usual
// duration.
func (p *Plan) expectedDurations(ids map[*Scenario]string, measured map[*Scenario]bool, durations *runfile.Durations) func(*Scenario) time.Duration {
	if durations == nil {
		durations = &runfile.Durations{}
	}
	known := map[bool][]time.Duration{} // by whether they are measured
	shares := map[string]time.Duration{}
	for _, s := range p.Scenarios() {
		shares[ids[s]]++ // several for a scenario that runs on several models
	}
	for _, s := range p.Scenarios() {
		if d, ok := durations.ByID[ids[s]]; ok {
			known[measured[s]] = append(known[measured[s]], d/shares[ids[s]])
		}
	}
	unknown := map[bool]time.Duration{false: usualFunctionalDuration, true: usualMeasuredDuration}
	for ofMeasured, all := range known {
		slices.Sort(all)
		unknown[ofMeasured] = all[len(all)/2]
	}
	return func(s *Scenario) time.Duration {
		if d, ok := durations.ByID[ids[s]]; ok {
			return d / shares[ids[s]]
		}
		return unknown[measured[s]]
	}
}

// unionOf has disjoint sets of names. A name that was never joined is a set of its own.
type unionOf map[string]string // a name to another one of its set, nearer to the root

// root returns the name that stands for the set of a name.
func (u unionOf) root(name string) string {
	for {
		next, ok := u[name]
		if !ok || next == name {
			return name
		}
		if further, ok := u[next]; ok {
			u[name] = further
		}
		name = next
	}
}

// join makes one set of the sets of two names.
func (u unionOf) join(a, b string) {
	if a, b = u.root(a), u.root(b); a != b {
		u[a] = b
	}
}
