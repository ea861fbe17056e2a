package cli

import (
	"os"
	"runtime"
	"strings"
	"time"

	"omniloader/internal/bench"
)

// newFile makes the results file of a run that started at a moment.
func newFile(started time.Time, results []bench.Result) (*bench.File, error) {
	return bench.NewFile(results, originOf(started))
}

// originOf describes this program and machine, for a run that started at a moment.
func originOf(started time.Time) bench.Origin {
	return bench.Origin{
		Time:        started,
		GoVersion:   runtime.Version(),
		Platform:    bench.Platform(),
		Environment: fingerprint(),
	}
}

// WriteResults writes the results of a run that started at a moment to a results
// file, whole or not at all.
func WriteResults(path string, started time.Time, results []bench.Result) error {
	file, err := newFile(started, results)
	if err != nil {
		return err
	}
	return file.Write(path)
}

// kernelFacts are properties of the system that change measurements, and the files that
// have them. A system without such a file leaves the property out.
var kernelFacts = []struct{ key, file string }{
	{"kernel", "/proc/sys/kernel/osrelease"},
	{"governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"},
}

// fingerprint describes the machine that measured, so that a comparison can tell a
// slower loader from a slower machine.
func fingerprint() map[string]any {
	environment := bench.Host()
	for _, fact := range kernelFacts {
		if text, err := os.ReadFile(fact.file); err == nil {
			environment[fact.key] = strings.TrimSpace(string(text))
		}
	}
	return environment
}
