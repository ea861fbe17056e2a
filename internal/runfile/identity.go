package runfile

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"iter"
	"path"
	"slices"
)

// Identity tells a scenario from all others, and stays the same when lines above it, or
// the order of scenarios, change.
type Identity struct {
	File   string // path of the feature file, with slashes
	Rule   string // name of the rule it stands under, or ""
	Name   string // with the outline's values filled in
	Row    []Cell // of an outline
	Number int    // 2 for the second scenario of which all else is equal, and so on; 0 for the first. See Numbering
}

// idLength is the number of hexadecimal digits of an id: 64 bits.
const idLength = 16

// ID gives a short name of the identity: 16 hexadecimal digits of a hash. The order of
// the columns of a row does not change it, nor does how the path is spelled: "./a.feature"
// is "a.feature".
func (i Identity) ID() string {
	h := sha256.New()
	writePart(h, path.Clean(i.File))
	writePart(h, i.Rule)
	writePart(h, i.Name)
	row := slices.Clone(i.Row)
	slices.SortFunc(row, func(a, b Cell) int { return cmp.Or(cmp.Compare(a.Column, b.Column), cmp.Compare(a.Value, b.Value)) })
	for _, c := range row {
		writePart(h, c.Column)
		writePart(h, c.Value)
	}
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], uint64(max(i.Number, 1)))
	h.Write(number[:])
	return hex.EncodeToString(h.Sum(nil))[:idLength]
}

// writePart hashes a text so that no two sequences of texts are the same bytes.
func writePart(h hash.Hash, text string) {
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(text)))
	h.Write(length[:])
	h.Write([]byte(text))
}

// Numbering numbers scenarios that nothing else tells apart. The zero value is ready to
// use; it takes the scenarios in the order of their files.
type Numbering struct{ count map[string]int }

// Assign sets the number of an identity and gives its id.
func (n *Numbering) Assign(i *Identity) string {
	if n.count == nil {
		n.count = map[string]int{}
	}
	i.Number = 0
	id := i.ID()
	n.count[id]++
	if c := n.count[id]; c > 1 {
		i.Number = c
		return i.ID()
	}
	return id
}

// PlanHash gives a hash of the ids of all selected scenarios, before they were divided
// into shards, in any order: shards of one run have the same.
func PlanHash(ids iter.Seq[string]) string {
	h := sha256.New()
	for _, id := range slices.Sorted(ids) {
		writePart(h, id)
	}
	return hex.EncodeToString(h.Sum(nil))[:2*idLength]
}

// FeaturesHash gives a hash of the paths and contents of all features of a plan, before it
// was divided into shards, in any order: shards of one run have the same.
func FeaturesHash(features []Feature) string {
	sorted := slices.SortedFunc(slices.Values(features), func(a, b Feature) int { return cmp.Compare(a.URI, b.URI) })
	h := sha256.New()
	for i := range sorted {
		writePart(h, string(sorted[i].URI))
		writePart(h, string(sorted[i].Source))
	}
	return hex.EncodeToString(h.Sum(nil))[:2*idLength]
}
