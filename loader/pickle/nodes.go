package pickle

// chunkNodes is how many nodes one allocation of a nodeList has at most.
const chunkNodes = 1 << 13

// nodeList is a list of nodes. It grows without copying what it has, so that a pickle of
// millions of values takes no more memory than these; the first chunk grows as a slice
// does, for pickles of a few values.
type nodeList struct {
	first []node
	more  [][]node // each of chunkNodes, but the last
	n     int
}

func (l *nodeList) add(n node) ref {
	switch i := l.n % chunkNodes; {
	case l.n < chunkNodes:
		l.first = append(l.first, n)
	case i == 0:
		l.more = append(l.more, append(make([]node, 0, chunkNodes), n))
	default:
		last := len(l.more) - 1
		l.more[last] = append(l.more[last], n)
	}
	l.n++
	return ref(l.n - 1)
}

// at returns a node, nil where there is none of that number. The pointer is valid until
// the next add.
func (l *nodeList) at(r ref) *node {
	switch {
	case int(r) >= l.n:
		return nil
	case r < chunkNodes:
		return &l.first[r]
	}
	return &l.more[r/chunkNodes-1][r%chunkNodes]
}

// cut keeps the first n nodes, which are at most chunkNodes.
func (l *nodeList) cut(n int) { l.first, l.more, l.n = l.first[:n], nil, n }
