package engine

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// labelKey is the key of the label that each goroutine of an attempt has. A goroutine
// inherits the labels of the one that starts it.
const labelKey = "scenario attempt"

var labels atomic.Int64

// nextLabel gives a label that no other attempt has.
func nextLabel() string { return strconv.FormatInt(labels.Add(1), 10) }

// setLabel labels the current goroutine, and those that it starts.
func setLabel(label string) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(labelKey, label)))
}

// maxStacks bounds the different stacks that are kept of what is under way.
const maxStacks = 16

// stacksOf gives the calls that are under way in all goroutines with a label: a block for
// each stack, the one that the engine has called first.
func stacksOf(label string) string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return ""
	}
	return stacksIn(profile.String(), label)
}

// stacksIn takes the stacks with a label from a goroutine profile in its text form.
func stacksIn(profile, label string) string {
	want := fmt.Sprintf("%q:%q", labelKey, label)
	var blocks []string
	more := 0
	for record := range strings.SplitSeq(profile, "\n\n") {
		count, lines, called := stackIn(record, want)
		switch {
		case len(lines) == 0:
			continue
		case count > 1:
			lines = slices.Insert(lines, 0, fmt.Sprintf("%d goroutines:", count))
		}
		block := strings.Join(lines, "\n")
		if called {
			blocks = slices.Insert(blocks, 0, block)
		} else {
			blocks = append(blocks, block)
		}
		if len(blocks) > maxStacks {
			blocks, more = blocks[:maxStacks], more+1
		}
	}
	if more > 0 {
		blocks = append(blocks, fmt.Sprintf("and %d further stacks", more))
	}
	return strings.Join(blocks, "\n\n")
}

// stackIn reads one record of a goroutine profile: how many goroutines have this stack,
// and its calls without those of the engine. called says that the engine is in it.
func stackIn(record, label string) (count int, lines []string, called bool) {
	labelled := false
	for line := range strings.Lines(record) {
		line = strings.TrimSuffix(line, "\n")
		if head, _, ok := strings.Cut(line, " @ "); ok {
			count, _ = strconv.Atoi(head)
			continue
		}
		if text, ok := strings.CutPrefix(line, "# labels: "); ok {
			labelled = strings.Contains(text, label)
			continue
		}
		fields := strings.Split(line, "\t") // #, address, function+offset, padding, file:line
		if len(fields) < 4 || fields[0] != "#" || called {
			continue
		}
		function, _, _ := strings.Cut(fields[2], "+0x")
		if callsOut(function) {
			called = true
			continue
		}
		if len(lines) < maxFrames {
			lines = append(lines, function+"\n\t"+fields[len(fields)-1])
		}
	}
	for called && len(lines) > 0 && strings.HasPrefix(lines[len(lines)-1], "reflect.") {
		lines = lines[:len(lines)-1]
	}
	back := func(line string) bool {
		return strings.HasPrefix(line, "sync.") || strings.HasPrefix(line, "internal/sync.")
	}
	if !labelled || called && !slices.ContainsFunc(lines, func(line string) bool { return !back(line) }) {
		return 0, nil, false // another's, or a call that has just come back to the engine
	}
	return count, lines, called
}
