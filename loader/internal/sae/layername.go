package sae

import (
	"iter"
	"strings"
)

// layersIn finds the numbers of layers in a name or path: layer_17, layer9, layers.5,
// blocks.8, h.3; L0R and L12TC of Llama Scope; -l50 of Goodfire. "_l0_big" is none, since
// it is an L0 norm.
func layersIn(name string) iter.Seq[string] {
	return func(yield func(digits string) bool) {
		for i := 0; i < len(name); {
			if !mayBeginLayer(name, i) {
				i++
				continue
			}
			digits, end := layerAt(name, i)
			if end == 0 {
				i++
				continue
			}
			if !yield(digits) {
				return
			}
			i = end
		}
	}
}

// mayBeginLayer tells whether layerAt may find something, which takes longer to find out.
func mayBeginLayer(name string, i int) bool {
	c := name[i]
	if isSeparator(c) && i+1 < len(name) {
		c = name[i+1]
	} else if i > 0 {
		return false
	}
	return c == 'l' || c == 'b' || c == 'h' || c == 'L'
}

// isSeparator tells whether a byte separates the words of a name.
func isSeparator(c byte) bool { return c == '/' || c == '.' || c == '_' || c == '-' }

// layerAt is the number of a layer whose name begins at i, with the separator before it;
// end is the end of the name with the separator behind it, 0 where there is none.
func layerAt(name string, i int) (number string, end int) {
	for start := i; start <= i+1; start++ {
		separator := byte('/') // the start of the name counts as one
		if start == i && i > 0 {
			continue
		} else if start > i {
			separator = name[i]
		}
		if start == len(name) || !isSeparator(separator) {
			continue
		}
		rest := name[start:]
		for _, prefix := range [...]string{"layer_", "layer", "layers.", "blocks.", "h."} {
			if after, ok := strings.CutPrefix(rest, prefix); ok {
				if number, end := numberIn(after, "._/-"); end > 0 {
					return number, start + len(prefix) + end
				}
			}
		}
		if rest[0] == 'L' && (separator == '/' || separator == '-') {
			number, after := cutDigits(rest[1:])
			for _, suffix := range [...]string{"R", "A", "M", "TC"} {
				if tail, ok := strings.CutPrefix(after, suffix); ok && number != "" && (tail == "" || strings.IndexByte("/_-", tail[0]) >= 0) {
					return number, min(len(name)-len(tail)+1, len(name))
				}
			}
		}
	}
	if after, ok := strings.CutPrefix(name[i:], "-l"); ok {
		if number, end := numberIn(after, "./"); end > 0 {
			return number, i + 2 + end
		}
	}
	return "", 0
}

// numberIn gives the digits that text begins with, where one of separators or the end
// follows; end is behind the separator, and 0 where there is no such number.
func numberIn(text, separators string) (number string, end int) {
	number, after := cutDigits(text)
	switch {
	case number == "":
		return "", 0
	case after == "":
		return number, len(number)
	case strings.IndexByte(separators, after[0]) >= 0:
		return number, len(number) + 1
	}
	return "", 0
}

// cutDigits splits the decimal digits at the start from the rest.
func cutDigits(text string) (digits, rest string) {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return text[:n], text[n:]
}
