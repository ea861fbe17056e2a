package runfile

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"omniloader/internal/outcome"
)

// Part is a run file to be merged with others.
type Part struct {
	Path string // for messages
	File *File
}

// Merge makes one file of the shards of a run, which may be given in any order. A single
// file of a run that was not divided is given back as it is.
//
// A shard that is missing or did not come to its end is a problem in End of the merged
// file, which has everything else. The error is outcome.Problems if the files do not belong
// together: a shard is there twice, or is of another run, and which one counts is not known.
func Merge(parts []Part) (*File, error) {
	if len(parts) == 1 && parts[0].File.Header.Selection.Shard == nil {
		return parts[0].withNotes(), nil
	}
	if err := checkParts(parts); err != nil {
		return nil, err
	}
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Part) int { return cmp.Compare(a.shard().Index, b.shard().Index) })
	out := &File{Header: mergedHeader(parts), End: mergedEnd(parts)}
	out.Features = mergedFeatures(parts)
	owners := map[key]Part{}
	var doubled outcome.Problems
	for _, p := range parts {
		for i := range p.File.Scenarios {
			s := &p.File.Scenarios[i]
			if owner, ok := owners[s.key()]; ok {
				doubled = append(doubled, outcome.Problem{Message: fmt.Sprintf("%s and %s both have the scenario %q", owner.Path, p.Path, s.Name),
					Advice: "run all shards again, with one version of omniloader and of the features"})
				continue
			}
			owners[s.key()] = p
			out.Scenarios = append(out.Scenarios, *s)
		}
	}
	if err := doubled.ErrOrNil(); err != nil {
		return nil, err
	}
	out.End.Scenarios, out.End.Statuses = len(out.Scenarios), map[outcome.Status]int{}
	for i := range out.Scenarios {
		out.End.Statuses[out.Scenarios[i].Status]++
	}
	return out, nil
}

func (p Part) shard() Shard { return *p.File.Header.Selection.Shard }

// withNotes gives the file of a run that was not divided, with what is missing in it as
// problems of the run.
func (p Part) withNotes() *File {
	notes := p.File.Notes()
	if len(notes) == 0 {
		return p.File
	}
	out := *p.File
	end := End{Ended: p.ended(), Duration: p.ended().Sub(out.Header.Started), Interrupted: true}
	if out.End != nil {
		end = *out.End
	}
	end.Problems = slices.Clone(end.Problems)
	for _, note := range notes {
		end.Problems = append(end.Problems, Problem{Message: Text(p.Path + ": " + note)})
	}
	end.Scenarios = len(out.Scenarios)
	out.End, out.Cut = &end, false
	return &out
}

// ended is when the run of a file came to its end, or when its last scenario had ended.
func (p Part) ended() time.Time {
	return p.File.Header.Started.Add(p.File.duration())
}

// duration is that of the run, up to its last scenario where it did not come to its end.
func (f *File) duration() (d time.Duration) {
	if f.End != nil {
		return f.End.Duration
	}
	for i := range f.Scenarios {
		if s := &f.Scenarios[i]; !s.Started.IsZero() {
			d = max(d, s.Started.Add(s.Duration).Sub(f.Header.Started))
		}
	}
	return d
}

const adviceRunAgain = "run the shards again with the same paths, flags, features and version of omniloader"

// checkParts gives Problems where the files are not shards of one run.
func checkParts(parts []Part) error {
	var problems outcome.Problems
	for _, p := range parts {
		if p.File.Header.Selection.Shard == nil {
			problems = append(problems, outcome.Problem{Message: p.Path + ": this run was not divided into shards", Advice: "leave it out, or name it alone"})
		} else if s := p.shard(); s.Index < 1 || s.Index > s.Total || s.Total > MaxShards {
			problems = append(problems, outcome.Problem{Message: fmt.Sprintf("%s: there is no shard %s", p.Path, s), Advice: "the file was changed after it was written; run the shard again"})
		}
	}
	if len(problems) > 0 {
		return problems
	}
	first := mostCommon(parts)
	ofIndex := map[int]Part{}
	for _, p := range parts {
		if differences := differences(first.File, p.File); len(differences) > 0 {
			problems = append(problems, outcome.Problem{Advice: adviceRunAgain,
				Message: fmt.Sprintf("%s: not a shard of the same run as %s: %s", p.Path, first.Path, strings.Join(differences, "; "))})
			continue
		}
		if other, ok := ofIndex[p.shard().Index]; ok {
			what := "two runs"
			if other.File.Header.RunID == p.File.Header.RunID {
				what = "one run, twice"
			}
			problems = append(problems, outcome.Problem{Advice: "leave one of them out",
				Message: fmt.Sprintf("%s and %s both have shard %s: %s", other.Path, p.Path, p.shard(), what)})
			continue
		}
		ofIndex[p.shard().Index] = p
	}
	return problems.ErrOrNil()
}

// mostCommon gives the first of the largest group of files that agree with each other.
func mostCommon(parts []Part) Part {
	best, most := 0, 0
	for i, p := range parts {
		n := 0
		for _, other := range parts {
			if len(differences(p.File, other.File)) == 0 {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
		if 2*most > len(parts) {
			break // no other group is as large
		}
	}
	return parts[best]
}

// differences says in words in what b differs from a, of which it would have to be another
// shard.
func differences(a, b *File) []string {
	var all []string
	values := func(h *Header) []any {
		s := &h.Selection
		return []any{s.Shard.Total, h.Version, h.Commit, h.Loaders, s.Paths, s.Tags, s.Categories, s.Name, s.Models, s.RerunOf, h.Order, h.Seed}
	}
	names := []string{"the number of shards", "the version of omniloader", "the commit", "the loaders", "the paths", "the tags", "the categories", "the name",
		"the models", "the earlier run", "the order", "the seed of the order"}
	of := values(&a.Header)
	for i, value := range values(&b.Header) {
		if !reflect.DeepEqual(value, of[i]) {
			all = append(all, fmt.Sprintf("%s: %s here, %s there", names[i], inWords(value), inWords(of[i])))
		}
	}
	for _, hash := range []struct{ what, a, b string }{
		{"the selected scenarios differ", a.Header.PlanHash, b.Header.PlanHash},
		{"the feature files differ", a.Header.FeaturesHash, b.Header.FeaturesHash},
		{"the shards were divided by other durations", a.Header.Selection.Shard.DurationsHash, b.Header.Selection.Shard.DurationsHash},
	} {
		if hash.a != hash.b {
			all = append(all, hash.what)
		}
	}
	return all
}

// inWords writes a value of a header for a message.
func inWords(value any) string {
	text := fmt.Sprint(value)
	if text == "" || text == "[]" {
		return "none"
	}
	return fmt.Sprintf("%.200s", text)
}

func mergedHeader(parts []Part) Header {
	h := parts[0].File.Header
	h.RunID, h.Planned, h.Workers = "", 0, 0
	h.Selection.Shard = nil
	h.Shards, h.PlanIDs = nil, nil
	planned := map[string]int{} // how often an id is in PlanIDs: several times for a scenario that runs on several models
	for i, p := range parts {
		of := &p.File.Header
		if i > 0 {
			h.Host = commonHost(h.Host, of.Host)
		}
		if of.Started.Before(h.Started) {
			h.Started = of.Started
		}
		h.Planned += of.Planned
		inPart := map[string]int{} // more than one part of a rerun has what its selection left out
		for _, id := range of.PlanIDs {
			if inPart[id]++; inPart[id] > planned[id] {
				planned[id]++
				h.PlanIDs = append(h.PlanIDs, id)
			}
		}
		h.Workers = max(h.Workers, of.Workers)
		for _, l := range of.LeftOut {
			if !slices.Contains(h.LeftOut, l) {
				h.LeftOut = append(slices.Clone(h.LeftOut), l)
			}
		}
		h.Shards = append(h.Shards, ShardRun{Index: p.shard().Index, RunID: of.RunID, Started: of.Started, Duration: p.File.duration(), Workers: of.Workers, Planned: of.Planned, Host: of.Host})
	}
	return h
}

// commonHost gives what two hosts have in common, with the earlier of their times.
func commonHost(a, b Host) Host {
	if b.Time.Before(a.Time) {
		a.Time = b.Time
	}
	if a.GoVersion != b.GoVersion {
		a.GoVersion = ""
	}
	if a.Platform != b.Platform {
		a.Platform = ""
	}
	environment := maps.Clone(a.Environment)
	maps.DeleteFunc(environment, func(key string, value any) bool { return !reflect.DeepEqual(value, b.Environment[key]) })
	a.Environment = environment
	return a
}

// mergedEnd gives the last record of all shards, without the number of scenarios. What is
// missing is a problem in it.
func mergedEnd(parts []Part) *End {
	out := &End{}
	started := parts[0].File.Header.Started
	present := map[int]bool{}
	for _, p := range parts {
		present[p.shard().Index] = true
		if p.File.Header.Started.Before(started) {
			started = p.File.Header.Started
		}
		if ended := p.ended(); ended.After(out.Ended) {
			out.Ended = ended
		}
		of := p.File.End
		if of == nil {
			of = &End{Interrupted: true}
		}
		out.Interrupted = out.Interrupted || of.Interrupted
		out.Lost += of.Lost
		out.LeftOut = addCounts(out.LeftOut, of.LeftOut)
		out.NotRun = append(out.NotRun, of.NotRun...)
		for _, problem := range of.Problems {
			if !slices.Contains(out.Problems, problem) {
				out.Problems = append(out.Problems, problem)
			}
		}
		for _, note := range p.File.Notes() {
			out.Problems = append(out.Problems, Problem{Message: Text(fmt.Sprintf("shard %s, %s: %s", p.shard(), p.Path, note)),
				Hint: "what had ended is kept; run this shard again, and merge again"})
		}
	}
	out.Duration = out.Ended.Sub(started)
	total := parts[0].shard().Total
	var missing []string
	for i := 1; i <= total; i++ {
		if !present[i] {
			missing = append(missing, fmt.Sprint(i))
		}
	}
	if len(missing) > 0 {
		out.Problems = append(out.Problems, Problem{Message: Text(missingShards(missing, total)), Hint: "name the run file of each shard, also of one that did not come to its end"})
	}
	return out
}

// missingShards says which shards are missing.
func missingShards(missing []string, total int) string {
	const most = 20
	what, more := "shard", ""
	if len(missing) > 1 {
		what = "shards"
	}
	if n := len(missing) - most; n > 0 {
		missing, more = missing[:most], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s %s%s of %d: no run file", what, strings.Join(missing, ", "), more, total)
}

// addCounts adds the counts of each reason.
func addCounts(a, b []LeftOut) []LeftOut {
	a = slices.Clone(a)
	for _, l := range b {
		if i := slices.IndexFunc(a, func(of LeftOut) bool { return of.Reason == l.Reason }); i >= 0 {
			a[i].Count += l.Count
		} else {
			a = append(a, l)
		}
	}
	return a
}

// mergedFeatures gives each feature once, in the order of the plan, with the problems that
// any shard has of it.
func mergedFeatures(parts []Part) []Feature {
	var all []Feature
	places := map[Text]int{}
	for _, p := range parts {
		for _, f := range p.File.Features {
			i, ok := places[f.URI]
			if !ok {
				places[f.URI] = len(all)
				all = append(all, f)
				continue
			}
			for _, problem := range f.Problems {
				if !slices.Contains(all[i].Problems, problem) {
					all[i].Problems = append(slices.Clone(all[i].Problems), problem)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Feature) int { return cmp.Compare(a.Position, b.Position) })
	return all
}
