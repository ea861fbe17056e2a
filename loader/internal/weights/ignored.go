package weights

import (
	"fmt"
	"path"
	"slices"

	"omniloader/loader/finding"
	"omniloader/loader/internal/format"
	"omniloader/loader/sniff"
)

// reportIgnored says what a loader leaves aside, and what a less careful one
// would load twice.
func (r *reader) reportIgnored(chosen *choice) {
	var same, other []*weightSet
	for _, s := range chosen.ignored {
		for _, f := range s.files {
			r.Info.Ignored = append(r.Info.Ignored, f.Name)
		}
		if len(s.files) == 0 || s.role == format.RoleAdapter {
			continue
		}
		sameDir := slices.ContainsFunc(chosen.sets, func(t *weightSet) bool { return t.dir == s.dir })
		if s.sharded && slices.ContainsFunc(chosen.sets, func(t *weightSet) bool { return t.dir == s.dir && t.key == s.key }) {
			r.report(finding.WeightsSingleAndIndex, path.Join(s.dir, s.key), fmt.Sprintf("the single file is taken, as transformers does; %d shards of the same name are left aside", len(s.files)), "")
			continue
		}
		if s.variant != "" || chosen.alternatives && s.format == r.Info.Format {
			continue // meant to be chosen between
		}
		if s.role == format.RoleUnlisted && 2*sizeOfSets(s) < sizeOfSets(chosen.sets...) {
			continue // some other part, such as a head of an embedding model: not the weights again
		}
		if sameDir && s.format == r.Info.Format {
			same = append(same, s)
		} else {
			other = append(other, s)
		}
	}
	slices.Sort(r.Info.Ignored)
	if chosen.alternatives {
		others := finding.Plural(len(r.Info.Ignored), "other file") + " beside it"
		if slices.ContainsFunc(r.Info.Ignored, func(name string) bool { return format.GGUFStem(name) != format.GGUFStem(r.Info.Files[0]) }) {
			r.report(finding.WeightsAlternatives, r.Info.Files[0], "this one is described; "+others+", which may be of other models", "")
		} else {
			r.report(finding.WeightsAlternatives, r.Info.Files[0], "this one is described; "+others+", as versions of it", "")
		}
	}
	if len(same) > 0 {
		r.report(finding.WeightsDuplicate, same[0].files[0].Name, describeSizes(same)+" beside the weights in use, in the same format", "")
	}
	if len(other) > 0 {
		r.Findings = append(r.Findings, finding.NewGraded(finding.Milder, finding.WeightsDuplicate, other[0].files[0].Name,
			describeSizes(other)+" beside the weights in use, in another format or directory", ""))
	}
}

// describeSizes counts the files of sets and their bytes.
func describeSizes(sets []*weightSet) string {
	files, bytes := 0, sizeOfSets(sets...)
	for _, s := range sets {
		files += len(s.files)
	}
	if files == 1 {
		return "1 file of " + sniff.ByteSize(bytes)
	}
	return fmt.Sprintf("%d files of %s", files, sniff.ByteSize(bytes))
}

func sizeOfSets(sets ...*weightSet) (bytes int64) {
	for _, s := range sets {
		for _, f := range s.files {
			bytes += f.Size
		}
	}
	return bytes
}
