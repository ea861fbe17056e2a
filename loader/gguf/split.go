package gguf

import (
	"fmt"
	"strconv"
	"strings"

	"omniloader/loader/fault"
)

// The kinds of error of a set of shards.
const (
	NotSplit      fault.Kind = "not a shard"             // a file without split.count among shards
	SplitConflict fault.Kind = "shards disagree"         // on their count, or two have the same number
	MissingShard  fault.Kind = "missing shard"           // a number that no file has
	TensorCount   fault.Kind = "tensor count disagrees"  // of all shards together with split.tensors.count
	SharedTensor  fault.Kind = "tensor in several files" // a name in two shards
)

// Split is what a file says of its position among the shards of a model.
type Split struct {
	Index   int // counted from 0, where file names count from 1
	Count   int // shards of the model
	Tensors int // tensors of all shards together, 0 where the file does not say
}

// Split returns the keys split.*; ok is false where the file is no shard.
func (f *File) Split() (s Split, ok bool) {
	count := f.Key("split.count").Uint()
	if count == 0 {
		return Split{}, false
	}
	const most = 1 << 30
	return Split{
		Index:   int(min(f.Key("split.no").Uint(), most)),
		Count:   int(min(count, most)),
		Tensors: int(min(f.Key("split.tensors.count").Uint(), most)),
	}, true
}

// ShardName returns the name of one shard: prefix "m", index 0 of 3 is
// "m-00001-of-00003.gguf".
func ShardName(prefix string, index, count int) string {
	return fmt.Sprintf("%s-%05d-of-%05d.gguf", prefix, index+1, count)
}

// ParseShardName splits a shard's name; index counts from 0. As for llama.cpp, both
// numbers must have five digits.
func ParseShardName(name string) (prefix string, index, count int, ok bool) {
	const tail = len("-00001-of-00003.gguf")
	if len(name) <= tail {
		return "", 0, 0, false
	}
	prefix, name = name[:len(name)-tail], name[len(name)-tail:]
	if name[0] != '-' || name[6:10] != "-of-" || !strings.EqualFold(name[15:], ".gguf") {
		return "", 0, 0, false
	}
	no, err1 := strconv.ParseUint(name[1:6], 10, 32)
	of, err2 := strconv.ParseUint(name[10:15], 10, 32)
	if err1 != nil || err2 != nil || no < 1 || no > of {
		return "", 0, 0, false
	}
	return prefix, int(no) - 1, int(of), true
}

// CheckShards compares the shards of one model with what each says of all of them. It
// returns every contradiction, in the order of the shards, then missing shards.
func CheckShards(shards []*File) []error {
	if len(shards) == 0 {
		return nil
	}
	first, ok := shards[0].Split()
	if !ok {
		return []error{fault.New(NotSplit, shards[0].Path, "no split.count")}
	}
	var errs []error
	byIndex := make(map[int]*File, len(shards))
	shardOf := map[string]*File{} // by tensor
	tensors, partial := 0, false
	for _, f := range shards {
		s, ok := f.Split()
		switch {
		case !ok:
			errs = append(errs, fault.New(NotSplit, f.Path, "no split.count"))
			continue
		case s.Count != first.Count:
			errs = append(errs, fault.New(SplitConflict, f.Path, fmt.Sprintf("one of %d shards, and %s is one of %d", s.Count, shards[0].Path, first.Count)))
		case s.Index >= s.Count:
			errs = append(errs, fault.New(SplitConflict, f.Path, fmt.Sprintf("split.no is %d of %d, counted from 0", s.Index, s.Count)))
		case byIndex[s.Index] != nil:
			errs = append(errs, fault.New(SplitConflict, f.Path, fmt.Sprintf("shard %d, as %s", s.Index+1, byIndex[s.Index].Path)))
		default:
			byIndex[s.Index] = f
		}
		partial = partial || f.Partial
		tensors += len(f.Tensors)
		for i := range f.Tensors {
			name := f.Tensors[i].Name
			if other := shardOf[name]; other != nil {
				errs = append(errs, fault.New(SharedTensor, f.Path, fmt.Sprintf("%s is in %s too", quote(name), other.Path)))
				continue
			}
			shardOf[name] = f
		}
	}
	missing := first.Count - len(byIndex)
	const most = 1000 // missing shards reported one by one
	for i := 0; i < first.Count && missing > 0 && i < most; i++ {
		if byIndex[i] == nil {
			errs = append(errs, fault.New(MissingShard, shards[0].Path, fmt.Sprintf("shard %d of %d is not there", i+1, first.Count)).
				WithHint("download the missing file; all shards must lie in one directory"))
		}
	}
	if first.Tensors > 0 && missing == 0 && !partial && tensors != first.Tensors {
		errs = append(errs, fault.New(TensorCount, shards[0].Path, fmt.Sprintf("%d tensors in all shards, split.tensors.count is %d", tensors, first.Tensors)))
	}
	return errs
}
