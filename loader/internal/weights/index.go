package weights

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tree"
	"omniloader/loader/shards"
)

// readIndex reads the index of a set, nil where it cannot be read.
func (r *reader) readIndex(s *weightSet) *shards.Index {
	if s.index.Problem != nil { // reported already
		r.Incomplete = true
		return nil
	}
	h, err := tree.OpenAt(r.c.FS, r.c.Dir, s.index.Name)
	if err == nil {
		defer h.Close()
		var index *shards.Index
		if index, err = shards.Read(s.index.Name, h, h.Size); err == nil {
			return index
		}
	}
	r.Incomplete = true
	r.report(finding.IndexUnreadable, s.index.Name, finding.MessageOf(err), finding.HintOf(err))
	return nil
}

// addMissingShards adds the shards that the index names and that are not present to
// Info.Missing.
func (r *reader) addMissingShards(s *weightSet, index *shards.Index) {
	here := make(map[string]bool, len(s.files))
	for _, f := range s.files {
		here[f.Name] = true
	}
	for _, shard := range index.Shards {
		if name := path.Join(s.dir, shard.File); !shard.Unsafe && !here[name] {
			r.Info.Missing = append(r.Info.Missing, name)
			r.Incomplete = true
		}
	}
}

// shardName gives the name of a file relative to the directory of the set, as the index
// of the set names it.
func (s *weightSet) shardName(f *tree.File) string {
	if s.dir == "." {
		return f.Name
	}
	return strings.TrimPrefix(f.Name, s.dir+"/")
}

// checkIndex reports differences between index, directory and headers.
func (r *reader) checkIndex(s *weightSet, index *shards.Index, headers *shards.Headers, files []tree.File) {
	var listing []shards.File
	for i := range files {
		if f := &files[i]; f.Dir() == s.dir {
			listing = append(listing, shards.File{Name: f.Base(), Size: f.Size})
		}
	}
	for _, f := range s.files {
		if f.Dir() != s.dir {
			listing = append(listing, shards.File{Name: s.shardName(f), Size: f.Size})
		}
	}
	problems := index.Check(listing, headers)
	for _, p := range problems {
		if p.Kind == fault.Empty || p.Kind == shards.SingleFileToo { // reported by the check "files" and by reportIgnored
			continue
		}
		file := p.File
		if file != s.index.Name {
			file = path.Join(s.dir, file)
		}
		hint := p.Hint
		if p.Kind == shards.MissingShard {
			hint = r.c.DownloadHint(file)
		}
		grade := finding.Usual
		if p.Kind == shards.NumberGap && index.TotalSize != shards.Unknown && len(problems) == 1 {
			grade = finding.Milder // every tensor is where the index says, and together they are of the size that it gives
		}
		found := finding.NewGraded(grade, finding.CodeForKind(p.Kind), file, p.Detail, hint)
		r.Findings = append(r.Findings, found)
		if found.Severity == answer.SeverityError {
			r.Incomplete = true
		}
	}
}

// chooseSeries chooses among shards without an index those of one model: a complete
// series, else the one with the most files. It reports the shards that are missing by
// the count in the names.
func (r *reader) chooseSeries(s *weightSet) []*tree.File {
	var listing []shards.File
	for _, f := range s.files {
		listing = append(listing, shards.File{Name: f.Base(), Size: f.Size})
	}
	var best *shards.Series
	found := shards.FindSeries(listing)
	for i := range found {
		x := &found[i]
		if best == nil || x.Complete() && !best.Complete() || x.Complete() == best.Complete() && len(x.Files) > len(best.Files) {
			best = x
		}
	}
	if best == nil {
		return s.files
	}
	r.compared("shards with the numbers in their names")
	if best.Lacking > 0 {
		r.Incomplete = true
		for _, n := range best.Missing {
			r.Info.Missing = append(r.Info.Missing, path.Join(s.dir, fmt.Sprintf("%s-%05d-of-%05d%s", best.Stem, n, best.Count, best.Suffix)))
		}
		if format.ByName(s.format).Index != format.IndexInShards { // those are reported by checkGGUF
			r.report(finding.ShardMissing, r.Info.Missing[len(r.Info.Missing)-len(best.Missing)],
				fmt.Sprintf("%d of the %d shards that the names promise are not here", best.Lacking, best.Count), r.c.DownloadHint(s.dir))
		}
	}
	return slices.DeleteFunc(slices.Clone(s.files), func(f *tree.File) bool {
		return !slices.ContainsFunc(best.Files, func(b shards.File) bool { return b.Name == f.Base() })
	})
}
