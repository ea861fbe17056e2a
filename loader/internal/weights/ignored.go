package weights

import (
	"fmt"
	"path"
	"slices"

	"omniloader/loader/finding"
	"omniloader/loader/internal/format"
	"omniloader/loader/sniff"
)

// reportIgnored lists the weight files that a loader does not read, and reports copies
// of the weights.
func (r *reader) reportIgnored(chosen *choice) {
	var same, other []*weightSet
	for _, s := range chosen.ignored {
		for _, f := range s.files {
			r.Info.Ignored = append(r.Info.Ignored, f.Name)
		}
		if len(s.files) == 0 || s.role == format.RoleAdapter || s.unnamed { // checkIndex reports the last
			continue
		}
		sameDir := slices.ContainsFunc(chosen.sets, func(t *weightSet) bool { return t.dir == s.dir })
		if s.sharded && slices.ContainsFunc(chosen.sets, func(t *weightSet) bool { return t.dir == s.dir && t.key == s.key }) {
			r.report(finding.WeightsSingleAndIndex, path.Join(s.dir, s.key), fmt.Sprintf("the single file is taken, as transformers does; %d shards of the same name are left aside", len(s.files)), "")
			continue
		}
		if s.variant != "" || chosen.alternatives && s.format == r.Info.Format {
			continue // the user chooses one
		}
		if s.role == format.RoleUnlisted && 2*sizeOfSets(s) < sizeOfSets(chosen.sets...) {
			continue // another part of the model, such as the head of an embedding model, and no copy
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

// describeSizes gives the number of files of the sets, and their size.
func describeSizes(sets []*weightSet) string {
	files, bytes := 0, sizeOfSets(sets...)
	for _, s := range sets {
		files += len(s.files)
	}
	return finding.Plural(files, "file") + " of " + sniff.ByteSize(bytes)
}

// sizeOfSets gives the size of all files of the sets, in bytes.
func sizeOfSets(sets ...*weightSet) (bytes int64) {
	for _, s := range sets {
		for _, f := range s.files {
			bytes += f.Size
		}
	}
	return bytes
}
